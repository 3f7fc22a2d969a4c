"""Owns time: the only module that reads the clock."""

import time
from datetime import UTC, datetime


def epoch() -> int:
    """Return the current time in whole seconds since 1970-01-01 UTC."""
    return int(time.time())


def epoch_milliseconds() -> int:
    """Return the current time in whole milliseconds since 1970-01-01 UTC."""
    return int(time.time() * 1000)


def instant(at: int) -> str:
    """Write epoch seconds as an ISO instant in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
