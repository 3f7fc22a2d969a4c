"""Owns the fetching of client ID metadata documents: one at a time for a URL, few at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app import clock
from app.outbound import json_answers
from app.outbound.client import Answer, Outbound
from app.outbound.errors import OutboundError, Reason
from app.outbound.limits import OneByOne

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


class Documents(OneByOne):
    """The documents that one process fetches."""

    def __init__(self, outbound: Outbound, maximum_bytes: int, at_once: int = AT_ONCE) -> None:
        """Fetch nothing yet."""
        super().__init__(at_once, WAIT_SECONDS)
        self.outbound, self.maximum_bytes = outbound, maximum_bytes
        self.outcomes: dict[str, Outcome] = {}

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
        answer = self.outbound.stranger(url, seconds=SECONDS, maximum_bytes=self.maximum_bytes)
        return Document(json_answers.read_document(answer), max_age(answer))

    def _remember(self, url: str, outcome: Outcome) -> None:
        with self.lock:
            self.outcomes.pop(url, None)
            while len(self.outcomes) >= KEPT:
                self.outcomes.pop(next(iter(self.outcomes)))
            self.outcomes[url] = outcome


def max_age(answer: Answer) -> int | None:
    """Return for how many seconds an answer may be kept (RFC 9111 section 5.2.2)."""
    said = answer.headers.get("cache-control", "").lower()
    if _UNKEPT.search(said):
        return 0
    found = [int(seconds) for seconds in _MAX_AGE.findall(said)]
    return min(found) if found else None
