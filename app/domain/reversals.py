"""Owns taking a decision back: within ten minutes, while nothing has come of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from app import clock
from app.domain import audit, decisions, errors, generations, software
from app.domain.audit import Actor, Filters
from app.domain.audit_tags import Tag
from app.domain.authorization_codes import AuthorizationCode
from app.domain.client_records import Client
from app.domain.grants import Grant
from app.domain.software import Software
from app.extensions import db

UNDO_SECONDS = 600
DECIDING = {"approved": Tag.SOFTWARE_APPROVED, "rejected": Tag.SOFTWARE_REJECTED}
UNDECIDED: Mapping[str, Any] = {
    "status": "pending",
    "reason": "",
    "first_approval": None,
    "scopes": [],
    "resources": None,
    "approved_until": None,
    "access_token_seconds": None,
}
LATE = "A decision can be taken back for ten minutes; block the software or decide anew."
LATER = "Something else was decided about it since; block the software instead."
USED = "Something has come of this decision already, so it cannot be taken back; block it instead."


def undo(software_id: str, seen_decided_at: int, *, by: Actor) -> Software:
    """Let software that was just approved or rejected wait again; raises Conflict.

    Not when it was decided by somebody else meanwhile, ten minutes are over, a client of it has
    used the approval, or the decision settled updates of clients that already worked.
    """
    row = software.get(software_id)
    if obstacle := why_not(row):
        raise errors.Conflict(obstacle, software_id=software_id)
    before = (Software.status == row.status) & (Software.decided_at == seen_decided_at)
    row = decisions.decide(software_id, row.revision, before, dict(UNDECIDED), by=by)
    row.decided_at = row.decided_by = None
    db.session.execute(
        update(Client)
        .where(Client.software_id == software_id, Client.state != "deleted")
        .values(approved_once=False)
        .execution_options(synchronize_session=False)
    )
    audit.record(Tag.SOFTWARE_UNDECIDED, row.id, by=by, name=row.name)
    generations.bump("clients")
    return row


def why_not(row: Software) -> str:
    """Return why the decision about some software cannot be taken back; empty when it can."""
    tag = DECIDING.get(row.status)
    if tag is None or row.decided_at is None or row.decided_at + UNDO_SECONDS <= clock.epoch():
        return LATE
    latest = audit.find_page(Filters(tag=tag.kind, subject=row.id), size=2)
    last = next((event for event in latest if event.tag != Tag.SOFTWARE_ENDING), None)
    if last is None or last.tag != tag:
        return LATER
    if last.detail.get("revisions", True) or was_used(row.id):
        return USED
    return ""


def was_used(software_id: str) -> bool:
    """Tell whether a client of some software has got anything."""
    mine = select(Client.client_id).where(Client.software_id == software_id)
    return any(
        db.session.scalar(query.limit(1)) is not None
        for query in (
            select(Client.client_id).where(
                Client.software_id == software_id, Client.last_used_at.is_not(None)
            ),
            select(Grant.id).where(Grant.client_id.in_(mine)),
            select(AuthorizationCode.code_digest).where(AuthorizationCode.client_id.in_(mine)),
        )
    )
