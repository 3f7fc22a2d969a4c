"""Owns what console pages share: who may enter, rendering a page or its partial, paging."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import browser_session, limits
from app.domain import errors, software, users
from app.domain.audit import Actor
from app.domain.users import User
from app.views import here

PAGE_SIZES = (25, 50, 100)
ASKING = "30 per minute"
"""So often one operator lets this server ask others, which takes a thread for seconds each time."""
TOO_OFTEN = (
    f"One operator can let this server ask others at most {ASKING}; wait a moment and try again."
)
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def console_blueprint(name: str, import_name: str, path: str) -> Blueprint:
    """Return a blueprint under ``/admin`` that only signed-in operators reach."""
    bp = Blueprint(name, import_name, url_prefix=f"/admin{path}")
    bp.before_request(admit)
    return bp


def admit() -> BaseResponse | None:
    """Let viewers and above in; send everybody else to sign in, or refuse."""
    user = browser_session.current_user()
    if user is None:
        sign_in = url_for("login.sign_in", next=return_path() or None)
        if "HX-Request" in request.headers:
            return Response(status=401, headers={"HX-Redirect": sign_in})
        return redirect(sign_in, 303)
    check_role(user, "viewer")
    forget_sent()
    return None


def return_path() -> str:
    """Return where to go on after signing in: this page, or the page that htmx asks from."""
    if "HX-Request" in request.headers:
        try:
            shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        except ValueError:
            return ""
        return f"{shown.path}?{shown.query}" if shown.query else shown.path
    return here() if request.method == "GET" else ""


def requires(
    role: str,
) -> Callable[[Callable[Arguments, Answer]], Callable[Arguments, Answer]]:
    """Demand a role of whoever calls a view."""

    def decorate(view: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
        @wraps(view)
        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
            check_role(operator(), role)
            return view(*args, **kwargs)

        return guarded

    return decorate


def requires_fresh(
    role: str, back: str = "", *, keeps: bool = False
) -> Callable[[Callable[Arguments, BaseResponse]], Callable[Arguments, BaseResponse]]:
    """Demand a role, and that the operator signed in a few minutes ago, of who calls a view (C-12).

    Others sign in again and come back to this page, or to the endpoint ``back``. ``keeps`` is for
    forms that people type much into and no secret: what was sent can be sent after all.
    """

    def decorate(view: Callable[Arguments, BaseResponse]) -> Callable[Arguments, BaseResponse]:
        @wraps(view)
        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> BaseResponse:
            check_role(operator(), role)
            if is_fresh():
                return view(*args, **kwargs)
            page = page_of(back) if back else here()
            is_kept = keeps and request.method == "POST"
            return sign_in_again(keep_unsent(page) if is_kept else page)

        return guarded

    return decorate


def page_of(endpoint: str) -> str:
    """Return the address of the page that a form of this address and query stands on."""
    path, query = url_for(endpoint, **request.view_args or {}), here().partition("?")[2]
    return f"{path}?{query}" if query else path


def is_fresh() -> bool:
    """Tell whether the operator signed in a few minutes ago."""
    return browser_session.is_fresh(operator())


def keep_unsent(back: str) -> str:
    """Keep the form of this request for after a sign-in; return the page that sends it."""
    typed = request.form.items(multi=True)
    fields = [(name, value) for name, value in typed if name != "csrf_token"]
    shown = [[text.replace("\0", "") for text in field] for field in fields]  # no JSONB has NUL
    kept = {"path": here(), "fields": shown, "back": back}
    browser_session.current()[browser_session.UNSENT] = kept
    return url_for("unsent.show_unsent")


def forget_sent() -> None:
    """Keep the form no longer that this request sends after all."""
    browser = browser_session.current()
    kept = browser.get(browser_session.UNSENT)
    if kept and request.method == "POST" and kept["path"] == here():
        del browser[browser_session.UNSENT]


def sign_in_again(after: str) -> BaseResponse:
    """Let an operator who signed in long ago do so once more, and go on there."""
    return redirect(url_for("login.sign_in", next=after, again="yes"), 303)


def asks_others(
    view: Callable[Arguments, Answer],
) -> Callable[Arguments, Answer]:
    """Count against its operator each call of a view that asks servers of others."""

    @wraps(view)
    def counted(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        limits.spend(ASKING, "asking others", operator().id, sentence=TOO_OFTEN)
        return view(*args, **kwargs)

    return counted


def check_role(user: User, role: str) -> None:
    """Raise InsufficientScope unless the user's role includes ``role``."""
    if not users.may(user, role):
        raise errors.InsufficientScope(
            f"This needs the role {role}; ask an administrator of this server."
        )


def operator() -> User:
    """Return the signed-in operator."""
    user = browser_session.current_user()
    if user is None:
        message = "admit() lets nobody in who is not signed in"
        raise AssertionError(message)
    return user


def actor() -> Actor:
    """Return the signed-in operator as the actor."""
    user = operator()
    address = (request.remote_addr or "")[:64]
    return Actor("operator", user.id, user.email, address, g.get("request_id", ""))


def render_page(page: str, partial: str | None = None, **context: Any) -> Response:
    """Return a page, or only its partial when htmx asks for that (not when it restores history)."""
    fragment = (
        partial is not None
        and "HX-Request" in request.headers
        and "HX-Boosted" not in request.headers
        and "HX-History-Restore-Request" not in request.headers
    )
    name = partial if fragment and partial is not None else page
    operator_values = {"may": lambda role: users.may(operator(), role)}
    if "pending_count" not in context:
        context["pending_count"] = software.count("pending")
    response = make_response(render_template(f"console/{name}", **operator_values, **context))
    response.vary.update(("HX-Request", "Cookie"))
    return response


def asked(name: str, longest: int = 200) -> str:
    """Return a value of the address, without NUL and the white space around it."""
    return request.args.get(name, "").replace("\0", "").strip()[:longest]


def page_size() -> int:
    """Return how many rows the address asks for: 25, 50 or 100."""
    asked = request.args.get("size", "")
    return int(asked) if asked in map(str, PAGE_SIZES) else PAGE_SIZES[0]


def address_with(**changes: str | int | None) -> str:
    """Return the address of this page with some values of its query changed or removed."""
    values = {**request.args.to_dict(), **changes}
    kept = {name: value for name, value in values.items() if value not in (None, "")}
    here = request.script_root + request.path
    return f"{here}?{urlencode(kept)}" if kept else here
