"""What kill -9 leaves behind: no half grant, and everything that was acknowledged (F-07, F-08)."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.domain import credentials
from tests.races.cast import Cast
from tests.races.history import History, InvalidRun, Operation, check_definite
from tests.races.wire import Reply
from tests.services.gunicorn import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SEED = 20251
EACH = 100
CLIENTS = 3
PATIENCE_SECONDS = 30

HALF_DONE = {
    "a spent code without its grant": """
        SELECT count(*) FROM authorization_codes c LEFT JOIN grants g ON g.id = c.grant_id
        WHERE c.spent_at IS NOT NULL AND g.id IS NULL""",
    "a grant on a code that is not spent": """
        SELECT count(*) FROM authorization_codes WHERE spent_at IS NULL AND grant_id IS NOT NULL""",
    "a grant without its spent code": """
        SELECT count(*) FROM grants g LEFT JOIN authorization_codes c ON c.grant_id = g.id
        WHERE c.spent_at IS NULL""",
    "a refresh token without its grant": """
        SELECT count(*) FROM refresh_tokens t LEFT JOIN grants g ON g.id = t.grant_id
        WHERE g.id IS NULL""",
    "a grant without exactly one unspent refresh token": """
        SELECT count(*) FROM grants g WHERE 1 <> (
            SELECT count(*) FROM refresh_tokens t
            WHERE t.grant_id = g.id AND t.spent_at IS NULL)""",
    "a grant without exactly one record of its code": """
        SELECT count(*) FROM grants g WHERE 1 <> (
            SELECT count(*) FROM audit_events e
            WHERE e.subject = g.id AND e.tag = 'code.redeemed')""",
    "a refresh token that was spent without a record": """
        SELECT count(*) FROM grants g WHERE
            (SELECT count(*) FROM refresh_tokens t
             WHERE t.grant_id = g.id AND t.spent_at IS NOT NULL) <>
            (SELECT count(*) FROM audit_events e
             WHERE e.subject = g.id AND e.tag = 'token.refreshed')""",
}
"""Statements that count what only a half-done request could have left."""


@dataclass
class Load:
    """Clients that send every request once and wait while nobody listens."""

    cast: Cast
    base_url: str
    history: History
    jobs: SimpleQueue[tuple[str, str]] = field(default_factory=SimpleQueue)

    def call(self, name: str, key: str) -> Reply:
        """Send one request; try again only when the connection was refused: nothing was sent."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        verb = self.cast.machine.redeem if name == "redeem" else self.cast.machine.refresh
        while True:
            try:
                return verb(self.base_url, key)
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "the server does not come back"
                time.sleep(0.02)

    def work(self) -> None:
        """Send requests until there is no more to do."""
        while True:
            try:
                name, key = self.jobs.get_nowait()
            except Empty:
                return
            self.history.perform(name, key, partial(self.call, name, key))

    def wait_for(self, count: int) -> None:
        """Wait until so many requests have ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.history.operations) < count:
            assert time.monotonic() < deadline, self.history.summary()
            time.sleep(0.002)


def workers_of(server: Server) -> list[int]:
    """Return the processes that the master has started."""
    pid = server.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_worker(server: Server, chance: random.Random) -> None:
    """Kill one worker; the master starts another one."""
    os.kill(chance.choice(workers_of(server)), signal.SIGKILL)


def kill_everything(server: Server) -> None:
    """Kill the master and its workers."""
    workers = workers_of(server)
    server.process.kill()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    server.process.wait(10)


@pytest.fixture
def start(serve: Callable[..., Server], cast: Cast) -> Callable[[], Server]:
    """Return a function that starts the server at the issuer's address, with two workers."""
    issuer = cast.settings.issuer
    port = urlsplit(issuer).port
    return lambda: serve(workers=2, port=port, issuer=issuer, refresh_grace_seconds=30)


@pytest.fixture
def after_crashes(cast: Cast, start: Callable[[], Server], history: History) -> Load:
    """Return what 200 token requests saw while workers, and once the whole server, were killed."""
    chance = random.Random(SEED)
    jobs = [("redeem", code) for code in cast.codes(EACH)]
    jobs += [("refresh", token) for token in cast.refresh_tokens(EACH)]
    chance.shuffle(jobs)
    load = Load(cast, cast.settings.issuer, history)
    for job in jobs:
        load.jobs.put(job)
    server = start()
    threads = [Thread(target=load.work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for count, kill in ((50, "worker"), (100, "everything"), (150, "worker")):
        load.wait_for(count)
        time.sleep(chance.uniform(0, 0.05))
        if kill == "worker":
            kill_worker(server, chance)
        else:
            kill_everything(server)
            server = start()
    for thread in threads:
        thread.join()
    assert len(history.operations) == 2 * EACH, f"seed {SEED}: {history.summary()}"
    check_definite(history.operations)
    if all(each.outcome != "unknown" for each in history.operations):
        raise InvalidRun(f"nothing was under way when the server was killed: {history.summary()}")
    return load


def acknowledged(load: Load) -> list[Operation]:
    """Return the operations that were answered with tokens."""
    return [each for each in load.history.operations if each.outcome == "ok"]


def rows_of(load: Load, operation: Operation) -> list[tuple[Any, ...]]:
    """Return whether what was used is spent, and whether what was given is there and alive."""
    table, column = {
        "redeem": ("authorization_codes", "code_digest"),
        "refresh": ("refresh_tokens", "token_digest"),
    }[operation.name]
    return load.cast.rows(
        f"SELECT used.spent_at IS NOT NULL, given.spent_at IS NULL, g.revoked_at IS NULL"
        f" FROM {table} used JOIN grants g ON g.id = used.grant_id"
        f" JOIN refresh_tokens given ON given.grant_id = g.id"
        f" WHERE used.{column} = :used AND given.token_digest = :given",
        used=credentials.digest(operation.key),
        given=credentials.digest(operation.result.body["refresh_token"]),
    )


def test_kill_9_leaves_no_half_grant_and_every_acknowledged_write(
    after_crashes: Load, subtests: pytest.Subtests
) -> None:
    """F-07, F-08, and the third promise of the design."""
    with subtests.test("what is stored"):
        check_stored(after_crashes)
    with subtests.test("what was given works, what is uncertain is usable or spent"):
        check_usable(after_crashes)


def check_stored(load: Load) -> None:
    """Demand that nothing is half done, and that what was acknowledged is there."""
    cast = load.cast

    found = {what: cast.column(statement)[0] for what, statement in HALF_DONE.items()}
    assert found == dict.fromkeys(HALF_DONE, 0), load.history.summary()

    for operation in acknowledged(load):
        assert rows_of(load, operation) == [(True, True, True)], operation
    assert not [each for each in load.history.operations if each.outcome == "fail"]

    if cast.settings.sqlalchemy_url.startswith("sqlite"):
        assert cast.column("PRAGMA integrity_check") == ["ok"]
        assert cast.column("PRAGMA foreign_key_check") == []


def check_usable(load: Load) -> None:
    """Use what was given, and send again what was never answered: usable, or spent and ended."""
    machine = load.cast.machine

    for operation in acknowledged(load):
        token = operation.result.body["access_token"]
        assert machine.introspect(load.base_url, token).body["active"] is True, operation

    for operation in load.history.operations:
        if operation.outcome == "unknown":
            check_uncertain(load, operation)


def check_uncertain(load: Load, operation: Operation) -> None:
    """Send a request again that was never answered, and expect one of the two outcomes."""
    cast = load.cast
    again = load.call(operation.name, operation.key)
    if operation.name == "refresh":
        assert again.status == 200, again.text  # unspent, or within the grace
        return
    ended = cast.column(
        "SELECT g.revoked_at IS NOT NULL FROM authorization_codes c"
        " JOIN grants g ON g.id = c.grant_id WHERE c.code_digest = :digest",
        digest=credentials.digest(operation.key),
    )
    assert (again.status, ended) in ((200, [False]), (400, [True])), again.text
