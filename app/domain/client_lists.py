"""Owns how clients are searched, filtered and paged."""

from dataclasses import dataclass

from sqlalchemy import Select, or_, select

from app import clock
from app.domain import client_records
from app.domain.client_records import Client
from app.domain.software import Software
from app.extensions import db


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; empty members do not narrow."""

    search: str = ""
    standing: str = ""
    source: str = ""
    unused_days: int | None = None


def find_page(
    filters: Filters, *, older_than: tuple[int, str] | None = None, size: int
) -> list[tuple[Client, Software]]:
    """Return at most ``size`` clients with their software, newest first, after a neighbour."""
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
    if filters.unused_days is not None:
        limit = clock.epoch() - filters.unused_days * 86400
        last_use = or_(Client.last_used_at.is_(None), Client.last_used_at < limit)
        query = query.where(last_use, Client.created_at < limit)
    if older_than is not None:
        created_at, client_id = older_than
        query = query.where(
            or_(
                Client.created_at < created_at,
                (Client.created_at == created_at) & (Client.client_id < client_id),
            )
        )
    ordered = query.order_by(Client.created_at.desc(), Client.client_id.desc()).limit(size)
    return [(client, software) for client, software in db.session.execute(ordered)]


def by_standing(query: Select[Client, Software], standing: str) -> Select[Client, Software]:
    """Keep clients of one standing, or all but deleted ones."""
    if standing in ("suspended", "deleted"):
        return query.where(Client.state == standing)
    if not standing:
        return query.where(Client.state != "deleted")
    ended = Software.approved_until <= clock.epoch()
    query = query.where(Client.state == "live")
    if standing == "expired":
        return query.where(or_(Software.status == "expired", ended))
    if standing == "active":
        return query.where(
            Software.status == "approved", or_(~ended, Software.approved_until.is_(None))
        )
    return query.where(Software.status == standing)


def standing(client: Client) -> str:
    """Return what a client may do now."""
    found = client_records.load(client.client_id)
    return "deleted" if found is None else found.standing(clock.epoch()).value
