"""Owns software: what people approve; its registrations are clients, tied by a fingerprint."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    Integer,
    String,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials, errors, fingerprints, orders
from app.domain.orders import Key, Order
from app.extensions import Base, JSONValue, db, insert_once

CHANGED = "The software was decided or has changed meanwhile; look at it again."
STATUSES = ("pending", "approved", "rejected", "blocked", "expired")
ADDRESSES_KEPT = 10
SORTED_LENGTH = 100


class Software(Base):
    """One piece of software and what people decided about it."""

    __tablename__ = "software"
    __table_args__ = (
        Index("ix_software_network", "network", "status"),
        Index("ix_software_sort_name", "sort_name", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    sort_name: Mapped[str] = mapped_column(String(100))
    """The name without regard to case, for sorting."""
    source: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), index=True)
    client_metadata: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    """What the first registration asked for (RFC 7591 section 2)."""
    revision: Mapped[str] = mapped_column(String(32))
    """Hash of ``client_metadata``; a decision names the revision it was made about."""
    scopes: Mapped[list[str]] = mapped_column(JSONValue, default=list)
    """Ceiling of the scopes, set by approval."""
    resources: Mapped[list[str] | None] = mapped_column(JSONValue)
    """Ceiling of the resources; None means every resource of the catalogue."""
    verdict: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    notes: Mapped[list[str]] = mapped_column(JSONValue)
    """What an approver should look at twice."""
    justification: Mapped[str | None] = mapped_column(String(1000))
    justified_by: Mapped[str | None] = mapped_column(String(255))
    first_approval: Mapped[dict[str, Any] | None] = mapped_column(JSONValue)
    """What the first of two approvers gave."""
    reason: Mapped[str | None] = mapped_column(String(1000))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(255))
    approved_until: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    """Since when approved software takes no newcomers; None while it does."""
    reminded_of: Mapped[int | None] = mapped_column(BigInteger)
    """The end of the approval that was told of last, before it came."""
    access_token_seconds: Mapped[int | None] = mapped_column(Integer)
    """Longest life of the access tokens of its clients, set by a rule; None does not bound."""
    first_seen_at: Mapped[int] = mapped_column(BigInteger)
    last_seen_at: Mapped[int] = mapped_column(BigInteger, index=True)
    seen_count: Mapped[int] = mapped_column(Integer)
    network: Mapped[str] = mapped_column(String(64))
    """Where it was first seen from, if it counts there while it is undecided."""
    addresses: Mapped[list[str]] = mapped_column(JSONValue)
    """The first ten addresses it was seen from."""


def see(
    mark: str,
    metadata: Mapping[str, Any],
    *,
    source: str,
    verdict: Mapping[str, Any],
    notes: Iterable[str],
    address: str,
    network: str,
) -> Software:
    """Count an arrival of the software with this fingerprint, making its row at first sight."""
    now = clock.epoch()
    first = insert_once(
        Software,
        id=credentials.new_id(),
        fingerprint=mark,
        source=source,
        status="pending",
        scopes=[],
        verdict=dict(verdict),
        notes=list(notes),
        first_seen_at=now,
        last_seen_at=now,
        seen_count=1,
        network=network,
        addresses=[address] if address else [],
        **described(metadata),
    )
    if not first:
        db.session.execute(
            update(Software)
            .where(Software.fingerprint == mark)
            .values(seen_count=Software.seen_count + 1, last_seen_at=now)
            .execution_options(synchronize_session=False)
        )
    found = select(Software).where(Software.fingerprint == mark)
    row = db.session.scalars(found.execution_options(populate_existing=True)).one()
    if address and address not in row.addresses and len(row.addresses) < ADDRESSES_KEPT:
        row.addresses = [*row.addresses, address]
    return row


def described(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with which software describes itself."""
    name = metadata.get("client_name", "")
    return {
        "name": name,
        "sort_name": name.casefold()[:SORTED_LENGTH],
        "client_metadata": dict(metadata),
        "revision": fingerprints.revision(metadata),
    }


def describe(row: Software, metadata: Mapping[str, Any], notes: Iterable[str]) -> Software:
    """Let undecided software say something new; raises Conflict when somebody was faster."""
    changed = db.session.scalar(
        update(Software)
        .where(Software.id == row.id, Software.status == "pending")
        .where(Software.revision == row.revision)
        .values(**described(metadata), notes=list(notes))
        .returning(Software)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if changed is None:
        raise errors.Conflict("The software was decided or has changed meanwhile; try again.")
    return changed


def is_approved(now: int) -> ColumnElement[bool]:
    """Return the condition of software whose standing is approved."""
    until = Software.approved_until
    return (Software.status == "approved") & (until.is_(None) | (until > now))


def standing(status: str, approved_until: int | None, now: int) -> str:
    """Return a status as it counts at a moment: an approval that has ended is ``expired``."""
    ended = approved_until is not None and approved_until <= now
    return "expired" if status == "approved" and ended else status


def find_by_fingerprint(mark: str) -> Software | None:
    """Return the software with a fingerprint."""
    return db.session.scalar(select(Software).where(Software.fingerprint == mark))


def find(software_id: str) -> Software | None:
    """Return one piece of software."""
    return None if "\0" in software_id else db.session.get(Software, software_id)


def get(software_id: str) -> Software:
    """Return one piece of software; raises NotFound."""
    row = find(software_id)
    if row is None:
        raise errors.NotFound("There is no software with this identifier.")
    return row


def count(status: str, search: str = "") -> int:
    """Return how much software has a status and matches a search."""
    query = select(func.count()).select_from(Software).where(*matching(status, search))
    return int(db.session.scalar(query) or 0)


def counts() -> dict[str, int]:
    """Return how much software has each status."""
    grouped = select(Software.status, func.count()).group_by(Software.status)
    found = dict(db.session.execute(grouped).all())
    return {status: found.get(status, 0) for status in STATUSES}


def count_ending(now: int, within_seconds: int) -> int:
    """Return how many approvals have ended, or end within so many seconds."""
    query = select(func.count()).where(
        Software.status == "approved", Software.approved_until <= now + within_seconds
    )
    return int(db.session.scalar(query) or 0)


def count_newer(status: str, than: str) -> int:
    """Return how much software of a status was first seen after the one with a key."""
    query = select(func.count()).where(Software.status == status, Software.id > than)
    return int(db.session.scalar(query) or 0)


ORDERS = {
    "first": Order((Software.id,)),
    "last": Order((Software.last_seen_at, Software.id)),
    "name": Order((Software.sort_name, Software.id), rising=True),
}
"""What the queue may be sorted by, the usual first; identifiers are ordered by time."""


def find_page(
    status: str,
    *,
    search: str = "",
    order: Order = ORDERS["first"],
    after: Key | None = None,
    before: Key | None = None,
    size: int,
) -> list[Software]:
    """Return at most ``size`` rows with a status in an order, beside the key of a neighbour.

    ``search`` is a part of the name or a whole identifier.
    """
    query = select(Software).where(*matching(status, search))
    found = orders.walk(query, order, after=after, before=before, size=size)
    return [row for (row,) in found]


def find_revisions(
    status: str, *, search: str = "", order: Order, size: int
) -> list[tuple[str, str]]:
    """Return identifier and revision of at most ``size`` rows, as ``find_page`` finds them."""
    query = select(Software.id, Software.revision).where(*matching(status, search))
    return [(each, revision) for each, revision in orders.walk(query, order, size=size)]


def matching(status: str, search: str) -> list[ColumnElement[bool]]:
    """Return the conditions of software with a status that a search finds."""
    if not search:
        return [Software.status == status]
    by_name = Software.name.icontains(search, autoescape=True)
    return [Software.status == status, or_(by_name, Software.id == search)]
