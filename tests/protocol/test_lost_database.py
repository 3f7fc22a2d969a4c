"""A database that is away or busy costs the answer and nothing else (N-134, product.md promise 4).

The loss is real: PostgreSQL refuses connections, SQLite's file is gone or its lock is held.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request_started
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from app import extensions
from app.extensions import db
from tests.protocol.machines import SCOPES, Machine, assert_refused, form
from tests.protocol.persons import Person
from tests.protocol.test_parameters import KNOWN, sent
from tests.services.copies import Copy

TOKEN = KNOWN | {"token": "x"}
SENTENCE = "The database does not answer; try again in a moment."
Loss = Callable[[], AbstractContextManager[None]]
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def app(app: Flask) -> Flask:
    """Return an app that answers its faults as in service, where nothing rises to the server."""
    app.testing = False
    return app


@contextmanager
def file_taken_away(path: Path) -> Iterator[None]:
    """Put a folder where SQLite looks for its file."""
    kept = path.rename(path.with_suffix(".kept"))
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        kept.rename(path)


@contextmanager
def connections_refused(copy: Copy) -> Iterator[None]:
    """Make PostgreSQL end all connections to a database and accept no other."""
    copy.server.run("ALTER DATABASE {} ALLOW_CONNECTIONS false", copy.name)
    copy.end_others()
    try:
        yield
    finally:
        copy.server.run("ALTER DATABASE {} ALLOW_CONNECTIONS true", copy.name)


@pytest.fixture
def away(app: Flask, database_url: str, request: pytest.FixtureRequest) -> Loss:
    """Return a function that takes the database away while a block lasts."""
    if database_url.startswith("postgresql"):
        return lambda: connections_refused(request.getfixturevalue("postgres_copy"))
    return lambda: file_taken_away(closed_file(app))


def closed_file(app: Flask) -> Path:
    """Close all connections of an app to its SQLite file; return its path."""
    with app.app_context():
        db.engine.dispose()
        return Path(str(db.engine.url.database))


@pytest.fixture
def impatient(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the app wait for no other writer."""
    monkeypatch.setattr(extensions, "WAIT_SECONDS", 0)
    closed_file(app)


@pytest.fixture
def held(impatient: None, database_url: str) -> Loss:
    """Return a function that holds SQLite's write lock, as another process would."""

    @contextmanager
    def holding() -> Iterator[None]:
        other = sqlite3.connect(str(make_url(database_url).database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.close()

    return holding


def requests(machine: Machine, http: Any) -> dict[str, Callable[[], TestResponse]]:
    """Return a request to each endpoint of machines, over a connection with cookies or without."""
    caller = Machine(http, machine.client_id, machine.method, machine.secret)
    registered = {"headers": {"Authorization": f"Bearer {machine.registration_token}"}}
    wanted = {"client_name": "Late", "redirect_uris": [machine.redirect_uri], "scope": SCOPES}
    posted = ("/token", "/introspect", "/revoke", "/par", "/device_authorization")
    read = ("/readyz", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server")
    return {
        **{path: lambda path=path: sent(caller, form(TOKEN), path=path) for path in posted},
        **{path: lambda path=path: http.get(path) for path in read},
        "/register": lambda: http.post("/register", json=wanted),
        "/clients": lambda: http.get(f"/clients/{machine.client_id}", **registered),
    }


def assert_told_to_come_back(response: TestResponse) -> None:
    """Demand 503 with the time to wait and a request id, and no change to the browser."""
    assert response.status_code == 503, response.text
    assert response.headers["Retry-After"] == "2"
    assert len(response.headers["X-Request-Id"]) >= 8
    assert SENTENCE in response.text
    assert "Set-Cookie" not in response.headers


def test_every_machine_is_told_to_come_back_with_a_cookie_and_without(
    confidential: Machine, person: Person, away: Loss, subtests: pytest.Subtests
) -> None:
    person.sign_in()
    with away():
        for http in (confidential.http, person.http):
            for name, ask in requests(confidential, http).items():
                with subtests.test(name, cookie=http is person.http):
                    response = ask()
                    assert_told_to_come_back(response)
                    assert_refused(response, "temporarily_unavailable", 503)

    assert requests(confidential, person.http)["/token"]().status_code == 200
    assert requests(confidential, confidential.http)["/readyz"]().status_code == 200


def test_a_person_is_shown_a_page_and_is_still_signed_in_when_the_database_is_back(
    confidential: Machine, person: Person, away: Loss, written_log: Any, subtests: pytest.Subtests
) -> None:
    person.sign_in()
    with away():
        for path in ("/", "/login", "/admin/", confidential.asking(), "/nothing"):
            with subtests.test(path):
                response = person.open(path)
                assert_told_to_come_back(response)
                assert response.mimetype == "text/html"
                assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
                assert response.headers["X-Request-Id"] in response.text
                assert response.headers["X-Request-Id"] in written_log.getvalue()
        assert_told_to_come_back(person.http.post("/consent"))  # whose form is not at fault
        for path in ("/livez", "/static/base.css"):
            with person.open(path) as response:
                assert response.status_code == 200

    assert person.email in person.open("/").text


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_ends_in_the_middle_of_a_request_is_a_loss(
    app: Flask, confidential: Machine, person: Person, away: Loss
) -> None:
    person.sign_in()
    asked = {"page": lambda: person.open("/admin/")} | requests(confidential, confidential.http)
    for name in ("page", "/register"):
        with (
            ExitStack() as gone,
            request_started.connected_to(lambda _app, gone=gone: gone.enter_context(away()), app),
        ):
            assert_told_to_come_back(asked[name]())


@ON_SQLITE
def test_a_write_lock_that_another_process_keeps_is_answered_like_a_loss(
    confidential: Machine, person: Person, held: Loss, clock: Any, subtests: pytest.Subtests
) -> None:
    person.sign_in()
    clock.advance(61)  # so that the next page notes that the session is in use
    wrong = Machine(confidential.http, confidential.client_id, confidential.method, "wrong")
    asked = requests(confidential, confidential.http)
    writing = {name: asked[name] for name in ("/token", "/introspect", "/par", "/register")}
    writing["refusal"] = lambda: sent(wrong, form(TOKEN))
    writing["page"] = lambda: person.open("/")
    with held():
        for name, ask in writing.items():
            with subtests.test(name):
                assert_told_to_come_back(ask())
        assert asked["/readyz"]().status_code == 200

    assert writing["/token"]().status_code == 200
    assert person.email in writing["page"]().text


@ON_SQLITE
def test_who_waits_in_vain_for_the_writer_of_this_process_writes_nothing(
    confidential: Machine,
    impatient: None,
    audited: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, waited, take_turn = requests(confidential, confidential.http), [], extensions.take_turn
    monkeypatch.setattr(
        extensions, "take_turn", lambda info: (waited.append(info), take_turn(info))
    )
    with extensions.WRITING:
        for name in ("/token", "/register"):
            assert_told_to_come_back(asked[name]())
        assert extensions.WRITING.locked()
    assert len(waited) == 2  # each waits once, on the short way as well

    assert audited("token.issued") == []
    assert asked["/token"]().status_code == 200
    assert not extensions.WRITING.locked()
