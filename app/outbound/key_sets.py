"""Owns the public keys that others publish: fetched, checked and kept for a few minutes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app import clock
from app.domain import client_keys, errors
from app.outbound import json_answers
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError, Reason
from app.outbound.limits import OneByOne

AT_ONCE = 4
"""So many threads may be busy with keys; a host that hangs holds no more."""
SECONDS = 5
"""For the whole of one fetch."""
WAIT_SECONDS = 6
"""For whoever has the same URI in hand."""
KEPT_SECONDS = 600
"""Keys are used for so long; one that was withdrawn ends with it."""
UNKNOWN_SECONDS = 60
"""An unknown key has the keys fetched again, not more often than this."""
FAILED_SECONDS = 10
"""After a failure nobody asks again so soon."""
KEYS = 50
"""So many keys of one set are looked at."""
KEPT = 200
"""So many URIs are remembered at most."""

Key = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fetched:
    """The keys that were had last, and what came of the last attempt."""

    keys: tuple[Key, ...]
    until: int
    """The keys are used before this moment."""
    asked_at: int
    failure: Reason | None = None

    def is_due(self, kid: str | None, now: int) -> bool:
        """Tell whether the keys have to be fetched before a key is looked for."""
        if now >= self.until:
            return self.failure is None or now >= self.asked_at + FAILED_SECONDS
        unknown = kid is not None and not matching(self.keys, kid)
        return unknown and now >= self.asked_at + UNKNOWN_SECONDS


class KeySets(OneByOne):
    """The key sets that one process fetches, of anybody who names a ``jwks_uri``."""

    def __init__(self, outbound: Outbound, at_once: int = AT_ONCE) -> None:
        """Fetch nothing yet."""
        super().__init__(at_once, WAIT_SECONDS)
        self.outbound = outbound
        self.fetched: dict[str, Fetched] = {}

    def find(self, uri: str, kid: str | None = None) -> tuple[Key, ...]:
        """Return the checked public keys at a URI that have this ``kid`` or none.

        All of them when no ``kid`` is named. Raises OutboundError when they cannot be had; whoever
        calls has no transaction open.
        """
        found = self.fetched.get(uri)
        if found is None or found.is_due(kid, clock.epoch()):
            with self.turn(uri):
                found = self.fetched.get(uri)
                if found is None or found.is_due(kid, clock.epoch()):
                    found = self._renew(uri, found)
        if found.failure is not None and clock.epoch() >= found.until:
            raise OutboundError(found.failure)
        return matching(found.keys, kid)

    def _renew(self, uri: str, last: Fetched | None) -> Fetched:
        """Fetch the keys; those of before go on to their end when that fails.

        That this process was only too busy is not remembered.
        """
        now = clock.epoch()
        try:
            answer = self.outbound.stranger(uri, seconds=SECONDS)
            keys = usable(json_answers.read_document(answer).get("keys"))
            found = Fetched(keys, now + KEPT_SECONDS, now)
        except OutboundError as error:
            if error.reason == "busy":
                raise
            kept = last or Fetched((), 0, now)
            found = Fetched(kept.keys, kept.until, now, error.reason)
        with self.lock:
            self.fetched.pop(uri, None)
            while len(self.fetched) >= KEPT:
                self.fetched.pop(next(iter(self.fetched)))
            self.fetched[uri] = found
        return found


def matching(keys: Iterable[Key], kid: str | None) -> tuple[Key, ...]:
    """Return the keys that a signature with this ``kid`` may be checked with."""
    return tuple(key for key in keys if kid is None or key.get("kid", kid) == kid)


def usable(listed: object) -> tuple[Key, ...]:
    """Return the public keys of a set that we understand; raises OutboundError for no set.

    Others are skipped (RFC 7517 section 5), and so are private ones, which everybody has by now.
    """
    if not isinstance(listed, list) or len(listed) > KEYS:
        raise OutboundError("answer")
    found = []
    for each in listed:
        try:
            found.append(client_keys.public_key(each))
        except errors.Refusal:
            continue
    return tuple(found)
