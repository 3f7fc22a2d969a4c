"""Owns the web server of ``gatewright serve``: gunicorn in this process, with our settings."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn import sock, systemd
from gunicorn.app.base import BaseApplication

from app import create_app
from app.config import ConfigurationError, Settings
from app.worker import Worker

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes a nameless file there
GRACEFUL_SECONDS = 20
"""How long running requests may take to end after SIGTERM."""
REQUESTS_OF_A_WORKER = 100_000
"""With several workers each is replaced after about so many requests."""


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no type information
    """Serves one application; each worker wires its own, because connections cannot be shared.

    Unlike the command ``gunicorn`` it imports nothing from the current folder.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        host: str,
        port: int,
        workers: int,
        threads: int,
        announce: Callable[[], None],
    ) -> None:
        """Remember what to serve; ``announce`` is called once the address is taken."""
        self.settings = settings
        self.options = options(address(host, port), workers, threads) | {
            "on_starting": check_address,
            "when_ready": lambda _arbiter: announce(),
        }
        super().__init__()

    def load_config(self) -> None:
        """Take our options; gunicorn calls this again at a reload."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Wire the application of a worker, which also does its share of the jobs."""
        app = create_app(self.settings)
        Worker(app).start()
        return app


def options(bind: str, workers: int, threads: int) -> dict[str, Any]:
    """Return gunicorn's settings."""
    scaled = REQUESTS_OF_A_WORKER if workers > 1 else 0
    return {
        "bind": bind,
        "worker_class": "gthread",
        "workers": workers,
        "threads": threads,
        "control_socket_disable": True,
        "graceful_timeout": GRACEFUL_SECONDS,
        "keepalive": 5,
        "limit_request_line": 8190,
        "loglevel": "warning",
        "max_requests": scaled,
        "max_requests_jitter": scaled // 10,
        "worker_tmp_dir": str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None,
    }


def address(host: str, port: int) -> str:
    """Write host and port; an IPv6 address needs brackets."""
    bare = host.strip("[]")
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


def check_address(arbiter: Any) -> None:
    """Raise ConfigurationError when the address cannot be taken, where gunicorn would retry.

    A server that inherits its socket, from systemd or from the server it replaces, takes none.
    """
    if arbiter.master_pid or systemd.listen_fds(unset_environment=False):
        return
    for host, port in arbiter.cfg.address:
        family = sock.TCP6Socket if ":" in host else sock.TCPSocket
        try:
            family((host, port), arbiter.cfg, arbiter.log).close()
        except OSError as error:
            raise ConfigurationError(
                [f"port {port} of {host} cannot be taken: {error.strerror}"]
            ) from None
