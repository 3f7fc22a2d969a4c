"""Owns rate limits: Flask-Limiter's storage and strategy, counted where a door knows the key."""

from functools import lru_cache
from typing import Any

import structlog
from flask import Flask, current_app
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app import clock
from app.config import Settings
from app.domain import errors
from app.extensions import limiter

log = structlog.get_logger()
SENTENCE = "Too many requests; wait for the seconds that the Retry-After header names."
SHARE_WITHOUT_REDIS = 4
"""Without Redis each process counts alone and allows only this part of a limit."""


def storage_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the limiter's storage: a Redis that hangs is lost soon."""
    if not settings.redis_url.get_secret_value():
        return {"wrap_exceptions": True}
    return {"wrap_exceptions": True, "socket_timeout": 0.5, "socket_connect_timeout": 0.5}


def init_app(app: Flask) -> None:
    """Give the application a limiter of its own for when Redis is away."""
    app.extensions["gatewright.local_limits"] = FixedWindowRateLimiter(MemoryStorage())


@lru_cache(maxsize=64)
def parsed(limit: str) -> RateLimitItem:
    """Parse a limit such as ``5 per minute`` once."""
    return parse(limit)


def spend(limit: str, *keys: str) -> None:
    """Count one request against a limit; raises TooManyRequests when it is used up.

    The loss of Redis never grants more: the process then counts alone, against a smaller limit.
    """
    if not current_app.config["RATELIMIT_ENABLED"]:
        return
    item = parsed(limit)
    strategy: Any = limiter.limiter
    try:
        allowed = strategy.hit(item, *keys)
    except StorageError:
        log.warning("rate_limit_storage_lost")
        strategy = current_app.extensions["gatewright.local_limits"]
        item = smaller(limit)
        allowed = strategy.hit(item, *keys)
    if not allowed:
        stats: Any = strategy.get_window_stats(item, *keys)
        wait = max(1, int(stats.reset_time) - clock.epoch())
        raise errors.TooManyRequests(SENTENCE, retry_after=wait, limit=limit)


@lru_cache(maxsize=64)
def smaller(limit: str) -> RateLimitItem:
    """Return the share of a limit that one process allows when Redis is away."""
    whole = parse(limit)
    share = max(1, whole.amount // SHARE_WITHOUT_REDIS)
    return type(whole)(share, whole.multiples)


def local_budget(limit: str, *keys: str) -> bool:
    """Count something in this process alone; tell whether it is within the limit."""
    local: FixedWindowRateLimiter = current_app.extensions["gatewright.local_limits"]
    return local.hit(parsed(limit), *keys)
