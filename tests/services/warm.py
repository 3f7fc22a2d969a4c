"""Connections to PostgreSQL that one app after another uses, in this process.

A new one makes the server start a process, which reads the catalog anew: half of what it takes to
set up a test.
"""

from collections import defaultdict
from typing import Any, ClassVar

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event


class Warm(psycopg.Connection[Any]):
    """A connection that is put aside when an app closes it."""

    aside: ClassVar[dict[str, list["Warm"]]] = defaultdict(list)
    address = ""

    def close(self) -> None:
        """Put the connection aside with all that an app did and set undone, unless it is lost."""
        if self.can("ROLLBACK; RESET ALL"):
            self.aside[self.address].append(self)

    def can(self, statement: str) -> bool:
        """Tell whether the server is still there to run a statement; otherwise close for good."""
        try:
            self.pgconn.exec_(statement.encode())
            done = self.info.transaction_status == TransactionStatus.IDLE
        except psycopg.OperationalError:
            done = False
        if not done:
            super().close()
        return done


def connect(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> Any:
    """Return a connection that was put aside, or a new one; for SQLite, leave it to the driver."""
    if "host" not in named:
        return None
    address = f"{named['host']}/{named['dbname']}"  # engines convert values alike: all are an app's
    aside = Warm.aside[address]
    while aside:
        connection = aside.pop()
        if connection.can("SELECT"):
            return connection
    connection = Warm.connect(**named)
    connection.address = address
    return connection


def keep() -> None:
    """Let every engine of this process take its connections from those put aside."""
    event.listen(Engine, "do_connect", connect)


def pids() -> list[int]:
    """Return the processes of the server that wait for another app."""
    return [each.info.backend_pid for aside in Warm.aside.values() for each in aside]


def close_all() -> None:
    """Close what was put aside."""
    for aside in Warm.aside.values():
        while aside:
            psycopg.Connection.close(aside.pop())
