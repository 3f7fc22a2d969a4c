"""The TypeScript client, driven through typescript/client.mjs by lines of JSON."""

import json
import queue
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from tests.services import node
from tests.services.callback import Callback
from tests.services.process import stop

Visit = Callable[[str], None]
SECONDS = 30
NAME = "Notes reader in TypeScript"


class TypescriptError(Exception):
    """Raised with what the client threw."""


class TypescriptClient:
    """One installation of the client; ``visit`` is called with each authorization URL."""

    name = NAME

    def __init__(self, process: subprocess.Popen[str], callback: Callback) -> None:
        self.process, self.callback = process, callback
        self.lines: queue.Queue[str] = queue.Queue()
        Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        """Collect what the driver prints; an empty line is its end."""
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def ask(self, **command: str) -> dict[str, Any]:
        """Send a command; return the driver's answer."""
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.lines.get(timeout=SECONDS)
        assert line, f"the driver ended during {command}"
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise TypescriptError(answer["error"])
        return answer

    @property
    def information(self) -> dict[str, Any]:
        """Return what the registration answered."""
        return self.ask(do="show")["information"]

    @property
    def tokens(self) -> dict[str, Any]:
        """Return the stored token answer."""
        return self.ask(do="show")["tokens"]

    def expire(self) -> None:
        """Spoil the stored access token: this SDK refreshes when the resource refuses one."""
        self.ask(do="expire")

    def call_tool(self, visit: Visit) -> dict[str, str]:
        """Return what the tool says, after whatever the SDK does to get there."""
        said = self.ask(do="call")
        if "authorize" in said:
            visit(said["authorize"])
            self.ask(do="finish", url=self.callback.take_url())
            said = self.ask(do="call")
        return json.loads(said["text"])


@contextmanager
def running_typescript_client(resource: str, callback: Callback) -> Iterator[TypescriptClient]:
    """Run the driver while the block lasts; it ends by itself when we do."""
    command = [f"{node.folder()}/node", "client.mjs", NAME, resource, callback.uri]
    with subprocess.Popen(
        command,
        cwd=node.FLOWS,
        env=node.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield TypescriptClient(process, callback)
        finally:
            stop(process, signal.SIGTERM)
