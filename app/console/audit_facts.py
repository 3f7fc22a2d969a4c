"""Owns what console pages show of an audit event."""

from collections.abc import Mapping
from typing import Any

from flask import url_for

from app.domain.audit import AuditEvent
from app.domain.audit_tags import Tag
from app.domain.registration_tokens import STATIC
from app.views import instant

TOLD = ("name", "email", "description", "reason", "scope", "outcome", "error", "text", "issuer")
"""Members of the detail that say most in one line, the best first."""
LOOKS = {
    "refused": "stop",
    "rejected": "stop",
    "blocked": "stop",
    "replayed": "stop",
    "reached": "stop",
    "sign_in_failed": "stop",
    "denied": "stop",
    "compromised": "stop",
    "approved": "good",
    "suspended": "halt",
}


def row_of(event: AuditEvent) -> dict[str, Any]:
    """Return what a list shows of an event."""
    kind, _, happened = event.tag.partition(".")
    return {
        "url": url_for("audit.show_event", event_id=event.id),
        "at": instant(event.at_ms // 1000),
        "kind": kind,
        "happened": happened,
        "look": LOOKS.get(happened, ""),
        "subject": event.subject,
        "told": told(event.detail),
        "actor": actor_of(event),
        "address": event.address,
    }


def told(detail: Mapping[str, Any]) -> str:
    """Return the one member of a detail that says most."""
    metadata = {**detail, **detail.get("evidence", {})}.get("metadata")
    named = metadata.get("client_name") if isinstance(metadata, dict) else None
    found = [named, *(detail.get(name) for name in TOLD)]
    return next((value for value in found if isinstance(value, str) and value), "")[:200]


def actor_of(event: AuditEvent) -> str:
    """Return how people call who did it."""
    return event.actor_name or event.actor_id or event.actor_kind


def subject_url(event: AuditEvent) -> str | None:
    """Return the address of the page of what an event is about, where there is one."""
    kind = event.tag.partition(".")[0]
    if kind == "software" and event.subject:
        return url_for("registrations.show_registration", software_id=event.subject)
    if kind == "client" and event.tag != Tag.CLIENT_RECYCLED:
        return url_for("clients_console.show_client", client_id=event.subject)
    if kind == "initial_token" and event.subject not in ("", STATIC):
        return url_for("initial_access_tokens.show_token", token_id=event.subject)
    if kind == "connection" and event.tag != Tag.CONNECTION_DELETED:
        return url_for("connections.show_connection", connection_id=event.subject)
    if event.tag == Tag.POLICY_CHANGED and event.subject.isdecimal():
        return url_for("policies.show_version", number=int(event.subject))
    return None


def instant_ms(at_ms: int) -> str:
    """Write epoch milliseconds as an ISO instant in UTC."""
    seconds = instant(at_ms // 1000) or ""
    return f"{seconds[:-1]}.{at_ms % 1000:03}Z"


def as_json(event: AuditEvent) -> dict[str, Any]:
    """Return an event as it is exported."""
    return {
        "id": event.id,
        "at": instant_ms(event.at_ms),
        "tag": event.tag,
        "subject": event.subject,
        "client_id": event.client_id,
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "actor_name": event.actor_name,
        "address": event.address,
        "request_id": event.request_id,
        "detail": event.detail,
    }
