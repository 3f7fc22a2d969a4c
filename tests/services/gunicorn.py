"""The server as people run it: gunicorn in a process of its own, on a free loopback port."""

import http.client
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.forking import Forked, forked
from tests.services.process import free_port

ROOT = Path(__file__).parents[2]
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, its process, and the file with what it printed."""

    base_url: str
    process: Forked
    log: Path


@contextmanager
def running_server(
    settings_env: Mapping[str, str],
    workers: int = 1,
    threads: int = 8,
    port: int | None = None,
    application: str = "wsgi:app",
) -> Iterator[Server]:
    """Serve an application while the block lasts, with exactly these settings in the environment.

    The issuer is the server's own address unless ``GATEWRIGHT_ISSUER`` names another one.
    """
    port = port or free_port()
    base_url = f"http://127.0.0.1:{port}"
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    env = inherited | {"GATEWRIGHT_ISSUER": base_url} | dict(settings_env)
    command = [application, "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads)]
    command += ["--no-control-socket", "--graceful-timeout", "5"]
    with forked(command, ready=lambda: answers(port), env=env, cwd=ROOT) as process:
        yield Server(base_url, process, process.log)


def answers(port: int) -> bool:
    """Tell whether the server answers HTTP; any status counts."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status > 0
    except OSError:
        return False
    finally:
        connection.close()
