"""Owns jobs: work that a change causes, kept in its transaction and done at least once."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app import clock
from app.domain import credentials
from app.extensions import Base, JSONValue, db

LEASE_SECONDS = 60
"""Who took a job and says nothing for so long is dead, and another process takes it."""
FIRST_PAUSE_SECONDS = 10
LONGEST_PAUSE_SECONDS = 6 * 3600
GIVE_UP_SECONDS = 86400
"""A job that has failed for so long is dead until somebody revives it."""


class Job(Base):
    """One piece of work; ``state`` is ``waiting`` or ``dead``, what is done is deleted."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_due", "state", "run_at"),
        Index("ix_jobs_order", "queue", "topic", "id"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    kind: Mapped[str] = mapped_column(String(40))
    queue: Mapped[str] = mapped_column(String(64))
    """Of the jobs of a queue one is done at a time, so that a slow receiver delays only itself."""
    topic: Mapped[str] = mapped_column(String(2048))
    """The jobs of a topic are done in the order in which they were added."""
    payload: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int] = mapped_column(BigInteger)
    run_at: Mapped[int] = mapped_column(BigInteger)
    give_up_at: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(Integer)
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    lease: Mapped[str | None] = mapped_column(String(36))
    """The secret-free name of the one claim that may end this job."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that somebody does at this moment, as a plain value."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempts: int
    lease: str


def add(kind: str, payload: dict[str, Any], *, queue: str, topic: str) -> int:
    """Add a job to the transaction that causes it; return its key."""
    now = clock.epoch()
    row = Job(
        kind=kind,
        queue=queue,
        topic=topic,
        payload=payload,
        state="waiting",
        created_at=now,
        run_at=now,
        give_up_at=now + GIVE_UP_SECONDS,
        attempts=0,
    )
    db.session.add(row)
    db.session.flush()
    return int(row.id)


def claim(without: str = "") -> Claim | None:
    """Take the job that is due longest, of another kind than ``without``; of many one gets it.

    ``SKIP LOCKED`` lets PostgreSQL pass over rows that others take at this moment; SQLite has one
    writer anyway.
    """
    now = clock.epoch()
    free = or_(Job.lease_until.is_(None), Job.lease_until <= now)
    before, beside = aliased(Job), aliased(Job)
    earlier = select(before.id).where(
        before.queue == Job.queue,
        before.topic == Job.topic,
        before.state == "waiting",
        before.id < Job.id,
    )
    running = select(beside.id).where(
        beside.queue == Job.queue, beside.state == "waiting", beside.lease_until > now
    )
    due = (
        select(Job.id)
        .where(Job.state == "waiting", Job.run_at <= now, free)
        .where(~earlier.exists(), ~running.exists(), Job.kind != without)
        .order_by(Job.run_at, Job.id)
        .limit(1)
    )
    if db.session.scalar(due) is None:  # a look takes no lock
        return None
    lease = credentials.new_id()
    taken = db.session.execute(
        update(Job)
        .where(Job.id == due.correlate(None).with_for_update(skip_locked=True).scalar_subquery())
        .values(lease_until=now + LEASE_SECONDS, lease=lease, attempts=Job.attempts + 1)
        .returning(Job.id, Job.kind, Job.payload, Job.attempts)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        return None
    return Claim(taken.id, taken.kind, taken.payload, taken.attempts, lease)


def finish(claim: Claim) -> str:
    """Remove a job that is done and return ``done``; empty when its lease ran out meanwhile."""
    done = db.session.execute(
        delete(Job)
        .where(Job.id == claim.id, Job.lease == claim.lease)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    ).first()
    return "" if done is None else "done"


def fail(claim: Claim, *, final: bool = False) -> str:
    """Let a job be tried again later, or give it up; return its state, empty when it is not ours.

    The pauses begin at ten seconds and triple up to six hours, each a little shorter or longer so
    that what failed together does not come back together. What is final is given up at once.
    """
    row = db.session.scalar(select(Job).where(Job.id == claim.id, Job.lease == claim.lease))
    if row is None:
        return ""
    run_at = clock.epoch() + pause_after(claim.attempts, claim.id)
    state = "dead" if final or run_at > row.give_up_at else "waiting"
    row.state, row.run_at, row.lease, row.lease_until = state, run_at, None, None
    db.session.flush()
    return state


def pause_after(attempts: int, job_id: int) -> int:
    """Return how many seconds a job waits after so many attempts."""
    longer: int = FIRST_PAUSE_SECONDS * 3 ** min(attempts - 1, 10)
    return min(longer, LONGEST_PAUSE_SECONDS) * (95 + job_id % 11) // 100 + 1


def remove(queue: str) -> None:
    """Remove all jobs of a queue that is no more."""
    db.session.execute(delete(Job).where(Job.queue == queue))


def revive(job_id: int) -> bool:
    """Try a dead job again from now on; False when it is not dead, or gone."""
    now = clock.epoch()
    fresh = {"state": "waiting", "run_at": now, "give_up_at": now + GIVE_UP_SECONDS, "attempts": 0}
    revived = db.session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state == "dead")
        .values(fresh)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    ).first()
    return revived is not None


def count_waiting(queue: str, limit: int) -> int:
    """Return how many jobs of a queue wait, counting no further than ``limit``."""
    found = select(Job.id).where(Job.queue == queue, Job.state == "waiting").limit(limit)
    return int(db.session.scalar(select(func.count()).select_from(found.subquery())) or 0)


def counts() -> Counter[tuple[str, str]]:
    """Return how many jobs of each queue and state there are."""
    columns = (Job.queue, Job.state)
    found = db.session.execute(select(*columns, func.count()).group_by(*columns)).all()
    return Counter({(queue, state): number for queue, state, number in found})


def has(state: str) -> bool:
    """Tell whether any job is ``waiting`` or ``dead``."""
    return db.session.scalar(select(Job.id).where(Job.state == state).limit(1)) is not None
