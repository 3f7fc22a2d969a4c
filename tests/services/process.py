"""Starts a program, waits until it is ready and ends it by its pid, whatever happens to us."""

import ctypes
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def free_port() -> int:
    """Return a loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port: int) -> bool:
    """Tell whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def started(
    command: Sequence[str | Path],
    ready: Callable[[], bool],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    seconds: float = 30,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program while the block lasts; ``process.log`` is the file with what it printed.

    The kernel sends it ``stop_signal`` if we die first, so that no test run leaves it behind.
    Start it from the main thread: the kernel counts the end of the starting thread as our death.
    """
    with tempfile.NamedTemporaryFile(prefix="gatewright-", suffix=".log") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            user=user,
            extra_groups=[] if user else None,
            preexec_fn=lambda: libc and libc.prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0),
        )
        process.log = Path(log.name)
        try:
            wait_until_ready(process, ready, seconds)
            yield process
        finally:
            stop(process, stop_signal)


def wait_until_ready(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], seconds: float
) -> None:
    """Return when the program is ready; raise with its output when it ends or never is."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            said = process.log.read_text(errors="replace")[-4000:]
            raise RuntimeError(f"{process.args} is not ready, exit {process.returncode}:\n{said}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    """Ask the program to end; end it after ten seconds."""
    if process.poll() is None:
        process.send_signal(stop_signal)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
