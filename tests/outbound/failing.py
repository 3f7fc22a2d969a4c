"""Token endpoints at which something goes wrong; test files import their fixture ``failing``."""

import socket
from contextlib import ExitStack, closing

import pytest

from tests.outbound.conftest import Server
from tests.outbound.conftest import authority as authority
from tests.services.process import free_port

NAMES = {"nowhere.example": None, "private.example": "10.0.0.1"}
"""What the names of the cases lead to."""


def looked_up(look_up, host, *others, **more):
    """Look one of these names up, or any other one as before."""
    if host not in NAMES:
        return look_up(host, *others, **more)
    if NAMES[host] is None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (NAMES[host], 443))]


@pytest.fixture
def failing(authority, monkeypatch):
    """Return a function that lets a case happen; gives the URL, and what strangers may name."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *given, **more: looked_up(look_up, *given, **more)
    )
    with ExitStack() as servers:

        def start(case):
            port = free_port()
            if case.answer is not None:
                speaks_tls = case.url.startswith("https") and not case.greets
                tls = authority.context("127.0.0.1") if speaks_tls else None
                server = Server(case.answer, tls, "127.0.0.1", case.greets)
                port = servers.enter_context(closing(server)).port
            return case.url.format(port=port), f"127.0.0.1:{port}"

        yield start
