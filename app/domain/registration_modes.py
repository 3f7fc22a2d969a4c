"""Owns who may register at all, and whether by a document; switched while the server runs."""

from typing import Any

from sqlalchemy import String, update
from sqlalchemy.orm import Mapped, mapped_column

from app.domain import audit, errors
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
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
    put("registration_mode", mode)
    audit.record(Tag.MODE_CHANGED, "registration_mode", by=by, before=before, after=mode)


def takes_documents(configured: bool) -> bool:
    """Tell whether the URL of a metadata document is taken for a client_id (CIMD)."""
    row = db.session.get(ServerState, "cimd")
    return bool(row.value) if row is not None else configured


def switch_documents(on: bool, configured: bool, *, by: Actor) -> None:
    """Take documents from now on, or no new ones; clients that exist go on."""
    before = takes_documents(configured)
    put("cimd", on)
    audit.record(Tag.CIMD_SWITCHED, "cimd", by=by, before=before, after=on)


def put(name: str, value: str | bool) -> None:
    """Store a value, whoever is the first."""
    if not insert_once(ServerState, name=name, value=value):
        known = update(ServerState).where(ServerState.name == name)
        db.session.execute(known.values(value=value))
