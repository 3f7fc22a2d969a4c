"""Owns how an authorization request ends at the client: code or error, state and issuer."""

from urllib.parse import quote

from flask import Response

from app import security
from app.config import current_settings
from app.domain.errors import Refusal
from app.protocol.authorization_request import Origin
from app.views import page

MODES = ("query", "form_post")


def send(origin: Origin, **values: str) -> Response:
    """Return the answer with ``state`` and ``iss`` (RFC 9207 section 2), as it was asked for."""
    said = values | ({} if origin.state is None else {"state": origin.state})
    said["iss"] = current_settings().issuer
    if origin.response_mode == "form_post":
        return posted(origin.redirect_uri, said)
    return redirected(origin.redirect_uri, said)


def send_refusal(origin: Origin, refusal: Refusal) -> Response:
    """Tell the client why its request was refused."""
    return send(origin, error=refusal.error, error_description=str(refusal.description))


def redirected(redirect_uri: str, said: dict[str, str]) -> Response:
    """Return a redirect with the values added to the query."""
    response = Response(status=303)
    response.headers["Location"] = address(redirect_uri, said)
    response.headers["Cache-Control"] = "no-store"
    response.autocorrect_location_header = False
    return response


def address(redirect_uri: str, said: dict[str, str]) -> str:
    """Return a redirect URI with values added to its query.

    Everything outside the unreserved characters is percent-encoded, spaces as ``%20``: some
    clients show a plus sign as it is.
    """
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items())
    separator = "&" if "?" in redirect_uri else "?"
    if not said or redirect_uri.endswith(("?", "&")):
        separator = ""
    return f"{redirect_uri}{separator}{query}"


def posted(redirect_uri: str, said: dict[str, str]) -> Response:
    """Return a page that sends the values as a form (OAuth 2.0 Form Post Response Mode)."""
    security.allow_form_target(redirect_uri)
    return page("protocol/form_post.html", action=redirect_uri, fields=said)
