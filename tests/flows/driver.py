"""A program in Node that is told what to do by lines of JSON, and answers so."""

import json
import queue
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from tests.services import node
from tests.services.process import stop

SECONDS = 30


class TypescriptError(Exception):
    """Raised with what the program threw."""


class Driver:
    """One running program."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: queue.Queue[str] = queue.Queue()
        Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        """Collect what the program prints; an empty line is its end."""
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def ask(self, do: str, **command: Any) -> dict[str, Any]:
        """Send a command; return the answer."""
        self.process.stdin.write(json.dumps({"do": do} | command) + "\n")
        self.process.stdin.flush()
        line = self.lines.get(timeout=SECONDS)
        assert line, f"the driver ended during {do}"
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise TypescriptError(answer["error"])
        return answer


@contextmanager
def running_driver(script: str, *arguments: str) -> Iterator[Driver]:
    """Run a script while the block lasts; it ends by itself when we do."""
    with subprocess.Popen(
        [f"{node.folder()}/node", script, *arguments],
        cwd=node.FLOWS,
        env=node.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Driver(process)
        finally:
            stop(process, signal.SIGTERM)
