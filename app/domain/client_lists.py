"""Owns how clients are searched, filtered and paged."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select

from app import clock
from app.domain import client_records, orders
from app.domain.client_records import Client, ClientRecord
from app.domain.orders import Key, Order
from app.domain.software import Software, is_approved
from app.extensions import db

ORDERS = {
    "created": Order((Client.created_at, Client.client_id)),
    "used": Order((Client.last_used_at, Client.client_id)),
    "name": Order((Software.sort_name, Client.client_id), rising=True),
}
"""What the list may be sorted by, the usual first; clients never used count as used least."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; empty members do not narrow."""

    search: str = ""
    standing: str = ""
    source: str = ""
    unused_days: int | None = None
    token: str = ""
    """The identifier of the initial access token that clients came with."""


def find_page(
    filters: Filters,
    *,
    order: Order = ORDERS["created"],
    after: Key | None = None,
    before: Key | None = None,
    size: int,
) -> list[tuple[Client, Software]]:
    """Return at most ``size`` clients with their software in an order, beside a neighbour."""
    found = orders.walk(matching(filters), order, after=after, before=before, size=size)
    return [(client, software) for client, software in found]


def matching(filters: Filters) -> Select[Client, Software]:
    """Return the query of the clients that fit, with their software."""
    query = select(Client, Software).join(Software, Software.id == Client.software_id)
    query = by_standing(query, filters.standing)
    if filters.search:
        query = query.where(
            or_(
                Software.name.icontains(filters.search, autoescape=True),
                Client.client_id == filters.search,
            )
        )
    if filters.source:
        query = query.where(Client.source == filters.source)
    if filters.token:
        query = query.where(Client.initial_access_token_id == filters.token)
    if filters.unused_days is not None:
        limit = clock.epoch() - filters.unused_days * 86400
        last_use = or_(Client.last_used_at.is_(None), Client.last_used_at < limit)
        query = query.where(last_use, Client.created_at < limit)
    return query


def by_standing(query: Select[Client, Software], standing: str) -> Select[Client, Software]:
    """Keep clients of one standing, or all but deleted ones."""
    if standing in ("suspended", "deleted"):
        return query.where(Client.state == standing)
    if not standing:
        return query.where(Client.state != "deleted")
    approved = is_approved(clock.epoch())
    query = query.where(Client.state == "live")
    if standing == "expired":
        lapsed = (Software.status == "approved") & ~approved
        return query.where(or_(Software.status == "expired", lapsed))
    if standing == "active":
        return query.where(approved)
    return query.where(Software.status == standing)


def record_of(client: Client, software: Software) -> ClientRecord:
    """Return the record that the endpoints have of a listed client, without asking again."""
    values = {column.name: getattr(client, column.name) for column in Client.__table__.c}
    return client_records.to_record(
        values
        | {
            "software_name": software.name,
            "software_status": software.status,
            "software_scopes": software.scopes,
            "software_resources": software.resources,
            "approved_until": software.approved_until,
            "closed_at": software.closed_at,
            "software_access_token_seconds": software.access_token_seconds,
            "decided_at": software.decided_at,
            "decided_by": software.decided_by,
        }
    )


def names(client_ids: Iterable[str]) -> dict[str, str]:
    """Return what people call some clients, by their identifiers."""
    columns = select(Client.client_id, Software.name)
    query = columns.join(Software, Software.id == Client.software_id)
    named = query.where(Client.client_id.in_(set(client_ids)), Software.name != "")
    return {row.client_id: row.name for row in db.session.execute(named)}


def count(standing: str) -> int:
    """Return how many clients have a standing."""
    everything = select(Client, Software).join(Software, Software.id == Client.software_id)
    query = by_standing(everything, standing).with_only_columns(func.count())
    return int(db.session.scalar(query) or 0)


def count_since(software_id: str, since: int) -> int:
    """Return how many clients of some software registered since a moment."""
    query = select(func.count()).where(
        Client.software_id == software_id, Client.created_at >= since
    )
    return int(db.session.scalar(query) or 0)


def count_of_token(token_id: str) -> int:
    """Return how many clients an initial access token has made that are not deleted."""
    query = select(func.count()).where(
        Client.initial_access_token_id == token_id, Client.state != "deleted"
    )
    return int(db.session.scalar(query) or 0)


def find_of_software(software_id: str, size: int) -> list[Client]:
    """Return the newest clients of some software, tombstones included."""
    query = select(Client).where(Client.software_id == software_id)
    ordered = query.order_by(Client.created_at.desc(), Client.client_id.desc())
    return list(db.session.scalars(ordered.limit(size)))


def find_waiting(software_id: str, size: int) -> list[Client]:
    """Return clients whose revision waits for the approval of some software."""
    query = select(Client).where(Client.pending_software_id == software_id)
    return list(db.session.scalars(query.order_by(Client.client_id).limit(size)))


def is_only_client(software_id: str, client_id: str) -> bool:
    """Tell whether no other client belongs to some software or waits to."""
    others = select(func.count()).where(
        or_(Client.software_id == software_id, Client.pending_software_id == software_id),
        Client.client_id != client_id,
    )
    return not db.session.scalar(others)
