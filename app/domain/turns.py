"""Owns whose turn it is: periodic work is done by one of any number of processes."""

from sqlalchemy import BigInteger, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.extensions import Base, db, insert_once

LOOK = "look"
"""Taken every minute by whoever does background work, to show that somebody does."""


class Turn(Base):
    """When some periodic work was last begun."""

    __tablename__ = "turns"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    taken_at: Mapped[int] = mapped_column(BigInteger)


def take(name: str, every_seconds: int) -> bool:
    """Take the turn when the last one is so long ago; of many who try at once one gets it."""
    now = clock.epoch()
    if insert_once(Turn, name=name, taken_at=now):
        return True
    taken = db.session.execute(
        update(Turn)
        .where(Turn.name == name, Turn.taken_at <= now - every_seconds)
        .values(taken_at=now)
        .returning(Turn.name)
        .execution_options(synchronize_session=False)
    ).first()
    return taken is not None


def last(name: str) -> int:
    """Return when a turn was taken last; 0 when it never was."""
    found = db.session.scalar(select(Turn.taken_at).where(Turn.name == name))
    return int(found or 0)
