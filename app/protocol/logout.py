"""End session endpoint (OpenID Connect RP-Initiated Logout), and the sign-out of our own pages."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from app import browser_session, provider_uses, security
from app.domain import audit, session_clients
from app.domain.audit_tags import Tag
from app.extensions import csrf, db
from app.protocol import logout_request, parameters, people
from app.protocol.answers import redirected
from app.protocol.logout_request import LogoutRequest
from app.views import page

bp = Blueprint("logout", __name__)


@bp.get("/logout")
def end_session() -> Response:
    """Sign the person out for an app whose ID token is of this session; otherwise ask them."""
    wanted = logout_request.read(parameters.read_query())
    session_id = browser_session.current().session_id
    if session_id is None:
        return go_on(wanted) if wanted.is_proven else show_signed_out(wanted)
    is_ours = wanted.fault is None and session_clients.is_of(wanted.sid, session_id)
    if not is_ours or is_ahead():
        return ask(wanted)

    return leave(wanted)


def is_ahead() -> bool:
    """Tell whether a browser only looks, or fetches what somebody might open next (C-21)."""
    return request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", "")


@bp.post("/logout")
def sign_out() -> Response:
    """End this browser's session by a button of ours; what an app posts goes on with GET.

    A form of another site comes without the cookie, and without the token of our forms.
    """
    if "csrf_token" not in request.form:
        asked = parameters.collect(list(request.form.items(multi=True)))
        wanted = logout_request.read(asked)
        return redirect(f"{url_for('logout.end_session')}?{wanted.query}", 303)
    security.refuse_foreign()
    wanted = logout_request.read(parameters.read_query())
    if browser_session.current().session_id is None:
        return show_signed_out(wanted)  # it ended meanwhile, and took the token of the form along
    csrf.protect()

    return leave(wanted, people.local_path(request.form.get("next", "")))


def leave(wanted: LogoutRequest, after: str | None = None) -> Response:
    """End the session here, and at the provider that began it if there is one; then go on."""
    user, client = people.signed_in(), wanted.client
    if user is not None:
        client_id = client.client_id if client is not None else None
        audit.record(Tag.USER_SIGNED_OUT, user.id, by=people.user_actor(user), client_id=client_id)

    left = provider_uses.way_out()
    browser_session.end()
    db.session.commit()
    elsewhere = provider_uses.end_session_url(*left) if left else ""
    provider = left[0] if left and elsewhere else None
    if provider is not None and provider.draft.signs_out:
        return provider_uses.pass_on(elsewhere, provider.title)
    if after is not None:
        return redirect(after, 303)
    return go_on(wanted, provider.title if provider else "", elsewhere)


def go_on(wanted: LogoutRequest, provider: str = "", provider_url: str = "") -> Response:
    """Send the browser back to the app, or say that nobody is signed in."""
    if wanted.return_url is None:
        return show_signed_out(wanted, provider, provider_url)
    return redirected(wanted.return_url, {})


def ask(wanted: LogoutRequest) -> Response:
    """Ask the person: anybody can send a browser here."""
    if wanted.return_url is not None:
        security.allow_form_target(wanted.return_url)
    return page(
        "protocol/sign_out.html",
        status=400 if wanted.fault else 200,
        action=f"{url_for('logout.sign_out')}?{wanted.query}",
        client_name=name_of(wanted),
        returns=wanted.return_url is not None,
        fault=wanted.fault,
        home_url=url_for("landing.show_landing"),
    )


def show_signed_out(wanted: LogoutRequest, provider: str = "", provider_url: str = "") -> Response:
    """Say that nobody is signed in here; offer the way back to the app, and out at a provider."""
    return page(
        "protocol/signed_out.html",
        status=400 if wanted.fault else 200,
        sign_in_url=url_for("login.sign_in"),
        client_name=name_of(wanted),
        return_url=wanted.return_url,
        fault=wanted.fault,
        provider=provider,
        provider_url=provider_url,
    )


def name_of(wanted: LogoutRequest) -> str | None:
    """Return what people call the app."""
    client = wanted.client
    return (client.name or client.client_id) if client is not None else None
