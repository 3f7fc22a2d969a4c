"""A token endpoint on loopback with the manager of a login there, and an answer that is held back.

Test files import its fixture ``endpoint``.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.outbound.client import Outbound
from app.outbound.logins import Login
from app.outbound.tokens import TokenManager
from tests.services.gate import ScriptedServer, scripted, token_answer

SECRET = "c4n4ry secret+/&\u00e9"
LOGIN: dict[str, Any] = {"client_id": "gate:1 a", "client_secret": SECRET}


@pytest.fixture
def endpoint() -> Iterator[Callable[..., tuple[ScriptedServer, TokenManager]]]:
    """Return a function that starts a token endpoint and gives it with a manager for it."""
    with scripted() as serve:

        def start(*answers: Any, **changes: Any) -> tuple[ScriptedServer, TokenManager]:
            server = serve(*(answers or [token_answer()]))
            login = Login(server.url, **LOGIN | changes)
            return server, TokenManager(Outbound("Gatewright"), login)

        yield start


class Held:
    """An answer that waits until the test lets it go."""

    def __init__(self, answer: bytes) -> None:
        self.answer, self.asked, self.free = answer, threading.Event(), threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        self.asked.set()
        assert self.free.wait(5)
        connection.sendall(self.answer)
