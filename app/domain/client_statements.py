"""Owns the software statements that clients came with, as they were sent (RFC 7591 §3.2.1)."""

from sqlalchemy import ForeignKey, String, Text, delete, update
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, db, insert_once


class ClientStatement(Base):
    """The statement of the latest registration or update of one client."""

    __tablename__ = "client_statements"

    client_id: Mapped[str] = mapped_column(
        String(2048), ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True
    )
    statement: Mapped[str] = mapped_column(Text)


def keep(client_id: str, statement: str) -> None:
    """Keep the statement of a client in place of the one before; an empty one is none."""
    known, at_once = ClientStatement.client_id == client_id, {"synchronize_session": False}
    if not statement:
        gone = delete(ClientStatement).where(known)
        db.session.execute(gone.execution_options(**at_once))
    elif not insert_once(ClientStatement, client_id=client_id, statement=statement):
        changed = update(ClientStatement).where(known).values(statement=statement)
        db.session.execute(changed.execution_options(**at_once))


def find(client_id: str) -> str:
    """Return the statement of a client; empty when it has none."""
    row = db.session.get(ClientStatement, client_id, populate_existing=True)
    return "" if row is None else row.statement
