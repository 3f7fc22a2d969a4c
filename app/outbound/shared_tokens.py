"""Owns access tokens that several processes share through Redis, sealed, one asking for all."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson
import structlog

from app import clock
from app.config import Settings
from app.domain import credentials
from app.outbound import limits

log = structlog.get_logger()
PREFIX = "gatewright:token:"
LONGEST_TURN_SECONDS = 15
"""Who asks for all and says nothing for so long has died; another process asks then."""
LOOK_SECONDS = 0.05
ANSWER_SECONDS = 0.5
"""A Redis that takes longer is lost, and each process asks for itself."""
DELETE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"


class Need(NamedTuple):
    """Since when somebody wants a token, and how long it has to live from now."""

    since: int
    life_seconds: int = 0


class Kept(NamedTuple):
    """A token, from when it is not used any more, when it expires, and when it was got."""

    value: str
    until: int
    expires_at: int
    got_at: int

    def meets(self, need: Need) -> bool:
        """Tell whether a token will do; one that was got since it was wanted always does.

        Nothing better can be had than such a one, however short it lives.
        """
        now = clock.epoch()
        lives = not need.life_seconds or now + need.life_seconds <= self.expires_at
        return self.got_at >= need.since or (now < self.until and lives)


class SharedTokens:
    """The tokens of all processes that share a Redis; without it every process is alone."""

    def __init__(self, url: str, sealing_key: bytes) -> None:
        """Connect to nothing yet."""
        from redis import Redis, RedisError  # a server without Redis need not hold its library

        timeouts: dict[str, Any] = {
            "socket_timeout": ANSWER_SECONDS,
            "socket_connect_timeout": ANSWER_SECONDS,
        }
        self.redis: Any = Redis.from_url(url, **timeouts)  # typed for both of its worlds
        self.loss: type[Exception] = RedisError
        self.key = sealing_key

    def find(self, name: str, need: Need) -> Kept | None:
        """Return the token of a login if it will do."""
        try:
            found = self._open(name, self.redis.get(PREFIX + name))
        except (self.loss, ValueError) as error:
            lost(error)
            return None
        return found if found is not None and found.meets(need) else None

    def keep(self, name: str, kept: Kept) -> None:
        """Give a token to all processes until it is not used any more."""
        sealed = credentials.seal(self.key, orjson.dumps([*kept]), name)
        try:
            self.redis.set(PREFIX + name, sealed, ex=max(kept.until - clock.epoch(), 1))
        except self.loss as error:
            lost(error)

    def drop(self, name: str, value: str) -> None:
        """Forget a token that was refused, unless another one has taken its place."""
        try:
            sealed = self.redis.get(PREFIX + name)
            found = self._open(name, sealed)
            if found is not None and found.value == value:
                self.redis.eval(DELETE, 1, PREFIX + name, sealed)
        except (self.loss, ValueError) as error:
            lost(error)

    def forget(self, name: str) -> None:
        """Forget the token of a login, and who is asking for it: others need not wait for that."""
        try:
            self.redis.delete(PREFIX + name, turn_of(name))
        except self.loss as error:
            lost(error)

    def _open(self, name: str, sealed: bytes | None) -> Kept | None:
        """Read what was kept; what another version of this server has kept is not there."""
        found = orjson.loads(credentials.unseal(self.key, sealed, name)) if sealed else []
        return Kept(*found) if len(found) == len(Kept._fields) else None

    @contextmanager
    def turn(self, name: str, seconds: float) -> Iterator[None]:
        """Let one process ask at a time; the others wait for it, but no longer than they may."""
        lock, mine = turn_of(name), credentials.new_id()
        taken = self._take(lock, mine, seconds)
        try:
            yield
        finally:
            if taken:
                self._release(lock, mine)

    def _take(self, lock: str, mine: str, seconds: float) -> bool:
        until = time.monotonic() + seconds
        try:
            while not self.redis.set(lock, mine, nx=True, ex=LONGEST_TURN_SECONDS):
                if time.monotonic() > until:
                    return False
                limits.pause(LOOK_SECONDS)
        except self.loss as error:
            lost(error)
            return False
        return True

    def _release(self, lock: str, mine: str) -> None:
        try:
            self.redis.eval(DELETE, 1, lock, mine)
        except self.loss as error:
            lost(error)


def turn_of(name: str) -> str:
    """Return the key that whoever asks for all holds."""
    return f"{PREFIX}{name}:turn"


def lost(error: Exception) -> None:
    """Log that a shared token cannot be had; its loss grants nothing and costs a request."""
    log.warning("shared_tokens_lost", kind=type(error).__name__)


def of_settings(settings: Settings, sealing_key: bytes) -> SharedTokens | None:
    """Return what processes share; None without Redis."""
    url = settings.redis_url.get_secret_value()
    return SharedTokens(url, sealing_key) if url else None
