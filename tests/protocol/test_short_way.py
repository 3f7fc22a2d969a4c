"""The short way of a token request grants what the framework grants, and refuses nothing itself."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request, request_started
from werkzeug.test import EnvironBuilder, TestResponse

from app.domain import clients, generations, tokens
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.machines import FORM, RESOURCE, Machine, assert_refused, form

WANTED = {"grant_type": "client_credentials", "resource": RESOURCE, "scope": "mcp:read"}
IN_FULL = f"{FORM}; charset=utf-8"
"""A request of this type goes through the framework."""
OWN = ("Content-Length", "Date")


@pytest.fixture
def handled(app: Flask) -> list[str]:
    """Return the paths that the framework handles from now on."""
    paths: list[str] = []

    def note(_app: Flask) -> None:
        paths.append(request.path)

    request_started.connect(note, app, weak=False)
    return paths


@pytest.fixture
def stand(app: Flask, confidential: Machine) -> Callable[[Callable[..., Any]], None]:
    """Return a function that changes how the client stands, by a verb, and commits."""

    def changed(verb: Callable[..., Any]) -> None:
        with app.app_context():
            verb(clients.get(confidential.client_id), "reason", by=SERVER)
            db.session.commit()

    return changed


def ask(machine: Machine, content_type: str = FORM, **changes: Any) -> TestResponse:
    """Ask for a token by HTTP Basic."""
    return machine.http.post(
        "/token",
        data=form(WANTED | changes),
        content_type=content_type,
        headers=machine.basic | {"X-Request-Id": "abcd-1234"},
    )


@pytest.mark.parametrize("overrides", [{}, {"issuer": "http://127.0.0.1:8000"}])
def test_both_ways_give_the_same_answer_and_the_same_event(confidential, audited, handled, clock):
    short, full = ask(confidential), ask(confidential, IN_FULL)

    assert handled == ["/token"]
    assert short.status_code == full.status_code == 200
    heads = [{n: v for n, v in each.headers if n not in OWN} for each in (short, full)]
    assert heads[0] == heads[1]
    bodies = [each.get_json() for each in (short, full)]
    tokens = [each.pop("access_token") for each in bodies]
    assert bodies[0] == bodies[1]
    shown = [confidential.introspect(token).get_json() for token in tokens]
    assert shown[0].pop("jti") != shown[1].pop("jti")
    assert shown[0] == shown[1]
    assert shown[0]["active"] is True
    rows = [facts(event) for event in audited("token.issued")]
    assert len(rows) == 2
    assert rows[0] == rows[1]


def facts(event: Any) -> dict[str, Any]:
    """Return the columns of an event but for those that no two events share."""
    columns = event.__table__.columns.keys()
    return {name: getattr(event, name) for name in columns if name not in ("id", "at_ms")}


UNUSUAL = {
    "another path": {"path": "/introspect"},
    "another grant": {"data": form(WANTED | {"grant_type": "authorization_code"})},
    "a query": {"query_string": "a=b"},
    "an encoding": {"headers": {"Content-Encoding": "gzip"}},
    "chunks": {"headers": {"Transfer-Encoding": "chunked"}},
    "a proof": {"headers": {"DPoP": "x"}},
    "a character set": {"content_type": IN_FULL},
    "JSON": {"content_type": "application/json"},
    "a long body": {"data": form(WANTED | {"unknown": "a" * 5000})},
    "an assertion": {"data": form(WANTED | {"client_assertion": "x"})},
    "a repeated parameter": {"data": form(WANTED) + "&scope=mcp:read"},
    "no form encoding": {"data": b"\xff=%ff"},
}


def test_whatever_is_unusual_is_handled_by_the_framework(confidential, handled, subtests):
    for name, change in UNUSUAL.items():
        with subtests.test(name):
            handled.clear()
            wanted = {"path": "/token", "data": form(WANTED), "content_type": FORM} | change
            wanted["headers"] = confidential.basic | change.get("headers", {})
            confidential.http.post(**wanted)
            assert handled == [wanted["path"]]


def test_a_cookie_is_handled_by_the_framework(confidential, handled):
    confidential.http.set_cookie("gatewright", "x", domain="gatewright.example")

    assert ask(confidential).status_code == 200
    assert handled == ["/token"]


@pytest.mark.parametrize("length", ["", "0", "-1", "1e3", "\u0661", "9" * 30, "0000000099999"])
def test_a_length_that_is_no_length_never_reaches_the_body(app, confidential, length):
    """N-017: what gunicorn lets through is judged by the framework."""
    builder = EnvironBuilder("/token", method="POST", content_type=FORM, headers=confidential.basic)
    environ = builder.get_environ() | {"CONTENT_LENGTH": length}
    environ["wsgi.input"] = io.BytesIO(form(WANTED).encode())
    answered: list[str] = []

    list(app.wsgi_app(environ, lambda status, *_: answered.append(status)))

    assert len(answered) == 1
    assert not answered[0].startswith("200")


def test_what_changed_since_the_last_token_counts_for_the_next(
    confidential, stand, audited, handled
):
    assert ask(confidential).status_code == 200
    stand(clients.suspend)

    assert_refused(ask(confidential), "invalid_client")
    assert handled == ["/token"]
    assert len(audited("token.issued")) == 1

    stand(clients.resume)
    handled.clear()
    assert [ask(confidential).status_code for _ in range(3)] == [200] * 3
    assert handled == []


def test_a_change_while_a_token_is_made_takes_it_back(
    confidential, stand, audited, handled, monkeypatch
):
    """The record of a token is written only while what allowed it still stands."""
    assert ask(confidential).status_code == 200
    mint = tokens.mint

    def minted(*arguments: Any, **named: Any) -> dict[str, Any]:
        monkeypatch.setattr(tokens, "mint", mint)
        stand(clients.suspend)
        return mint(*arguments, **named)

    monkeypatch.setattr(tokens, "mint", minted)

    assert_refused(ask(confidential), "invalid_client")
    assert handled == ["/token"]
    assert len(audited("token.issued")) == 1


def test_the_counters_are_not_read_for_each_token(confidential, handled, monkeypatch):
    assert ask(confidential).status_code == 200
    monkeypatch.setattr(generations, "read", lambda: pytest.fail("one statement is enough"))

    assert ask(confidential).status_code == 200
    assert handled == []


def test_what_is_refused_is_refused_and_recorded_once(confidential, audited, handled):
    wrong = Machine(confidential.http, confidential.client_id, confidential.method, "wrong")

    assert_refused(ask(wrong), "invalid_client")
    assert_refused(ask(confidential, scope="mcp:admin"), "invalid_scope")

    assert handled == ["/token", "/token"]
    assert [event.detail["error"] for event in audited("request.refused")] == [
        "invalid_client",
        "invalid_scope",
    ]
    assert audited("token.issued") == []


def test_a_fault_of_the_short_way_is_met_by_the_framework_and_logged(
    confidential, monkeypatch, written_log, handled
):
    def fail(*_arguments, **_named):
        raise RuntimeError("canary")

    monkeypatch.setattr("app.protocol.short_way.collect", fail)

    assert ask(confidential).status_code == 200
    assert handled == ["/token"]
    assert '"event":"short_way_failed"' in written_log.getvalue()
    assert "canary" not in written_log.getvalue()
