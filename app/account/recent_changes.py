"""Owns what people are told once after each sign-in: how the ways to sign in changed lately."""

from typing import Any

from app import browser_session, clock
from app.domain import activity
from app.domain.audit import SERVER, AuditEvent
from app.domain.audit_tags import Tag

LATELY_SECONDS = 7 * 86400
MOST = 5
FACTORS = {"authenticator": "An authenticator app", "passkey": "A passkey"}
CHANGES = {
    Tag.USER_PASSWORD_CHANGED: "Your password was changed",
    Tag.USER_FACTOR_ADDED: "{factor} was added",
    Tag.USER_FACTOR_REMOVED: "{factor} was removed",
    Tag.USER_FACTORS_RESET: "Your second factors were reset",
    Tag.USER_RECOVERY_CODES_MADE: "New recovery codes were made",
    Tag.USER_IDENTITY_LINKED: "A sign-in at another server was linked to your account",
    Tag.USER_IDENTITY_UNLINKED: "A sign-in at another server was unlinked from your account",
}


def take(user_id: str) -> list[dict[str, Any]]:
    """Return the changes of the last days, on the first page after a sign-in and on no other.

    Whoever made them cannot keep others from being told: each browser is told by itself.
    """
    if browser_session.current().pop(browser_session.NEWLY, None) is None:
        return []
    since = clock.epoch() - LATELY_SECONDS
    found = activity.of_person(user_id, CHANGES, size=MOST)
    return [row_of(event, user_id) for event in found if event.at_ms // 1000 >= since]


def row_of(event: AuditEvent, user_id: str) -> dict[str, Any]:
    """Return what a page shows of a change; the address of somebody else is not shown."""
    factor = FACTORS.get(event.detail.get("factor", ""), "A second factor")
    own = event.actor_id == user_id
    return {
        "what": CHANGES[Tag(event.tag)].format(factor=factor),
        "at": event.at_ms // 1000,
        "address": event.address if own else "",
        "by": "" if own else by_whom(event),
    }


def by_whom(event: AuditEvent) -> str:
    """Return who did what the person did not: a provider that is named, or operators."""
    is_provider = event.actor_kind == SERVER.kind and event.actor_name != SERVER.name
    return f"by the {event.actor_name}" if is_provider else "by the operators of this server"
