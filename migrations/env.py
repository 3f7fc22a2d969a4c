"""Runs the migrations in one transaction, one process at a time, on either database."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy import Connection

LOCK = 7591
"""PostgreSQL's advisory lock that replicas starting together queue for."""


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Hold a transaction and the right to migrate; commit at the end."""
    if connection.dialect.name == "sqlite":
        with alone_on_sqlite(connection), connection.begin():
            yield
    else:
        with connection.begin():
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            yield


@contextmanager
def alone_on_sqlite(connection: Connection) -> Iterator[None]:
    """Take the write lock with foreign keys off, which SQLite allows outside a transaction only.

    SQLite alters a table by making it anew: with foreign keys enforced, dropping the old one
    would delete the rows that refer to it.
    """
    driver = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    driver.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        driver.rollback()
        driver.execute("PRAGMA foreign_keys=ON")


def check_references(connection: Connection) -> None:
    """Refuse to commit rows that refer to nothing."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration leaves dangling references: {broken[:5]}")


def migrate() -> None:
    """Bring the application's database to the wanted version."""
    extension = current_app.extensions["migrate"]
    with extension.db.engine.connect() as connection, alone(connection):
        context.configure(
            connection=connection,
            target_metadata=extension.db.metadata,
            transactional_ddl=True,
            **extension.configure_args,
        )
        context.run_migrations()
        check_references(connection)


if context.is_offline_mode():
    raise SystemExit("Migrations need the database: run them without --sql.")
migrate()
