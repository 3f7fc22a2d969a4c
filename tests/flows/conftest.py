"""A server, a protected resource and people, over HTTP only."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.flows.person import Browser, Person
from tests.flows.python_client import running_python_client
from tests.flows.resource_server import running_resource_server
from tests.flows.typescript_client import running_typescript_client
from tests.flows.world import add_person, add_resource
from tests.services.callback import Callback, listening
from tests.services.gunicorn import Server
from tests.services.process import free_port

CLIENTS: dict[str, Callable[[str, Callback], AbstractContextManager[Any]]] = {
    "python": running_python_client,
    "typescript": running_typescript_client,
}


@dataclass(frozen=True)
class World:
    """Everything a story needs to know."""

    issuer: str
    resource: str
    person: Person
    approver: Person


@pytest.fixture(params=["", "/tenant/one"], ids=["issuer at the root", "issuer with a path"])
def issuer(request: pytest.FixtureRequest) -> str:
    return f"http://127.0.0.1:{free_port()}{request.param}"


@pytest.fixture
def overrides(issuer: str) -> dict[str, Any]:
    """Give the app that seeds the database the issuer of the server that is told about it."""
    return {"issuer": issuer}


@pytest.fixture
def settings_of_story() -> dict[str, Any]:
    """Return the settings of the server; redefine it for another story."""
    return {"access_token_seconds": 30}


@pytest.fixture
def world(
    app: Flask,
    issuer: str,
    serve: Callable[..., Server],
    settings_of_story: dict[str, Any],
) -> Iterator[World]:
    serve(port=urlsplit(issuer).port, issuer=issuer, **settings_of_story)
    port = free_port()
    resource = f"http://127.0.0.1:{port}/mcp"
    known = add_resource(app, resource) | {"issuer": issuer}
    person = add_person(app, "pia@example.org", "member")
    approver = add_person(app, "ada@example.org", "approver")
    with running_resource_server(known, port):
        yield World(issuer, resource, person, approver)


@pytest.fixture(params=sorted(CLIENTS))
def install(request: pytest.FixtureRequest, world: World) -> Iterator[Callable[[], Any]]:
    """Return a function that installs the same client software once more, on a port of its own."""
    with ExitStack() as running:

        def one_more() -> Any:
            callback = running.enter_context(listening())
            return running.enter_context(CLIENTS[request.param](world.resource, callback))

        yield one_more


@pytest.fixture
def browser_of() -> Iterator[Callable[[], Browser]]:
    """Return a function that opens a fresh browser profile."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(Browser())
