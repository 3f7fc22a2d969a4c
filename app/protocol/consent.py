"""Owns the consent page and the answer to it; bound to session and request, used once."""

from collections.abc import Iterable
from typing import Any

from flask import render_template, request, url_for

from app import browser_session, security
from app.config import current_key, current_settings
from app.domain import consents, errors, resources, scopes
from app.domain.client_records import ClientRecord
from app.domain.users import User
from app.protocol import people
from app.protocol.authorization_request import AuthorizationRequest, LocalRefusal
from app.protocol.ceilings import may_refresh


def show(wanted: AuthorizationRequest, user: User) -> str:
    """Show who asks for what; showing changes nothing."""
    security.allow_form_target(wanted.origin.redirect_uri)
    ticket = consents.new_ticket(
        current_key("consent tickets"), session_id(), bound_request(wanted)
    )
    return render_template(
        "protocol/consent.html",
        action=f"{url_for('authorize.decide')}?{wanted.canonical}",
        ticket=ticket,
        client=people.describe(wanted.client, wanted.origin.redirect_uri),
        account=user.email,
        return_url=f"{url_for('authorize.authorize')}?{wanted.canonical}",
        scopes=[describe_scope(name) for name in wanted.consented_scopes],
        resources=[describe_resource(uri) for uri in wanted.target.audience],
        lifetime=lifetime(wanted.client, wanted.scopes),
        pages=people.pages_of(wanted.client),
    )


def take_answer(wanted: AuthorizationRequest, user: User) -> bool:
    """Spend the ticket of the page and record the answer; raises LocalRefusal for a wrong one."""
    decision = request.form.get("decision")
    if decision not in ("allow", "deny"):
        refusal = errors.InvalidRequest("The decision must be allow or deny.")
        raise LocalRefusal(refusal, wanted.client)
    try:
        consents.spend_ticket(
            current_key("consent tickets"),
            request.form.get("ticket", ""),
            session_id(),
            bound_request(wanted),
        )
    except errors.AccessDenied as refusal:
        raise LocalRefusal(refusal, wanted.client) from None
    by = people.user_actor(user)
    if decision == "deny":
        consents.deny(user_id=user.id, client_id=wanted.client.client_id, by=by)
        return False
    consents.give(
        user_id=user.id,
        client_id=wanted.client.client_id,
        session_id=session_id(),
        redirect_uri=wanted.origin.redirect_uri,
        scopes=wanted.consented_scopes,
        resources=wanted.target.audience,
        by=by,
    )
    return True


def bound_request(wanted: AuthorizationRequest) -> str:
    """Return what a consent is bound to: the request and what it was narrowed to."""
    return "\0".join((wanted.canonical, *wanted.consented_scopes, *wanted.target.audience))


def session_id() -> str:
    """Return the identifier of this signed-in browser session."""
    return browser_session.current().session_id or ""


def describe_scope(name: str) -> dict[str, Any]:
    """Describe a scope in plain words."""
    scope = scopes.find(name)
    if scope is None:
        return {"name": name, "title": "Something without a description", "risk": "high"}
    return {"name": name, "title": scope.description or name, "risk": scope.risk}


def describe_resource(uri: str) -> dict[str, str]:
    """Describe a resource by the name that operators gave it."""
    row = resources.find(uri)
    return {"uri": uri, "name": row.name if row is not None else "This server"}


def lifetime(client: ClientRecord, granted: Iterable[str]) -> str:
    """Say how long the access lasts."""
    if not may_refresh(client, granted):
        minutes = max(1, current_settings().access_token_seconds // 60)
        return f"About {minutes} minutes"
    days = max(1, current_settings().refresh_absolute_seconds // 86400)
    return f"Until you revoke it, at most {days} days"
