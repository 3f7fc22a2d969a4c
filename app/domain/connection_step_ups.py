"""Owns step-ups of connection grants: the scopes that are wanted besides, until the owner decides.

A client of ours that may get tokens of connections notes them, or the challenge of the API.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, update

from app.domain import audit, connection_grants, errors
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.connection_grants import ConnectionGrant
from app.domain.connection_records import Connection
from app.extensions import db

CHANGED = (
    "What is wanted besides has changed since this page was shown; open it again and look before"
    " you decide."
)


def want(row: Row[Any], scopes: Iterable[str]) -> tuple[str, ...]:
    """Note which scopes a grant lacks, in place of what was wanted before; return them.

    ``scopes`` are at most ``SCOPE_LENGTH`` characters together. Nothing is noted for a grant that
    has them all.
    """
    lacking = tuple(scope for scope in scopes if scope not in row.scopes)
    if lacking:
        db.session.execute(
            update(ConnectionGrant)
            .where(ConnectionGrant.id == row.id)
            .values(wanted_scope=" ".join(lacking))
            .execution_options(synchronize_session=False)
        )
    return lacking


def decline(connection_id: str, owner: str, *, by: Actor) -> None:
    """Forget what is wanted besides; what was granted stays as it is."""
    row = connection_grants.find(connection_id, owner)
    if row is None or row.wanted_scope is None:
        return
    declined = db.session.execute(
        update(ConnectionGrant)
        .where(ConnectionGrant.id == row.id, ConnectionGrant.wanted_scope == row.wanted_scope)
        .values(wanted_scope=None)
        .returning(ConnectionGrant.id)
        .execution_options(synchronize_session=False)
    ).first()
    if declined is not None:
        audit.record(
            Tag.CONNECTION_DECLINED, connection_id, by=by, owner=owner, scope=row.wanted_scope
        )


def scopes_to_ask(connection: Connection, owner: str, agreed: str) -> tuple[str, ...]:
    """Return what an owner is asked for: the scopes of the connection.

    An owner who has ``agreed`` to what is wanted besides is asked for that and for what was
    granted as well, so that nothing is lost by it. Raises Conflict when something else is wanted
    by now.
    """
    asked, row = connection.scope.split(), connection_grants.find(connection.id, owner)
    if not agreed:
        return tuple(asked)
    if row is None or row.wanted_scope != agreed:
        raise errors.Conflict(CHANGED)
    return tuple(dict.fromkeys((*asked, *row.scopes, *agreed.split())))
