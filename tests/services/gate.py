"""A registration gate, or a token endpoint, on loopback: says in turn what a test wants."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from tests.outbound.conftest import Script, Server

ALLOWED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def said(status: int, body: object = b"", kind: str = "application/json", extra: str = "") -> bytes:
    """Write an answer; what is not bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(content)}\r\n{extra}"
    head += f"Content-Type: {kind}\r\n" if kind else ""
    return f"{head}\r\n".encode() + content


def token_answer(token: str = "at-0123456789", **members: Any) -> bytes:
    """Write the answer of a token endpoint; None leaves a member out."""
    body = {"access_token": token, "token_type": "Bearer", "expires_in": 3600} | members
    return said(200, {name: value for name, value in body.items() if value is not None})


def silent(connection: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    """Say one byte at a time, never finishing."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    while not threading.Event().wait(0.05):
        connection.sendall(b" ")


class ScriptedServer(Server):
    """Gives each request the next of its answers, and the last one again and again."""

    def __init__(self, *answers: Script, tls: ssl.SSLContext | None = None) -> None:
        self.answers, self.turn = list(answers or [ALLOWED]), threading.Lock()
        super().__init__(self.answer, tls, "127.0.0.1", greets=False)

    def answer(self, connection: socket.socket) -> None:
        with self.turn:
            script = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(script):
            script(connection)
        else:
            connection.sendall(script)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/gate"

    @property
    def heads(self) -> list[dict[str, str]]:
        """Return the headers of each request, names in lower case."""
        heads = [each.partition(b"\r\n\r\n")[0].decode() for each in self.requests]
        lines = [[line.partition(": ") for line in head.split("\r\n")[1:]] for head in heads]
        return [{name.lower(): value for name, _, value in found} for found in lines]

    @property
    def bodies(self) -> list[str]:
        """Return the body of each request."""
        return [each.partition(b"\r\n\r\n")[2].decode() for each in self.requests]

    @property
    def questions(self) -> list[dict[str, Any]]:
        """Return what each request asked."""
        return [json.loads(body) for body in self.bodies]


@contextmanager
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Give a function that starts a server; all of them end with the block."""
    with ExitStack() as servers:
        yield lambda *answers, tls=None: servers.enter_context(
            closing(ScriptedServer(*answers, tls=tls))
        )
