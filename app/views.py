"""Owns what every page gets: theme, request id and who is signed in."""

from typing import Any

from flask import Flask, Response, g, make_response, render_template, request

from app import browser_session, clock


def init_app(app: Flask) -> None:
    """Give templates the values of every page."""
    app.context_processor(shared)
    app.jinja_env.filters["instant"] = instant
    app.jinja_env.globals["here"] = here


def shared() -> dict[str, Any]:
    """Return the values that every template may use."""
    theme = request.cookies.get("theme", "auto")
    return {
        "theme": theme if theme in ("light", "dark") else "auto",
        "request_id": g.get("request_id", ""),
        "current_user": browser_session.current_user(),
    }


def here() -> str:
    """Return path and query of this page, for coming back.

    A query of raw bytes is left out, and one that holds credentials (``g.is_query_secret``).
    """
    query = b"" if g.get("is_query_secret") else request.query_string
    path = request.script_root + request.path
    return f"{path}?{query.decode()}" if query and query.isascii() else path


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a rendered page with a status."""
    return make_response(render_template(template, **values), status)


def instant(at: int | None) -> str | None:
    """Write epoch seconds as an ISO instant in UTC."""
    return None if at is None else clock.instant(at)
