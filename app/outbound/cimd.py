"""Owns the fetching of client ID metadata documents: one at a time for a URL, few at once."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Any

from app import clock
from app.outbound import json_answers
from app.outbound.client import Answer, Outbound
from app.outbound.errors import OutboundError, Reason

AT_ONCE = 4
"""Half the threads of a process may be busy with documents; a host that hangs holds no more."""
SECONDS = 5
"""For the whole of one fetch."""
WAIT_SECONDS = 15
"""For whoever has the same URL in hand: a fetch and what follows from it."""
RECENT_SECONDS = 60
"""What was fetched is not fetched again so soon, whatever becomes of it."""
FIRST_PAUSE_SECONDS = 5
"""After a failure; the pause doubles with each further failure, up to a minute."""
LONGEST_PAUSE_SECONDS = 60
KEPT = 200
"""So many URLs are remembered at most; with documents of 5 KB that is a megabyte."""

_MEDIA_TYPE = re.compile(r"application/(?:json|[a-z0-9!#$&^_.+-]+\+json)")
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?([0-9]{1,9})(?![0-9])")
_UNKEPT = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b")


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was fetched; ``max_age`` is None when its server does not say."""

    members: Mapping[str, Any]
    max_age: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a fetch, and until when nobody fetches again."""

    found: Document | Reason
    until: int
    pause: int = 0


class Documents:
    """The documents that one process fetches."""

    def __init__(self, outbound: Outbound, maximum_bytes: int, at_once: int = AT_ONCE) -> None:
        """Fetch nothing yet."""
        self.outbound, self.maximum_bytes = outbound, maximum_bytes
        self.places = BoundedSemaphore(at_once)
        self.lock = Lock()
        self.turns: dict[str, tuple[Lock, int]] = {}
        self.outcomes: dict[str, Outcome] = {}

    @contextmanager
    def turn(self, url: str) -> Iterator[None]:
        """Have a URL to oneself, after whoever has it; raises OutboundError when that is too long.

        Who comes later finds what the earlier one did, and need not fetch.
        """
        if not self.places.acquire(blocking=False):
            raise OutboundError("busy")
        try:
            with self._queued(url) as mine:
                if not mine.acquire(timeout=WAIT_SECONDS):
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

    def fetch(self, url: str) -> Document:
        """Return the document at a URL, or raise OutboundError; whoever calls has the turn.

        A failure is remembered for a moment, unless this process was only too busy.
        """
        outcome = self.outcomes.get(url)
        if outcome is None or outcome.until <= clock.epoch():
            try:
                outcome = Outcome(self._read(url), clock.epoch() + RECENT_SECONDS)
                self._remember(url, outcome)
            except OutboundError as error:
                if error.reason != "busy":
                    self.distrust(url, error.reason)
                raise
        if not isinstance(outcome.found, Document):
            raise OutboundError(outcome.found)
        return outcome.found

    def distrust(self, url: str, reason: Reason = "answer") -> None:
        """Treat what was fetched as a failure: it is no usable document."""
        last = self.outcomes.get(url)
        pause = min(2 * last.pause, LONGEST_PAUSE_SECONDS) if last else 0
        pause = pause or FIRST_PAUSE_SECONDS
        self._remember(url, Outcome(reason, clock.epoch() + pause, pause))

    def _read(self, url: str) -> Document:
        answer = self.outbound.stranger(
            url, accept="application/json", seconds=SECONDS, maximum_bytes=self.maximum_bytes
        )
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status != 200 or not _MEDIA_TYPE.fullmatch(media_type):
            raise OutboundError("answer")
        return Document(json_answers.read_object(answer.content), max_age(answer))

    def _remember(self, url: str, outcome: Outcome) -> None:
        with self.lock:
            self.outcomes.pop(url, None)
            while len(self.outcomes) >= KEPT:
                self.outcomes.pop(next(iter(self.outcomes)))
            self.outcomes[url] = outcome

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


def max_age(answer: Answer) -> int | None:
    """Return for how many seconds an answer may be kept (RFC 9111 section 5.2.2)."""
    said = answer.headers.get("cache-control", "").lower()
    if _UNKEPT.search(said):
        return 0
    found = [int(seconds) for seconds in _MAX_AGE.findall(said)]
    return min(found) if found else None
