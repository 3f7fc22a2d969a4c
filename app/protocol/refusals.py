"""Owns how this door refuses: as OAuth JSON, at the client, or on a page; and records it."""

from flask import Flask, request
from werkzeug.wrappers import Response as BaseResponse

from app import limits
from app.answers import refusal_answer
from app.config import current_settings
from app.domain import audit, users
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.client_records import ClientRecord
from app.domain.device_refusals import AuthorizationPending
from app.domain.dpop_refusals import UseDpopNonce
from app.domain.errors import AdmissionRefused, Refusal, TooManyRequests
from app.errors import MACHINES, answer_refusal
from app.extensions import db
from app.protocol import caller, people
from app.protocol.answers import send_refusal
from app.protocol.authorization_request import LocalRefusal, RedirectedRefusal
from app.protocol.waiting import refresh
from app.views import page

COUNTED = (
    "clients",
    "connection_tokens",
    "device_authorization",
    "introspect",
    "par",
    "provider_logout",
    "revoke",
    "token",
    "userinfo",
)
"""Blueprints at which credentials can be guessed."""
RECORDED = "120 per minute"
"""Refusals of one network beyond this are only logged, so that a flood cannot fill the disk."""

OPERATORS = "the operators of this server"


def init_app(app: Flask) -> None:
    """Handle the refusals of every endpoint of this door."""
    app.register_error_handler(Refusal, refuse)
    app.register_error_handler(LocalRefusal, refuse_here)
    app.register_error_handler(RedirectedRefusal, refuse_there)


def refuse(refusal: Refusal) -> BaseResponse:
    """Record a refusal and answer it in the format of the endpoint.

    What a machine endpoint did before it refused is kept, such as the revocations of a replay; an
    operator's half-done form is not. Who polls as it should, or learns a nonce, is not at fault.
    """
    if request.blueprint not in MACHINES:
        db.session.rollback()
    if isinstance(refusal, AuthorizationPending | UseDpopNonce):
        db.session.commit()
        return answer_refusal(refusal)
    answered = addressed(limited(refusal))
    record(answered)
    return answer_refusal(answered)


def addressed(refusal: Refusal) -> Refusal:
    """Name whom to ask as the settings do; both are constant text of this server."""
    contact = current_settings().contact
    refusal.description = str(refusal.description).replace(OPERATORS, contact)
    return refusal


def limited(refusal: Refusal) -> Refusal:
    """Count what is refused to one network where credentials are; past the limit it has to wait.

    Only refusals count, so a busy client that proves itself is never slowed down.
    """
    if request.blueprint not in COUNTED:
        return refusal
    try:
        limits.spend(current_settings().token_rate_limit, "token", caller.network())
    except TooManyRequests as reached:
        return reached
    return refusal


def refuse_here(found: LocalRefusal) -> BaseResponse:
    """Answer on a page of ours, or as JSON for a program; the browser is sent nowhere."""
    refusal, client = addressed(found.refusal), found.client
    record(refusal, client)
    if "HX-Request" in request.headers:
        return refresh()
    if wants_json():
        return refusal_answer(refusal)
    return page(
        "protocol/not_active.html",
        status=refusal.status,
        client_name=client.name if client is not None else None,
        explanation=refusal.description,
        contact=people.contact_sentence(),
        error_code=refusal.error,
        details=details(client),
    )


def refuse_there(found: RedirectedRefusal) -> BaseResponse:
    """Tell the client at its proven redirect URI."""
    refusal = addressed(found.refusal)
    record(refusal)
    if "HX-Request" in request.headers:
        return refresh()
    return send_refusal(found.origin, refusal)


def record(refusal: Refusal, client: ClientRecord | None = None) -> None:
    """Record a refusal and commit it with what the endpoint did before it refused."""
    known = client.client_id if client is not None else refusal.facts.get("client_id")
    if isinstance(refusal, TooManyRequests):
        tag = Tag.LIMIT_REACHED
    elif request.blueprint == "register" or is_of_document(refusal):
        tag = Tag.REGISTRATION_REFUSED
    else:
        tag = Tag.REQUEST_REFUSED
    if limits.local_budget(RECORDED, "refusals", caller.network()):
        audit.record(
            tag,
            (request.endpoint or "")[:200],
            by=refused_actor(),
            client_id=known,
            error=refusal.error,
            description=refusal.description,
            **{name: value for name, value in refusal.facts.items() if name != "client_id"},
        )
    db.session.commit()


def is_of_document(refusal: Refusal) -> bool:
    """Tell whether policy refused software that arrived with its document."""
    return request.blueprint in ("authorize", "par") and isinstance(refusal, AdmissionRefused)


def refused_actor() -> Actor:
    """Return who was refused: the person of this browser, if one is signed in."""
    user = people.signed_in()
    return caller.actor() if user is None else people.user_actor(user)


def wants_json() -> bool:
    """Tell whether a program asked, which prefers JSON to a page."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and "text/html" not in request.headers.get("Accept", "")


def details(client: ClientRecord | None) -> list[tuple[str, str]]:
    """Return what a developer of the app wants to know, and operators besides."""
    shown = [
        ("Presented client_id", request.args.get("client_id", "")[:200]),
        ("Presented redirect_uri", request.args.get("redirect_uri", "")[:500]),
    ]
    user = people.signed_in()
    if client is not None and user is not None and users.may(user, "viewer"):
        shown += [("Registered redirect_uri", uri) for uri in client.redirect_uris[:5]]
    return [(label, value) for label, value in shown if value]
