"""Owns what asking others may cost: the time of one request, and how many run at once."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from app.outbound.errors import OutboundError

AT_ONCE, AT_ONCE_OF_ONE_HOST = 16, 2


class Deadline:
    """One moment by which everything must be done, however many steps it takes."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left; raises TimeoutError when there are none."""
        seconds = self.end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def step(self, at_most: float = math.inf) -> float:
        """Return how long the next step may take; raises OutboundError when no time is left."""
        try:
            return min(at_most, self.left())
        except TimeoutError:
            raise OutboundError("timeout") from None

    def wait(self, seconds: float) -> bool:
        """Wait before the next attempt; False at once when the deadline is nearer."""
        in_time = self.end - time.monotonic() > seconds
        if in_time:
            pause(seconds)
        return in_time


def pause(seconds: float) -> None:
    """Wait before asking again; tests put something faster in its place."""
    time.sleep(seconds)


class Turns:
    """Counts what is under way for strangers; who finds no place is refused, never queued."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.hosts: Counter[str] = Counter()

    @contextmanager
    def taken(self, host: str) -> Iterator[None]:
        """Hold a place for a host; raises OutboundError when it or the process has none left."""
        with self.lock:
            if self.hosts.total() >= AT_ONCE or self.hosts[host] >= AT_ONCE_OF_ONE_HOST:
                raise OutboundError("busy")
            self.hosts[host] += 1
        try:
            yield
        finally:
            with self.lock:
                self.hosts -= Counter({host: 1})  # which also forgets hosts with none


class OneByOne:
    """Lets one thread at a time have a URL, and few at once have or await any."""

    def __init__(self, at_once: int, wait_seconds: float) -> None:
        self.places = BoundedSemaphore(at_once)
        self.wait_seconds = wait_seconds
        self.lock = Lock()
        self.turns: dict[str, tuple[Lock, int]] = {}

    @contextmanager
    def turn(self, url: str) -> Iterator[None]:
        """Have a URL to oneself, after whoever has it; raises OutboundError when that is too long.

        Who comes later finds what the earlier one did, and need not ask.
        """
        if not self.places.acquire(blocking=False):
            raise OutboundError("busy")
        try:
            with self._queued(url) as mine:
                if not mine.acquire(timeout=self.wait_seconds):
                    raise OutboundError("busy")
                try:
                    yield
                finally:
                    mine.release()
        finally:
            self.places.release()

    def is_in_hand(self, url: str) -> bool:
        """Tell whether somebody has a URL."""
        return url in self.turns

    @contextmanager
    def _queued(self, url: str) -> Iterator[Lock]:
        with self.lock:
            mine, waiting = self.turns.get(url, (Lock(), 0))
            self.turns[url] = mine, waiting + 1
        try:
            yield mine
        finally:
            with self.lock:
                _, waiting = self.turns.pop(url)
                if waiting > 1:
                    self.turns[url] = mine, waiting - 1
