"""One copy of a migrated PostgreSQL database that tests use one after another, emptied between."""

from collections.abc import Iterable
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.services import warm
from tests.services.postgres import Postgres

OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL(%s)
"""
SHAPE = """
SELECT string_agg(relname || '.' || attname || ' ' || atttypid, ',' ORDER BY relname, attnum)
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0
"""
VERSION = "SELECT string_agg(version_num, ',') FROM alembic_version"
TABLES = """
SELECT tablename FROM pg_tables
WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY tablename
"""
EMPTY = """
DO $$
DECLARE name text;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
  LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
  PERFORM setval(oid::regclass, 1, false) FROM pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$
"""


class Copy:
    """A database like its template; making one takes fifty times as long as emptying it.

    A test that changes tables or leaves another version behind costs the next one a new copy. One
    connection stays open, because what it has learned of the tables is most of the work, and rows
    are deleted one by one, because there are few: TRUNCATE makes new files.
    """

    def __init__(self, server: Postgres, template: str) -> None:
        self.server, self.template = server, template
        self.name = f"test_{uuid4().hex}"
        self.shape: tuple[object, ...] = ()
        self.rows: dict[str, bytes] = {}
        self.connection: psycopg.Connection | None = None

    def fresh(self) -> str:
        """Return the URL of the database, holding what its template holds."""
        if not (self.shape and self.emptied()):
            self.close()
            self.server.drop(self.name)
            self.server.create(self.name, self.template)
            self.connection = self.connected()
            self.shape = shape(self.connection)
            self.rows = contents(self.connection)
        return self.server.url(self.name)

    def emptied(self) -> bool:
        """Put the rows of the template back; tell whether the tables are still the same."""
        self.end_others(but=warm.pids())
        if shape(self.connection) != self.shape:
            return False
        self.connection.execute(EMPTY)
        for table, rows in self.rows.items():
            with self.connection.cursor().copy(named("COPY {} FROM STDIN", table)) as copy:
                copy.write(rows)
        return True

    def close(self) -> None:
        """Close all connections of this process that nobody uses."""
        if self.connection is not None:
            self.connection.close()
        warm.close_all()

    def end_others(self, but: Iterable[int] = ()) -> None:
        """End the connections of others, but for some processes of the server."""
        self.connection.execute(OTHERS, [list(but)])

    def connected(self) -> psycopg.Connection:
        """Return a connection whose statements are committed one by one."""
        return psycopg.connect(
            host=str(self.server.folder), user="postgres", dbname=self.name, autocommit=True
        )


def shape(connection: psycopg.Connection) -> tuple[object, ...]:
    """Return what tells whether the tables are those of the template."""
    columns = connection.execute(SHAPE).fetchone()
    known = "alembic_version." in str(columns)
    return (columns, connection.execute(VERSION).fetchone() if known else None)


def contents(connection: psycopg.Connection) -> dict[str, bytes]:
    """Return the rows that migrations make, by table."""
    found = {}
    for (table,) in connection.execute(TABLES).fetchall():
        with connection.cursor().copy(named("COPY {} TO STDOUT", table)) as copy:
            found[table] = b"".join(bytes(part) for part in copy)
    return {table: rows for table, rows in found.items() if rows}


def named(statement: str, table: str) -> sql.Composed:
    """Return a statement with the name of a table in it."""
    return sql.SQL(statement).format(sql.Identifier(table))
