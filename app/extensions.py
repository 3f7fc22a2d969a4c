"""Bare extension objects, and how SQLite is made to behave like PostgreSQL."""

import sqlite3
import threading
from functools import lru_cache
from typing import Any

import orjson
from flask_limiter import Limiter
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import JSON, Connection, MetaData, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import Pool

JSONValue = JSON().with_variant(JSONB(), "postgresql")
"""Column type of JSON values on both databases."""

READING = ("SELECT", "PRAGMA", "EXPLAIN")
CACHE_KIB = 256
"""Pages of SQLite that one connection keeps; each thread has one, the system keeps the file."""
LOST = (OperationalError, PoolTimeout)
"""What is raised when the database is away or too busy."""


class Base(DeclarativeBase):
    """Base of all tables; the naming convention lets Alembic name every constraint."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(
    model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False}
)
csrf = CSRFProtect()
limiter = Limiter(key_func=lambda: "")


def to_json(value: Any) -> str:
    """Serialise a JSON column."""
    return orjson.dumps(value).decode()


@event.listens_for(Engine, "connect")
def configure_sqlite(connection: Any, _record: Any) -> None:
    """Use the write-ahead log, enforce foreign keys and wait for the writer.

    The driver's own transactions are switched off: reads run in autocommit, as PostgreSQL's READ
    COMMITTED would show them, and ``begin_to_write`` opens the transaction.
    """
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"cache_size=-{CACHE_KIB}",
        f"busy_timeout={WAIT_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


WRITING = threading.Lock()
"""Held by the one thread of this process that writes to SQLite.

SQLite lets waiting writers sleep and poll; threads that queue here take turns without sleeping.
Other processes still meet at SQLite's own lock.
"""
WAIT_SECONDS = 5
"""How long a writer waits for the others of this process, and then for other processes."""


@event.listens_for(Engine, "before_cursor_execute")
def begin_to_write(connection: Connection, _cursor: Any, statement: str, *_unused: Any) -> None:
    """Take SQLite's write lock before the first write of a transaction.

    ``BEGIN IMMEDIATE`` waits for another writer; a transaction that read first and upgraded
    later would fail instead of waiting.
    """
    driver: Any = connection.connection.dbapi_connection
    if not isinstance(driver, sqlite3.Connection) or driver.in_transaction:
        return
    if statement.lstrip()[:7].upper().startswith(READING):
        return
    take_turn(connection.info)
    driver.execute("BEGIN IMMEDIATE")


def take_turn(info: dict[str, Any]) -> None:
    """Wait until no other thread writes; raises the driver's error when that takes too long."""
    if info.get("writing"):
        return
    if not WRITING.acquire(timeout=WAIT_SECONDS):
        raise sqlite3.OperationalError("database is locked")
    info["writing"] = True


@event.listens_for(Pool, "checkin")
def end_writing(_driver: Any, record: Any) -> None:
    """Let the next thread write once the connection is back in the pool."""
    if record.info.pop("writing", False):
        WRITING.release()


def commit() -> None:
    """Commit what the session did; a request that never used it has nothing to commit."""
    if db.session.registry.has():
        db.session.commit()


def fetch_row(statement: str, *values: Any) -> Any:
    """Return the first row of a SELECT, asked of the driver itself, outside the session.

    For the hot verbs alone: one checkout and one round trip. ``?`` marks the values on both
    databases. Raises what the session would raise.
    """
    engine = db.engine
    try:
        connection: Any = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(spelled(engine.dialect.name, statement), values)
            return cursor.fetchone()
        finally:
            connection.close()
    except engine.dialect.loaded_dbapi.Error as error:
        raise translated(engine, error) from error


def write_row(statement: str, *values: Any) -> int:
    """Run one writing statement as a transaction of its own, through the driver itself.

    Returns how many rows it wrote. Raises what the session would raise.
    """
    engine = db.engine
    try:
        connection: Any = engine.raw_connection()
        try:
            if engine.dialect.name == "sqlite":
                take_turn(connection.info)
            cursor = connection.cursor()
            cursor.execute(spelled(engine.dialect.name, statement), values)
            connection.commit()
            return int(cursor.rowcount)
        finally:
            connection.close()
    except engine.dialect.loaded_dbapi.Error as error:
        raise translated(engine, error) from error


def translated(engine: Engine, error: Exception) -> Exception:
    """Return SQLAlchemy's error for one of the driver, without the statement and its values."""
    dialect = engine.dialect
    return DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect)


@lru_cache(maxsize=64)
def spelled(dialect: str, statement: str) -> str:
    """Write the marks of the values as the driver of a database wants them."""
    return statement if dialect == "sqlite" else statement.replace("?", "%s")


def insert_once(table: Any, **values: Any) -> bool:
    """Insert a row unless its key is taken; tell whether it was inserted, in one statement."""
    dialect = db.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    result = db.session.execute(
        insert(table)
        .values(**values)
        .on_conflict_do_nothing()
        .returning(*table.__mapper__.primary_key)
    )
    return result.first() is not None


def engine_options(url: str) -> dict[str, Any]:
    """Return the engine options for a database URL."""
    options: dict[str, Any] = {
        "json_serializer": to_json,
        "json_deserializer": orjson.loads,
        "hide_parameters": True,  # a trace of a failed statement must not show its values
        "pool_size": 16,
        "max_overflow": 16,
        "pool_timeout": 10,
    }
    return options if url.startswith("sqlite") else options | {"pool_pre_ping": True}
