"""Owns connections: logins that this server holds at others', made by people or by the settings."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Row, select, update

from app import clock
from app.domain import (
    audit,
    connection_drafts,
    connection_grants,
    connection_secrets,
    credentials,
    errors,
)
from app.domain.audit import SERVER, Actor
from app.domain.audit_tags import Tag
from app.domain.connection_drafts import AUTHORIZATION_CODE, BY_KEY, Draft
from app.domain.connection_records import (
    CONSOLE,
    ENVIRONMENT,
    Connection,
    amend,
    columns,
    facts,
    forget,
    insert,
    not_found,
    open_members,
    write,
)
from app.extensions import db


class Remains(NamedTuple):
    """What is left at another server: the connection as it was, and its tokens, all sealed.

    Whoever ended it revokes the tokens and deletes the client there, after the commit.
    """

    connection: Connection | Row[Any]
    grants: list[Row[Any]]


def create(name: str, draft: Draft, sealing_key: bytes, *, by: Actor) -> Connection:
    """Hold a new login; raises InvalidMembers with all faults, Conflict for a taken name."""
    named = {} if connection_drafts.is_name(name) else {"name": connection_drafts.NAME_SHAPE}
    connection_drafts.check(named | connection_drafts.faults(draft))
    row_id = credentials.new_id()
    sealed = connection_secrets.seals(row_id, draft, sealing_key)
    row = insert(row_id, name, draft, CONSOLE, by=by, **sealed)
    if row is None:
        raise errors.Conflict("There is a connection of this name already; choose another name.")
    return row


def change(
    row: Connection,
    *,
    by: Actor,
    scope: str,
    resource: str,
    expiry_buffer_seconds: int,
    description: str,
) -> None:
    """Change what is asked for; a secret never moves to another server or client_id."""
    check_own(row)
    check_login(row)
    edit(
        row,
        write,
        by=by,
        scope=scope,
        resource=resource,
        expiry_buffer_seconds=expiry_buffer_seconds,
        description=description,
    )


def edit(row: Connection, save: Callable[..., None], *, by: Actor, **members: str | int) -> None:
    """Save what is asked for from now on; raises InvalidMembers with all faults."""
    before = facts(row)
    draft = Draft(**before | members)
    connection_drafts.check(dict(connection_drafts.malformed(draft)))
    save(row, **members)
    record_changes(row, before, facts(row), by=by)


def record_changes(
    row: Connection, before: Mapping[str, Any], after: Mapping[str, Any], *, by: Actor
) -> None:
    """Record what differs from before."""
    changes = audit.changes(before, after)
    audit.record(Tag.CONNECTION_CHANGED, row.id, by=by, name=row.name, **changes)


def rotate_secret(row: Connection, secret: str, sealing_key: bytes, *, by: Actor) -> None:
    """Prove the login with a new client secret, or a new private key for private_key_jwt."""
    check_own(row)
    member = "private_key" if row.auth_method == BY_KEY else "client_secret"
    draft = Draft(**facts(row) | {member: secret})
    missing = {} if secret else {member: connection_drafts.NEEDED}
    connection_drafts.check(missing | dict(connection_drafts.malformed(draft)))
    save = amend if row.kind == AUTHORIZATION_CODE else write  # people's tokens go on
    save(row, **connection_secrets.seals(row.id, draft, sealing_key))
    audit.record(Tag.CONNECTION_SECRET_ROTATED, row.id, by=by, name=row.name)


def remove(row: Connection, *, by: Actor) -> Remains:
    """Forget a login, its secret and all its tokens; return what is left at the other server."""
    check_own(row)
    amend(row)  # its row is the lock: whoever keeps tokens has kept them by now, or cannot
    grants = connection_grants.forget_of_connection(row.id, "connection deleted", by=by)
    return Remains(forget(row, by=by), grants)


def remains(left: Iterable[Row[Any]]) -> list[Remains]:
    """Return what is left of grants at other servers, for each connection."""
    grants = list(left)
    held = {grant.connection_id for grant in grants}
    query = select(*Connection.__table__.c).where(Connection.id.in_(held))
    return [
        Remains(row, [grant for grant in grants if grant.connection_id == row.id])
        for row in db.session.execute(query)
    ]


def note_test(row: Connection, failure: str, *, by: Actor) -> None:
    """Record that somebody tried a login; ``failure`` is empty when it worked."""
    audit.record(Tag.CONNECTION_TESTED, row.id, by=by, name=row.name, failure=failure)


def note_issue(connection_id: str, name: str, owner: str, *, by: Actor) -> None:
    """Record that a client of ours got a token of an owner."""
    audit.record(Tag.CONNECTION_TOKEN_ISSUED, connection_id, by=by, name=name, owner=owner)


def note_use(connection_id: str, token_expires_at: int | None) -> None:
    """Note that a token was got, and when it ends if that was said."""
    db.session.execute(
        update(Connection)
        .where(Connection.id == connection_id)
        .values(last_used_at=clock.epoch(), token_expires_at=token_expires_at)
    )


def adopt(environment: Mapping[str, Draft]) -> None:
    """Keep a row for each connection of the settings, without its secret, and no other such row.

    Raises Conflict for a name that ``taken`` returns.
    """
    rows = {row.name: row for row in find_all() if row.source == ENVIRONMENT}
    for name in rows.keys() - environment.keys():
        forget(rows[name], by=SERVER)
    for name, draft in environment.items():
        if name in rows:
            follow(rows[name], draft)
        elif insert(credentials.new_id(), name, draft, ENVIRONMENT, by=SERVER) is None:
            raise errors.Conflict("A connection of the environment has a name that is taken.")


def taken(names: Iterable[str]) -> list[str]:
    """Return which of some names are those of connections that people made."""
    wanted = set(names)
    return [row.name for row in find_all() if row.source == CONSOLE and row.name in wanted]


def follow(row: Connection, draft: Draft) -> None:
    """Bring the row of a connection of the settings up to date."""
    before = facts(row)
    if before == open_members(draft):
        return
    write(row, **columns(draft))
    record_changes(row, before, facts(row), by=SERVER)


def find_all() -> list[Connection]:
    """Return all connections in alphabetical order."""
    return list(db.session.scalars(select(Connection).order_by(Connection.name)))


def get(name: str) -> Connection:
    """Return one connection; raises NotFound."""
    query = select(Connection).where(Connection.name == name)
    row = db.session.scalar(query) if connection_drafts.is_name(name) else None
    if row is None:
        raise not_found()
    return row


def get_by_id(connection_id: str) -> Connection:
    """Return one connection by its identifier; raises NotFound."""
    row = None if "\0" in connection_id else db.session.get(Connection, connection_id)
    if row is None:
        raise errors.NotFound("There is no connection with this identifier.")
    return row


def check_own(row: Connection) -> None:
    """Refuse to change what the settings say."""
    if row.source == ENVIRONMENT:
        raise errors.Conflict("This connection is set in the environment; change it there.")


def check_login(row: Connection) -> None:
    """Refuse to change what people authorize in the way of a login of this server."""
    if row.kind == AUTHORIZATION_CODE:
        raise errors.Conflict(
            "People authorize this connection for what its URL names, so its resource stays; change"
            " its scope, buffer or description alone."
        )
