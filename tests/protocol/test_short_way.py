"""The short way of a token request grants what the framework grants, and refuses nothing itself."""

import io
from typing import Any

import pytest
from flask import Flask, request, request_started
from werkzeug.test import EnvironBuilder, TestResponse

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


@pytest.mark.parametrize("length", ["", "0", "-1", "1e3", "\u0661", "9" * 30])
def test_a_length_that_is_no_length_never_reaches_the_body(app, confidential, length):
    """N-017: what gunicorn lets through is judged by the framework."""
    builder = EnvironBuilder("/token", method="POST", content_type=FORM, headers=confidential.basic)
    environ = builder.get_environ() | {"CONTENT_LENGTH": length}
    environ["wsgi.input"] = io.BytesIO(form(WANTED).encode())
    answered: list[str] = []

    list(app.wsgi_app(environ, lambda status, *_: answered.append(status)))

    assert len(answered) == 1
    assert not answered[0].startswith("200")


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
