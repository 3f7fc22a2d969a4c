"""Processes of their own that keep the token of one login, each asked by many threads at once."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from threading import Barrier

from app.outbound.client import Outbound
from app.outbound.logins import Login
from app.outbound.shared_tokens import SharedTokens
from app.outbound.tokens import TokenManager

THREADS = 8
SEALING_KEY = b"k" * 32
held: dict[str, TokenManager] = {}
"""What the process has that imports this module."""


class AskingProcess:
    """One process; what it is told is done there in turn."""

    def __init__(self, token_url: str, redis_url: str) -> None:
        self.executor = ProcessPoolExecutor(1, get_context("spawn"), begin, (token_url, redis_url))

    def ask(self) -> "Future[set[str]]":
        """Let all threads want a token at once; gives the tokens that they got."""
        return self.executor.submit(found_by_threads)

    def advance(self, seconds: int) -> None:
        """Move the time of the process forward."""
        self.executor.submit(move, seconds).result()

    def close(self) -> None:
        """End the process."""
        self.executor.shutdown()


def begin(token_url: str, redis_url: str) -> None:
    """Hold the login."""
    shared = SharedTokens(redis_url, SEALING_KEY)
    held["manager"] = TokenManager(Outbound("Gatewright"), Login(token_url, "us", "s"), shared)


def found_by_threads() -> set[str]:
    """Return what the threads get that ask at the same moment."""
    ready = Barrier(THREADS)

    def ask(_: int) -> str:
        ready.wait()
        return held["manager"].token()

    with ThreadPoolExecutor(THREADS) as threads:
        return set(threads.map(ask, range(THREADS)))


def move(seconds: int) -> None:
    """Let the clock of this process go ahead."""
    time.time = ahead(time.time, seconds)


def ahead(read: Callable[[], float], seconds: int) -> Callable[[], float]:
    """Return a clock that goes before another one."""
    return lambda: read() + seconds
