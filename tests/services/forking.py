"""Forks servers from a process that has imported them, so that no start costs the imports anew."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.services.process import PR_SET_PDEATHSIG, libc, stop, wait_until_ready

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(
    ["app", "app.serve", "gunicorn.app.wsgiapp", "gunicorn.workers.gthread"]
)


class Forked:
    """A forked program, to be used as a ``Popen``; ``log`` is the file with what it printed."""

    def __init__(self, args: Sequence[str], process: BaseProcess, log: Path) -> None:
        self.args, self.process, self.log = args, process, log
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def poll(self) -> int | None:
        return self.process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.process.kill()

    def wait(self, seconds: float) -> None:
        self.process.join(seconds)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, seconds)


@contextmanager
def forked(
    args: Sequence[str],
    ready: Callable[[], bool],
    *,
    env: Mapping[str, str],
    cwd: Path,
    seconds: float = 30,
) -> Iterator[Forked]:
    """Run gunicorn while the block lasts, with nothing but ``env`` in its environment."""
    with tempfile.NamedTemporaryFile(prefix="gatewright-", suffix=".log") as log:
        process = FORKING.Process(target=run, args=(args, dict(env), cwd, log.name))
        process.start()
        server = Forked(args, process, Path(log.name))
        try:
            wait_until_ready(server, ready, seconds)
            yield server
        finally:
            stop(server, signal.SIGTERM)


def run(args: Sequence[str], env: Mapping[str, str], cwd: Path, log: str) -> None:
    """Become gunicorn; the kernel ends it when the process it was forked from dies."""
    from gunicorn.app import wsgiapp

    libc and libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    said, nothing = os.open(log, os.O_WRONLY | os.O_APPEND), os.open(os.devnull, os.O_RDONLY)
    for descriptor, source in ((0, nothing), (1, said), (2, said)):
        os.dup2(source, descriptor)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["gunicorn", *args]
    wsgiapp.run()
