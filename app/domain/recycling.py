"""Owns the recycling of registrations that were never used, so that loops leave no heap."""

from sqlalchemy import ColumnElement, Select, delete, select

from app import clock
from app.domain import audit, generations
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.authorization_codes import AuthorizationCode
from app.domain.client_records import Client
from app.domain.consents import Consent
from app.domain.device_codes import DeviceCode
from app.domain.grants import Grant
from app.domain.software import Software
from app.extensions import db

SELF_REGISTERED = ("dcr", "statement")
"""Sources of clients that nobody here made and no document describes."""
UNUSED_PER_NETWORK = 50
"""Never-used registrations of one software that are kept for one network."""
UNUSED_SECONDS = 86400
"""Never-used registrations are recycled so long after both they and the decision were made."""


def recycle(row: Software, network: str, *, by: Actor) -> None:
    """Remove registrations that were never used: too many of one network, or too old.

    Those of pending software live as long as it is pending, up to the number; who waited for a
    decision has the whole time from then.
    """
    unused = unused_of(row.id)
    kept = (
        unused.where(Client.network == network)
        .order_by(Client.created_at.desc(), Client.client_id.desc())
        .offset(UNUSED_PER_NETWORK)
    )
    removed = list(db.session.scalars(kept))
    limit = clock.epoch() - UNUSED_SECONDS
    if row.decided_at is not None and row.decided_at < limit:
        removed += db.session.scalars(unused.where(Client.created_at < limit))
    if removed:
        remove(row.id, removed, by=by)


def remove(software_id: str, removed: list[str], *, by: Actor) -> None:
    """Remove never-used registrations of some software."""
    db.session.execute(
        delete(Client)
        .where(Client.client_id.in_(removed), *never_used())
        .execution_options(synchronize_session=False)
    )
    generations.bump("clients")
    audit.record(
        Tag.CLIENT_RECYCLED, software_id, by=by, count=len(removed), client_ids=removed[:100]
    )


def too_old(now: int) -> Select[str, str]:
    """Select never-used registrations, with their software, that had a day since the decision."""
    return (
        select(Client.client_id, Client.software_id)
        .join(Software, Software.id == Client.software_id)
        .where(
            *never_used(),
            Client.created_at < now - UNUSED_SECONDS,
            Software.decided_at < now - UNUSED_SECONDS,
            Software.status != "expired",
        )
    )


def recycle_old(now: int, size: int, *, by: Actor) -> int:
    """Remove at most ``size`` registrations that are too old; return how many."""
    found: dict[str, list[str]] = {}
    for client_id, software_id in db.session.execute(too_old(now).limit(size)):
        found.setdefault(software_id, []).append(client_id)
    for software_id, removed in found.items():
        remove(software_id, removed, by=by)
    return sum(map(len, found.values()))


def unused_of(software_id: str) -> Select[str]:
    """Select the self-registered clients of some software that were never used."""
    return select(Client.client_id).where(
        Client.software_id == software_id,
        *never_used(),
    )


def never_used() -> tuple[ColumnElement[bool], ...]:
    """Return what is true of self-registered clients that never got as far as a code."""
    codes = select(AuthorizationCode.client_id).where(
        AuthorizationCode.client_id == Client.client_id
    )
    devices = select(DeviceCode.client_id).where(DeviceCode.client_id == Client.client_id)
    consented = select(Consent.id).where(Consent.client_id == Client.client_id)
    granted = select(Grant.id).where(Grant.client_id == Client.client_id)
    return (
        Client.source.in_(SELF_REGISTERED),
        Client.state == "live",
        Client.last_used_at.is_(None),
        Client.pending_software_id.is_(None),
        ~codes.exists(),
        ~devices.exists(),
        ~consented.exists(),
        ~granted.exists(),
    )
