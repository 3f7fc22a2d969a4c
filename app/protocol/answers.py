"""Owns how an authorization request ends at the client: code or error, state and issuer."""

from urllib.parse import quote

from flask import Response

from app.config import current_settings
from app.domain.errors import Refusal


def send(redirect_uri: str, status: int = 303, **values: str | None) -> Response:
    """Return a redirect with the values and ``iss`` added to the query (RFC 9207 section 2).

    Everything outside the unreserved characters is percent-encoded, spaces as ``%20``: some
    clients show a plus sign as it is.
    """
    pairs = [(name, value) for name, value in values.items() if value is not None]
    pairs.append(("iss", current_settings().issuer))
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
    separator = "&" if "?" in redirect_uri else "?"
    if redirect_uri.endswith(("?", "&")):
        separator = ""
    response = Response(status=status)
    response.headers["Location"] = f"{redirect_uri}{separator}{query}"
    response.headers["Cache-Control"] = "no-store"
    response.autocorrect_location_header = False
    return response


def send_refusal(redirect_uri: str, refusal: Refusal, state: str | None) -> Response:
    """Tell the client why its request was refused."""
    return send(
        redirect_uri,
        error=refusal.error,
        error_description=refusal.description,
        state=state,
    )
