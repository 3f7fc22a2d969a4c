"""Owns the recycling of registrations that were never used, so that loops leave no heap."""

from typing import Any

from sqlalchemy import delete, select

from app import clock
from app.domain import audit, generations
from app.domain.audit import Actor, Tag
from app.domain.authorization_codes import AuthorizationCode
from app.domain.client_records import Client
from app.domain.consents import Consent
from app.domain.software import Software
from app.extensions import db

UNUSED_PER_ADDRESS = 50
"""Never-used registrations of one software that are kept for one address."""
UNUSED_SECONDS = 86400
"""Never-used registrations are recycled so long after both they and the decision were made."""


def recycle(row: Software, address: str, *, by: Actor) -> None:
    """Remove registrations that were never used: too many of one address, or too old.

    Those of pending software live as long as it is pending, up to the number; who waited for a
    decision has the whole time from then.
    """
    unused = unused_of(row.id)
    kept = (
        unused.where(Client.address == address)
        .order_by(Client.created_at.desc(), Client.client_id.desc())
        .offset(UNUSED_PER_ADDRESS)
    )
    removed = list(db.session.scalars(kept))
    limit = clock.epoch() - UNUSED_SECONDS
    if row.decided_at is not None and row.decided_at < limit:
        removed += db.session.scalars(unused.where(Client.created_at < limit))
    if removed:
        db.session.execute(
            delete(Client)
            .where(Client.client_id.in_(removed))
            .execution_options(synchronize_session=False)
        )
        generations.bump("clients")
        audit.record(
            Tag.CLIENT_RECYCLED, row.id, by=by, count=len(removed), client_ids=removed[:100]
        )


def unused_of(software_id: str) -> Any:
    """Select the self-registered clients of some software that were never used."""
    codes = select(AuthorizationCode.client_id).where(
        AuthorizationCode.client_id == Client.client_id
    )
    consented = select(Consent.id).where(Consent.client_id == Client.client_id)
    return select(Client.client_id).where(
        Client.software_id == software_id,
        Client.source == "dcr",
        Client.state == "live",
        Client.last_used_at.is_(None),
        Client.pending_software_id.is_(None),
        ~codes.exists(),
        ~consented.exists(),
    )
