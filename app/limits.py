"""Owns rate limits: Flask-Limiter's storage and strategy, counted where a door knows the key."""

import math
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
SENTENCE = "Too many requests from this address; wait a moment and try again."
SHARE_WITHOUT_REDIS = 4
"""Without Redis each process counts alone and allows only this part of a limit."""


def storage_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the limiter's storage: a Redis that hangs is lost soon."""
    if not settings.redis_url.get_secret_value():
        return {"wrap_exceptions": True}
    return {"wrap_exceptions": True, "socket_timeout": 0.5, "socket_connect_timeout": 0.5}


def init_app(app: Flask) -> None:
    """Give the application a limiter of its own for when Redis is away.

    Flask-Limiter's own hooks look for decorated views before every request; there are none,
    because doors count where they know the key, so the hooks are taken out of the hot path.
    """
    app.extensions["gatewright.local_limits"] = FixedWindowRateLimiter(MemoryStorage())
    for hooks in (app.before_request_funcs, app.after_request_funcs):
        functions: list[Any] = hooks.get(None, [])
        functions[:] = [hook for hook in functions if not belongs_to_limiter(hook)]


def belongs_to_limiter(hook: object) -> bool:
    """Tell whether a hook is a method of Flask-Limiter or a partial over it."""
    return limiter in (getattr(hook, "__self__", None), *getattr(hook, "args", ()))


@lru_cache(maxsize=64)
def parsed(limit: str) -> RateLimitItem:
    """Parse a limit such as ``5 per minute`` once."""
    return parse(limit)


def spend(limit: str, *keys: str, sentence: str = SENTENCE) -> None:
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
        left = stats.reset_time - clock.epoch_milliseconds() / 1000
        raise errors.TooManyRequests(sentence, retry_after=max(1, math.ceil(left)), limit=limit)


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
