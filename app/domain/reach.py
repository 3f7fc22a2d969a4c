"""Owns how far software reaches: its clients, and what blocking it would stop."""

from dataclasses import dataclass

from sqlalchemy import func, select

from app import clock
from app.domain.client_records import Client
from app.domain.grants import Grant
from app.extensions import db


@dataclass(frozen=True, slots=True)
class Reach:
    """What blocking some software would stop at this moment."""

    clients: int
    people: int
    grants: int


def of(software_id: str) -> Reach:
    """Return what blocking some software would stop: clients, people, and grants that live."""
    mine = select(Client.client_id).where(Client.software_id == software_id, Client.state == "live")
    living = select(func.count(Grant.user_id.distinct()), func.count()).where(
        Grant.client_id.in_(mine), Grant.revoked_at.is_(None), Grant.expires_at > clock.epoch()
    )
    people, held = db.session.execute(living).one()
    clients = db.session.scalar(select(func.count()).select_from(mine.subquery()))
    return Reach(int(clients or 0), int(people), int(held))


def count_clients(software_id: str) -> int:
    """Return how many clients some software has, tombstones not counted."""
    query = select(func.count()).where(Client.software_id == software_id, Client.state != "deleted")
    return int(db.session.scalar(query) or 0)
