"""Back-channel logout: who is told that a session has ended, how, and what if they cannot be."""

import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select

from app import worker
from app.domain import clients, generations, jobs, retention, session_clients, sessions, users
from app.domain.audit import SERVER
from app.domain.foreign_logout_tokens import EVENT
from app.domain.jobs import Job
from app.domain.session_clients import SessionClient
from app.extensions import db
from app.outbound import logouts
from app.worker import Worker
from tests.conftest import ISSUER, Clock
from tests.jobs_done import work
from tests.protocol.machines import Machine
from tests.protocol.persons import Person
from tests.protocol.test_logout import id_token, said
from tests.services.gate import ALLOWED, ScriptedServer, scripted, silent
from tests.services.gate import said as answering

LATER = answering(500, {"error": "later"})
MOVED = answering(302, b"", extra="Location: /elsewhere\r\n")
Scripts = Callable[..., ScriptedServer]


@pytest.fixture
def scripts(app: Flask) -> Iterator[Scripts]:
    """Return a function that starts a client's server, which an operator has allowed."""
    with scripted() as start:

        def allowed(*answers: Any) -> ScriptedServer:
            server = start(*answers)
            outbound = app.extensions["gatewright.outbound"]
            outbound.allow |= {f"127.0.0.1:{server.port}"}
            return server

        yield allowed


@pytest.fixture
def listen(register: Callable[..., Machine]) -> Callable[..., Machine]:
    """Return a function that registers a client which wants to be told at an address."""

    def one(url: str, **changes: Any) -> Machine:
        metadata = {"client_name": f"Listening at {url}", "scope": "openid"} | changes
        return register(**metadata, backchannel_logout_uri=url)

    return one


def waiting(app: Flask) -> int:
    with app.app_context():
        return len(db.session.scalars(select(Job.id).where(Job.state == "waiting")).all())


def sign_out(person: Person) -> None:
    assert person.submit(person.open("/"), "/logout").status_code == 200


def end_in_account(person: Person) -> None:
    with person.app.app_context():
        sessions.end_others(person.user_id, None, by=SERVER)
        db.session.commit()


def change_password(person: Person) -> None:
    with person.app.app_context():
        users.set_password(users.find(person.user_id), "hash", by=SERVER)
        db.session.commit()


def disable(person: Person) -> None:
    with person.app.app_context():
        users.disable(users.find(person.user_id), by=SERVER)
        db.session.commit()


ENDINGS = [sign_out, end_in_account, change_password, disable]


def test_a_client_is_told_by_a_token_that_a_strict_check_accepts(
    app: Flask,
    client: FlaskClient,
    person: Person,
    listen: Callable[..., Machine],
    scripts: Scripts,
    audited: Callable[..., list[Any]],
    clock: Clock,
) -> None:
    """Section 2.4: typ, iss, aud, iat, exp, jti, events, sub and sid, and nothing else."""
    servers = scripts(), scripts()
    algorithms, kinds = ("RS256", "ES256"), ("public", "pairwise")
    machines = [
        listen(each.url, id_token_signed_response_alg=algorithm, subject_type=kind)
        for each, algorithm, kind in zip(servers, algorithms, kinds, strict=True)
    ]
    known = [said(id_token(person, machine)) for machine in machines]
    assert known[0]["sub"] == person.user_id != known[1]["sub"]

    sign_out(person)
    assert servers[0].requests == []
    assert work(app) == 2

    keys = KeySet.import_key_set(client.get("/.well-known/jwks.json").get_json())
    for server, machine, before, algorithm in zip(
        servers, machines, known, algorithms, strict=True
    ):
        assert server.heads[0]["content-type"] == "application/x-www-form-urlencoded"
        form = parse_qs(server.bodies[0], strict_parsing=True)
        token = jwt.decode(form.pop("logout_token")[0], keys, algorithms=[algorithm])
        assert form == {}
        assert (token.header["typ"], token.claims.pop("jti") != "") == ("logout+jwt", True)
        assert token.claims == {
            "iss": ISSUER,
            "aud": machine.client_id,
            "sub": before["sub"],
            "sid": before["sid"],
            "iat": clock.now,
            "exp": clock.now + 120,
            "events": {EVENT: {}},
        }
    told = [
        (event.client_id, event.detail["status"]) for event in audited("client.logout_delivered")
    ]
    assert sorted(told) == sorted((machine.client_id, 200) for machine in machines)


def test_every_end_of_a_session_is_told_once_to_those_it_signed_in_to(
    subtests: Any, app: Flask, enrol: Callable[..., Person], listen: Any, relying: Machine
) -> None:
    """N-096: not to clients without an address, nor of sessions that go on."""
    machine = listen("https://client.example/told")
    for number, end in enumerate(ENDINGS):
        with subtests.test(end.__name__):
            person, other = enrol(f"p{number}@people.example"), enrol(f"o{number}@people.example")
            for each in (person, person, other):
                id_token(each, machine)
            id_token(person, relying)
            end(person)
            end_in_account(person)

            with app.app_context():
                payloads = db.session.scalars(select(Job.payload)).all()
                jobs.remove(db.session.scalars(select(Job.queue)).first() or "")
                db.session.commit()
            assert [each["user_id"] for each in payloads] == [person.user_id]


def test_a_person_who_signs_in_again_has_not_left_but_another_one_at_the_browser_has(
    app: Flask, person: Person, approver: Person, listen: Any
) -> None:
    machine = listen("https://client.example/told")
    id_token(person, machine)
    person.sign_in(person.open("/login?again=1"))
    assert waiting(app) == 0

    person.sign_in(person.open("/login?again=1"), username=approver.email)
    assert waiting(app) == 1


def test_who_cannot_be_told_is_told_later_and_holds_up_nobody(
    app: Flask,
    person: Person,
    listen: Callable[..., Machine],
    scripts: Scripts,
    audited: Callable[..., list[Any]],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each attempt has a token of its own, so that one which is late is not too old."""
    monkeypatch.setattr(logouts, "SECONDS", 0.2)
    troubled, fine = scripts(silent, LATER, MOVED, ALLOWED), scripts()
    for each in (troubled, fine):
        id_token(person, listen(each.url))

    began = time.monotonic()
    sign_out(person)
    assert time.monotonic() - began < 2
    assert (work(app), len(fine.requests), waiting(app)) == (2, 1, 1)
    for pause in (12, 35, 100):
        clock.advance(pause)
        work(app)

    assert waiting(app) == 0
    assert len(set(troubled.bodies[1:])) == 3
    failures = [event.detail["failure"] for event in audited("client.logout_failed")]
    assert failures == ["timeout", "status", "redirect"]
    assert len(audited("client.logout_delivered")) == 2


def test_clients_that_hang_leave_places_for_other_work(
    app: Flask, person: Person, listen: Callable[..., Machine]
) -> None:
    id_token(person, listen("https://client.example/told"))
    sign_out(person)
    with app.app_context():
        jobs.add("other", {}, queue="q", topic="t")
        db.session.commit()
    working, hung = Worker(app), Event()
    for _ in range(worker.PLACES_OF_CLIENTS):
        working.begin(hung.wait, session_clients.KIND)

    assert [working.take_turn() for _ in range(2)] == [True, False]
    hung.set()
    working.wait()
    with app.app_context():
        tried = dict(db.session.execute(select(Job.kind, Job.attempts)).all())
    assert tried == {"other": 1, session_clients.KIND: 0}


def test_no_client_makes_this_server_call_inside(
    subtests: Any, app: Flask, person: Person, listen: Callable[..., Machine], audited: Any
) -> None:
    """X-33: what is not public is asked only where the operator has listed it."""
    with scripted() as start:
        inside = start()
        urls = {
            inside.url: "scheme",
            "https://10.0.0.1/": "address",
            "https://192.168.0.1/latest": "address",
            "https://[::1]/": "address",
            "https://metadata.internal/": "address",
            "https://client.example:8443/": "port",
        }
        for url in urls:
            id_token(person, listen(url))
        sign_out(person)
        assert work(app) == len(urls)
        assert inside.requests == []

    failures = [event.detail["failure"] for event in audited("client.logout_failed")]
    assert sorted(failures) == sorted(urls.values())


def test_a_client_that_is_stopped_or_wants_it_no_more_is_not_told(
    app: Flask, person: Person, listen: Callable[..., Machine], scripts: Scripts, audited: Any
) -> None:
    server = scripts()
    for number in range(2):
        machine = listen(server.url, client_name=f"Gone {number}")
        id_token(person, machine)
        with app.app_context():
            row = clients.get(machine.client_id)
            if number:
                row.client_metadata = {
                    name: value
                    for name, value in row.client_metadata.items()
                    if name != "backchannel_logout_uri"
                }
            else:
                clients.suspend(row, "stopped", by=SERVER)
            db.session.commit()

    sign_out(person)

    assert (work(app), server.requests, waiting(app)) == (2, [], 0)
    said_of = [event.detail for event in audited("client.logout_failed")]
    assert [(each["failure"], each["state"]) for each in said_of] == [("off", "dead")] * 2


def test_a_client_that_wants_to_be_told_only_now_is_told_at_its_next_sign_in(
    app: Flask, person: Person, relying: Machine
) -> None:
    """Its session has gone on under the same sid."""
    known = said(id_token(person, relying))["sid"]
    with app.app_context():
        row = clients.get(relying.client_id)
        uri = {"backchannel_logout_uri": "https://client.example/told"}
        row.client_metadata = row.client_metadata | uri
        generations.bump("clients")
        db.session.commit()
    assert said(id_token(person, relying))["sid"] == known

    sign_out(person)

    assert waiting(app) == 1


def test_no_more_wait_for_a_client_than_fit(
    app: Flask, person: Person, listen: Any, audited: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_clients, "MOST_WAITING", 1)
    machine = listen("https://client.example/told")
    for _ in range(2):
        id_token(person, machine)
        sign_out(person)

    assert waiting(app) == 1
    assert [event.detail["failure"] for event in audited("client.logout_failed")] == [
        "too many wait"
    ]


def test_a_session_that_was_rolled_back_told_nobody(
    app: Flask, person: Person, listen: Callable[..., Machine]
) -> None:
    """What is to be told stands in the transaction of the end."""
    id_token(person, listen("https://client.example/told"))
    with app.app_context():
        sessions.end_of_user(person.user_id)
        db.session.rollback()

    assert waiting(app) == 0


def test_a_session_that_runs_out_tells_nobody_and_leaves_nothing(
    app: Flask, person: Person, listen: Callable[..., Machine], clock: Clock
) -> None:
    """An app asks for itself how old a sign-in is; nobody has left."""
    id_token(person, listen("https://client.example/told"))
    with app.app_context():
        clock.advance(app.extensions["gatewright.settings"].session_absolute_seconds + 1)
        retention.purge()
        retention.purge()
        db.session.commit()

        assert db.session.scalars(select(SessionClient)).all() == []
    assert waiting(app) == 0
