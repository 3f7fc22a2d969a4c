"""Owns time: the only module that reads the clock."""

import time


def epoch() -> int:
    """Return the current time in whole seconds since 1970-01-01 UTC."""
    return int(time.time())


def epoch_milliseconds() -> int:
    """Return the current time in whole milliseconds since 1970-01-01 UTC."""
    return int(time.time() * 1000)
