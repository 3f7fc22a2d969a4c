"""Owns the registration mode: who may register at all, switched while the server runs."""

from typing import Any

from sqlalchemy import String, update
from sqlalchemy.orm import Mapped, mapped_column

from app.domain import audit, errors
from app.domain.audit import Actor, Tag
from app.extensions import Base, JSONValue, db, insert_once

MODES = ("closed", "token", "open")


class ServerState(Base):
    """A value that operators change while the server runs."""

    __tablename__ = "server_state"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSONValue)


def current(configured: str) -> str:
    """Return the mode in force: the operator's, else the configured one."""
    row = db.session.get(ServerState, "registration_mode")
    return str(row.value) if row is not None else configured


def switch(mode: str, configured: str, *, by: Actor) -> None:
    """Change who may register; takes effect with the next request on every node."""
    if mode not in MODES:
        raise errors.InvalidRequest("The registration mode must be closed, token or open.")
    before = current(configured)
    if not insert_once(ServerState, name="registration_mode", value=mode):
        known = update(ServerState).where(ServerState.name == "registration_mode")
        db.session.execute(known.values(value=mode))
    audit.record(Tag.MODE_CHANGED, "registration_mode", by=by, before=before, after=mode)
