"""Owns response headers: CSP, frames, HSTS, referrer, caching and CORS."""

from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from app.config import Settings, current_settings
from app.domain import errors

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'{targets}; base-uri 'none'; frame-ancestors 'none'"
)
OPEN_TO_BROWSERS = frozenset(
    (
        "clients",
        "device_authorization",
        "discovery",
        "par",
        "register",
        "revoke",
        "token",
        "userinfo",
    )
)
"""Blueprints that any web page may call, always without credentials of the browser."""
BY_POST = ("authorize.authorize_by_post", "logout.sign_out")
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "WWW-Authenticate, Retry-After, DPoP-Nonce, X-Request-Id",
}
HSTS = "max-age=31536000; includeSubDomains"
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP, MCP-Protocol-Version",
    "Access-Control-Max-Age": "600",
}


def init_app(app: Flask) -> None:
    """Add the headers to every response of the application."""
    app.before_request(refuse_cross_site)
    app.after_request(add_headers)


def refuse_cross_site() -> None:
    """Refuse forms that another site made a browser send, next to the CSRF token.

    What comes from other sites by POST by design changes nothing: an authorization request, or the
    wish of an app that somebody signs out.
    """
    unsafe = request.method not in ("GET", "HEAD", "OPTIONS")
    meant = request.blueprint in OPEN_TO_BROWSERS or request.endpoint in BY_POST
    if unsafe and not meant:
        refuse_foreign()


def refuse_foreign() -> None:
    """Refuse what another site made a browser send."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise errors.CrossSite("This form was sent by another site; open the page here instead.")


def machine_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every answer to a machine that any web page may be."""
    strict = {"Strict-Transport-Security": HSTS} if settings.secure else {}
    return {"X-Content-Type-Options": "nosniff", **strict, **CORS}


def add_headers(response: Response) -> Response:
    """Add what every answer needs, and what pages and machine answers need."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    if current_settings().secure:
        headers["Strict-Transport-Security"] = HSTS
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    if request.blueprint in OPEN_TO_BROWSERS:
        # asked before the media type: the framework's answer to OPTIONS counts as HTML
        headers.update(CORS)
        if request.method == "OPTIONS":
            headers.update(PREFLIGHT)
    elif response.mimetype == "text/html":
        headers["Content-Security-Policy"] = POLICY.format(targets=form_targets())
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
    return response


def allow_form_target(redirect_uri: str) -> None:
    """Let forms of this page end at a verified redirect URI.

    Browsers apply ``form-action`` to the redirect that follows the POST as well.
    """
    g.form_target = redirect_uri


def form_targets() -> str:
    """Return the CSP source of the redirect URI of this page, with a leading space."""
    redirect_uri = g.get("form_target")
    if redirect_uri is None:
        return ""
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https") or ":" in (parts.hostname or ""):
        return f" {parts.scheme}:"  # CSP has no way to write an IPv6 host
    return f" {parts.scheme}://{parts.netloc}"
