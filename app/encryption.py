"""Owns what becomes of requests that reached the trusted proxies without encryption (N-014)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from app.config import Settings, current_settings
from app.domain import errors
from app.errors import is_machine

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

IN_CLEAR = "gatewright.in_clear"
"""Stands in the environment of a request that came without encryption."""
PROBES = ("/livez", "/readyz")
OF_A_QUERY = "%/?:@!$&'()*+,;="
"""Characters that stand for themselves in what is encoded already (RFC 3986 section 3.4)."""
REFUSED = (
    "This server is used over https only: send this again over https, with new credentials in place"
    " of those that were sent in clear, and ask the operators of this server for them."
)


class InClear:
    """Marks what the outermost trusted proxy says to have received without encryption.

    A proxy that says nothing is believed to encrypt, and so are health probes that pass none.
    """

    def __init__(self, application: "WSGIApplication", hops: int) -> None:
        """Remember how many proxies are trusted."""
        self.application, self.hops = application, hops

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Mark a request and hand it on."""
        said = environ.get("HTTP_X_FORWARDED_PROTO", "").split(",")
        if len(said) >= self.hops and said[-self.hops].strip().lower() == "http":
            environ[IN_CLEAR] = True
        return self.application(environ, start_response)


def init_app(app: Flask) -> None:
    """Demand encryption where the issuer promises it."""
    settings: Settings = app.extensions["gatewright.settings"]
    if settings.secure:
        app.before_request(demand)


def demand() -> Response | None:
    """Send a browser that looks at a page to https; refuse everything else, unread."""
    if IN_CLEAR not in request.environ or request.path in PROBES:
        return None
    if request.method in ("GET", "HEAD") and not is_machine():
        return redirect(encrypted_url(), 308)
    raise errors.InvalidRequest(REFUSED)


def encrypted_url() -> str:
    """Return the address of this request at the issuer, whatever host was asked."""
    issuer = urlsplit(current_settings().issuer)
    path = quote(request.root_path + request.path)
    query = quote(request.query_string, safe=OF_A_QUERY)
    return issuer._replace(path=path, query=query).geturl()
