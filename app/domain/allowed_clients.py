"""Owns what people let clients do, put together from their consents and grants."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from app import clock
from app.domain import client_lists, consents, grants, orders
from app.domain.audit import Actor
from app.domain.client_records import Client
from app.domain.consents import Consent
from app.domain.grants import Grant
from app.domain.orders import Key
from app.domain.software import Software
from app.extensions import db

BY_NAME = client_lists.ORDERS["name"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one client may do for a person."""

    client: Client
    software: Software
    scopes: Sequence[str]
    resources: Sequence[str]
    redirect_uri: str | None
    """Where the person was sent last, if a consent is left."""
    given_by: str | None
    """The identity provider that allowed it for an organisation, if nobody asked the person."""
    since: int
    last_used_at: int | None


def find_page(user_id: str, *, after: Key | None = None, size: int) -> list[Allowed]:
    """Return at most ``size`` clients that may act for a person, by name, behind a key."""
    given, held = select(Consent.client_id), select(Grant.client_id)
    either = given.where(is_given(user_id)).union(held.where(is_alive(user_id)))
    query = select(Client, Software).join(Software, Software.id == Client.software_id)
    found = orders.walk(query.where(Client.client_id.in_(either)), BY_NAME, after=after, size=size)
    ids = [client.client_id for client, _ in found]
    asked, used = newest_consents(user_id, ids), live_grants(user_id, ids)
    return [
        put_together(client, known, asked.get(client.client_id), used[client.client_id])
        for client, known in found
        if client.client_id in asked or used[client.client_id]  # nothing is left if it ended now
    ]


def end(user_id: str, client_id: str, *, by: Actor) -> None:
    """End what a client may do for a person: consents with their codes, then the grants.

    In this order a code that is redeemed meanwhile leaves no grant behind.
    """
    consents.revoke(user_id=user_id, client_id=client_id, by=by)
    grants.revoke_of_user(user_id, "removed by the person", by=by, client_id=client_id)


def is_given(user_id: str) -> ColumnElement[bool]:
    """Return the condition of the consents of a person that count."""
    return (Consent.user_id == user_id) & Consent.revoked_at.is_(None)


def is_alive(user_id: str) -> ColumnElement[bool]:
    """Return the condition of the grants of a person that live."""
    alive = Grant.revoked_at.is_(None) & (Grant.expires_at > clock.epoch())
    return (Grant.user_id == user_id) & alive


def newest_consents(user_id: str, client_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Return the newest consent to each of some clients, and since when there is one."""
    newest = (
        select(func.max(Consent.id).label("id"), func.min(Consent.given_at).label("since"))
        .where(is_given(user_id), Consent.client_id.in_(client_ids))
        .group_by(Consent.client_id)
        .subquery()
    )
    columns = [*Consent.__table__.c, newest.c.since]
    query = select(*columns).join(newest, newest.c.id == Consent.id)
    return {row.client_id: row for row in db.session.execute(query)}


def live_grants(user_id: str, client_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """Return the live grants of each of some clients."""
    query = select(*Grant.__table__.c)
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in db.session.execute(query.where(is_alive(user_id), Grant.client_id.in_(client_ids))):
        found[row.client_id].append(row)
    return found


def put_together(
    client: Client, known: Software, asked: Row[Any] | None, used: Sequence[Row[Any]]
) -> Allowed:
    """Return what consent and grants allow together."""
    given = [] if asked is None else [asked]
    return Allowed(
        client=client,
        software=known,
        scopes=sorted({scope for row in (*given, *used) for scope in row.scopes}),
        resources=sorted({uri for row in (*given, *used) for uri in row.resources}),
        redirect_uri=asked.redirect_uri if asked is not None else None,
        given_by=asked.given_by if asked is not None else None,
        since=min([row.since for row in given] + [row.created_at for row in used]),
        last_used_at=max((row.last_used_at for row in used), default=None),
    )
