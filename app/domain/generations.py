"""Owns the generation counters that tell every process when its cached records are stale.

Clients and signing keys are cached in each process. A verb that changes them raises the counter
in the same transaction; a hot verb reads all counters with one cheap statement and drops what is
older. So a change takes effect on every node with the next request.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import BigInteger, String, update
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, db, fetch_row

Name = Literal["clients", "keys"]
Key = TypeVar("Key")
Value = TypeVar("Value")


class Generation(Base):
    """One counter."""

    __tablename__ = "generations"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0)


READ = (
    "SELECT (SELECT value FROM generations WHERE name = 'clients'),"
    " (SELECT value FROM generations WHERE name = 'keys')"
)


UNCHANGED = (
    "(SELECT count(*) FROM generations"
    " WHERE (name = 'clients' AND value = ?) OR (name = 'keys' AND value = ?)) = 2"
)
"""Condition of a statement that must not be run by stale records; its values are both counters."""


class Changed(Exception):
    """What was decided by cached records was not written, for these are stale."""


def read() -> dict[str, int]:
    """Return all counters; the migrations create them."""
    clients, keys = fetch_row(READ)
    return {"clients": clients, "keys": keys}


def bump(name: Name) -> None:
    """Raise a counter, in the transaction of the change it announces."""
    db.session.execute(
        update(Generation).where(Generation.name == name).values(value=Generation.value + 1)
    )


class Cache(Generic[Key, Value]):
    """Records of one process, at most ``size`` of them, valid for one generation."""

    def __init__(self, size: int) -> None:
        """Start empty."""
        self.size = size
        self.generation: Any = None
        self.records: dict[Key, Value] = {}
        self.lock = Lock()

    def get(self, key: Key, generation: Any, load: Callable[[Key], Value]) -> Value:
        """Return the record of this generation, loading it when it is not there.

        None is not kept, so that a record which appears needs no new generation.
        """
        if self.generation != generation:
            self.clear(generation)
        records = self.records
        if key in records:
            return records[key]
        value = load(key)
        with self.lock:
            if value is not None and self.generation == generation:
                if len(self.records) >= self.size:
                    self.records.pop(next(iter(self.records)))
                self.records[key] = value
        return value

    def clear(self, generation: Any) -> None:
        """Forget everything older than ``generation``."""
        with self.lock:
            self.generation, self.records = generation, {}
