"""The registration gate over HTTP: asked before anything is stored, and only ever stricter."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from app import create_app
from app.config import load
from app.domain import (
    client_records,
    clients,
    fingerprints,
    policy_versions,
    rules,
    simulations,
)
from app.domain.audit import SERVER
from app.domain.gate_answers import BUSY, DENIED, FAILED
from app.extensions import db
from app.outbound import limits
from tests.cli.conftest import ON_ONE_DATABASE
from tests.protocol import machines
from tests.protocol.persons import new_http
from tests.protocol.registrants import BODY, Operator, Registrant, post, register
from tests.services.gate import ALLOWED, said, scripted, silent, token_answer
from tests.services.process import free_port

KEY = "c4n4ry-0123456789-key"
SECRET = "c4n4ry-0123456789-secret"
TOKEN = "c4n4ry-0123456789-token"
ADMIT_ALL = {"name": "all", "outcome": "admit", "when": {"source": "dcr"}}
OAUTH2 = {
    "auth_type": "oauth2_client_credentials",
    "oauth2_client_id": "gatewright",
    "oauth2_client_secret": SECRET,
}


@pytest.fixture
def scripts():
    """Return a function that starts a gate or a token endpoint."""
    with scripted() as start:
        yield start


@pytest.fixture
def gated(app, settings, monkeypatch):
    """Return a function that gives a connection to an app of this database that asks a gate.

    The gate is asked with no transaction open and no connection taken from the pool; nobody
    really sleeps between attempts.
    """
    monkeypatch.setattr(limits, "pause", lambda _seconds: None)
    made = []

    def start(url, *, timeout_seconds=5, **changes):
        values = {"enabled": True, "url": url} | changes
        named = {f"registration_gate_{name}": value for name, value in values.items()}
        given = {name: getattr(settings, name) for name in settings.model_fields_set}
        asking = create_app(load(**given | named))
        asking.testing = True
        made.append(asking)
        gate = asking.extensions["gatewright.gate"]
        gate.access = replace(gate.access, timeout_seconds=timeout_seconds)
        trusted = gate.outbound.trusted

        def alone(*arguments, **options):
            assert not db.session().in_transaction()
            assert db.engine.pool.checkedout() == 0
            return trusted(*arguments, **options)

        gate.outbound.trusted = alone
        return new_http(asking)

    yield start
    for each in made:
        with each.app_context():
            db.engine.dispose()


@pytest.fixture
def put_in_force(app):
    """Return a function that puts rules in force."""

    def save(*written):
        with app.app_context():
            seen = policy_versions.in_force().number
            policy_versions.save(rules.all_from_json(written), seen, by=SERVER)
            db.session.commit()

    return save


@pytest.fixture
def record(app):
    """Return a function that reads what the endpoints know of a client."""

    def read(registrant):
        with app.app_context():
            return client_records.load(registrant.client_id)

    return read


@pytest.fixture
def stored(app):
    """Return a function that counts the clients by their standing."""

    def count(clock):
        with app.app_context():
            found = db.session.scalars(db.select(client_records.Client.client_id)).all()
            return [str(client_records.load(each).standing(clock.now)) for each in found]

    return count


def refusal_of(answer):
    """Return what a refused registration is told."""
    body = answer.get_json()
    assert (answer.status_code, body["error"]) == (403, "access_denied")
    return body["error_description"]


def test_a_registration_is_shown_to_the_gate_without_credentials(gated, scripts):
    gate = scripts(ALLOWED)
    http = gated(gate.url, auth_type="api_key", auth_credential=KEY)
    headers = {
        "Cookie": "session=c4n4ry",
        "User-Agent": "kit/1",
        "X-Forwarded-For": "198.51.100.9",
        "X-Request-Id": "request-0001",
        "X-Api-Key": "c4n4ry",
    }

    answer = http.post(
        "/register",
        json=BODY | {"client_secret": "c4n4ry", "client_name#ja": "\u767b", "unknown": "c4n4ry"},
        headers=headers,
        environ_overrides={"REMOTE_ADDR": "192.0.2.7"},
    )

    assert answer.status_code == 201, answer.text
    [asked] = gate.questions
    assert (asked["asset_type"], asked["operation"]) == ("client", "register")
    assert (asked["source_api"], asked["registration_id"]) == ("/register", None)
    assert asked["registration_payload"] == BODY | {
        "response_types": ["code"],
        "client_name#ja": "\u767b",
    }
    assert asked["request_headers"] == {
        "content-type": "application/json",
        "user-agent": "kit/1",
        "x-request-id": "request-0001",
        "x-forwarded-for": "192.0.2.7",
    }
    assert asked["evidence"]["source"] == "dcr"
    assert asked["evidence"]["address"] == "192.0.2.7"
    assert "metadata" not in asked["evidence"]
    assert asked["revision"] == fingerprints.revision(asked["registration_payload"])
    assert "dry_run" not in asked
    assert "c4n4ry" not in gate.bodies[0]


@ON_ONE_DATABASE
def test_what_policy_refuses_is_not_shown_to_the_gate(gated, scripts, put_in_force):
    gate = scripts(ALLOWED)
    put_in_force({"name": "no", "outcome": "refuse"})

    assert post(gated(gate.url)).status_code == 403
    assert gate.requests == []


def test_a_denial_is_told_in_the_gates_words_and_recorded(gated, scripts, clock, stored, audited):
    http = gated(scripts(said(403, {"error": 'Ask "ops" first.\r\n'})).url)

    assert refusal_of(post(http)) == "Ask 'ops' first."

    assert stored(clock) == []
    [event] = audited("registration.refused")
    assert event.detail["rule"] == "registration gate"
    assert event.detail["gate"]["reason"] == "Ask 'ops' first."


@ON_ONE_DATABASE
def test_a_denial_without_words_has_a_sentence_of_ours(gated, scripts):
    assert refusal_of(post(gated(scripts(said(403)).url))) == DENIED


def test_an_allowed_registration_is_what_policy_made_of_it(
    gated, scripts, put_in_force, record, clock
):
    http = gated(scripts(ALLOWED).url)

    assert record(register(http)).standing(clock.now) == "pending"
    put_in_force(ADMIT_ALL)
    assert record(register(http, client_name="Next")).standing(clock.now) == "active"


def test_a_hold_overrules_a_rule_that_admits(
    app, gated, scripts, put_in_force, record, clock, audited
):
    http = gated(scripts(said(200, {"decision": "hold", "reason": "New to us."})).url)
    put_in_force(ADMIT_ALL)

    registrant = register(http)

    assert record(registrant).standing(clock.now) == "pending"
    operator = Operator(app)
    shown = operator.look(operator.software_id(registrant)).verdict
    assert (shown["outcome"], shown["rule"]) == ("hold", "registration gate")
    step = {"rule": "registration gate", "result": "hold", "id": "", "shadow": False}
    assert shown["trace"][-1] == step | {
        "reason": "The gate wants a person to decide. It says: New to us."
    }
    assert audited("client.registered")[0].detail["gate"]["decision"] == "hold"


def test_a_hold_does_not_undo_what_people_approved(
    app, client, gated, scripts, record, clock, audited
):
    Operator(app).approve(register(client))
    http = gated(scripts(said(200, {"decision": "hold"})).url)

    assert record(register(http)).standing(clock.now) == "active"
    assert audited("client.registered")[-1].detail["gate"]["decision"] == "hold"


def test_scopes_and_end_bound_what_a_rule_admits(app, gated, scripts, put_in_force, record, clock):
    bounds = {"decision": "allow", "scopes": ["mcp:read", "unknown"], "expires_in": 3600}
    http = gated(scripts(said(200, bounds)).url)
    then = {"scopes": ["mcp:read", "mcp:write"], "approve_days": 30}
    put_in_force(ADMIT_ALL | {"then": then})

    found = record(register(http, scope="mcp:read mcp:write"))

    assert found.scopes == {"mcp:read"}
    assert found.standing(clock.now + 3599) == "active"
    assert found.standing(clock.now + 3600) == "expired"


@pytest.mark.parametrize("approved", [True, False])
def test_scopes_bound_a_client_whoever_approves_its_software(
    app, client, gated, scripts, record, approved
):
    wide = {"scope": "mcp:read mcp:write"}
    if approved:
        Operator(app).approve(register(client, **wide))
    http = gated(scripts(said(200, {"scopes": ["mcp:read"]})).url)

    registrant = register(http, **wide)
    if not approved:
        Operator(app).approve(registrant)

    assert record(registrant).scopes == {"mcp:read"}


@ON_ONE_DATABASE
def test_what_the_gate_said_counts_when_an_arrival_is_judged_again(app, gated, scripts):
    http = gated(scripts(said(403), ALLOWED, said(200, {"scopes": []})).url)
    answers = [post(http).status_code for _ in range(3)]

    with app.app_context():
        again = simulations.replay(policy_versions.in_force(), 10)

    assert answers == [403, 201, 201]
    assert (again.judged, again.differences) == (3, ())


FAULTS = {
    "an answer of 500": (said(500), {}),
    "an answer of 202": (said(202, {"decision": "allow"}), {}),
    "a redirect": (said(302, extra="Location: /gate\r\n"), {}),
    "half an answer": (said(200, b'{"decision":'), {}),
    "another decision": (said(200, {"decision": "ALLOW "}), {}),
    "nobody there": (None, {}),
    "silence": (silent, {"timeout_seconds": 0.1}),
    "no token": (ALLOWED, OAUTH2 | {"oauth2_token_url": "http://127.0.0.1:1/token"}),
}


@ON_ONE_DATABASE
@pytest.mark.parametrize("answer, changes", FAULTS.values(), ids=FAULTS)
def test_no_fault_lets_anything_in(
    app, client, gated, scripts, put_in_force, clock, stored, audited, answer, changes
):
    """N-213: with a rule that admits everything, and for software that people have approved."""
    approved = register(client)
    Operator(app).approve(approved)
    put_in_force(ADMIT_ALL)
    url = scripts(answer).url if answer else f"http://127.0.0.1:{free_port()}/"
    http = gated(url, **changes)

    assert refusal_of(post(http)) == FAILED
    assert refusal_of(post(http, client_name="Stranger")) == FAILED

    assert stored(clock) == ["active"]
    assert [event.detail["gate"]["decision"] for event in audited("registration.refused")] == [
        "deny",
        "deny",
    ]


def test_an_update_is_shown_to_the_gate_and_a_denial_changes_nothing(app, client, gated, scripts):
    gate = scripts(ALLOWED, said(403, {"error": "Not that."}))
    registrant = register(client)
    Operator(app).approve(registrant)
    managed = Registrant(gated(gate.url), registrant.answer)

    assert managed.update(client_name="Registrant").status_code == 200
    assert refusal_of(managed.update(redirect_uris=["https://evil.example/cb"])) == "Not that."

    assert managed.read().get_json()["redirect_uris"] == BODY["redirect_uris"]
    asked = gate.questions[1]
    assert (asked["operation"], asked["registration_id"]) == ("update", registrant.client_id)
    assert asked["source_api"] == registrant.path
    assert asked["registration_payload"]["redirect_uris"] == ["https://evil.example/cb"]
    assert registrant.token not in "".join(gate.bodies)


def test_an_answer_counts_for_the_one_question_it_was_given_to(app, gated, scripts, clock, stored):
    """X-49: for no other registration, no later one of the same software and no other revision."""
    gate = scripts(ALLOWED)
    http = gated(gate.url, max_retries=0)
    registrant = register(http)
    Operator(app).approve(registrant)
    [first] = gate.questions
    gate.answers[:] = [said(200, {"decision": "allow", "question_id": first["question_id"]})]

    told = [post(http, client_name="Another"), post(http), registrant.update(scope="mcp:write")]

    assert [refusal_of(answer) for answer in told] == [FAILED] * 3
    assert len({asked["question_id"] for asked in gate.questions}) == 4
    assert stored(clock) == ["active"]
    assert registrant.read().get_json()["scope"] == BODY["scope"]


def test_an_update_may_leave_fewer_scopes_and_never_more(app, client, gated, scripts, record):
    wide = {"scope": "mcp:read mcp:write"}
    registrant = register(client, **wide)
    Operator(app).approve(registrant)
    narrow, wider = ({"scopes": ["mcp:read"]}, {"scopes": ["mcp:read", "mcp:write"]})
    http = gated(scripts(said(200, narrow), said(200, wider)).url)
    managed = Registrant(http, registrant.answer)

    for _ in range(2):
        assert managed.update().status_code == 200
        assert record(registrant).scopes == {"mcp:read"}


def test_a_client_deleted_while_the_gate_thinks_is_not_there(app, client, gated, scripts):
    registrant = register(client)

    def delete(connection):
        with app.app_context():
            clients.delete(clients.get(registrant.client_id), "gone", by=SERVER)
            db.session.commit()
        connection.sendall(ALLOWED)

    managed = Registrant(gated(scripts(delete).url), registrant.answer)

    assert managed.update(client_name="Other").status_code == 401


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "answer", [ALLOWED, said(403), said(500), b""], ids=["200", "403", "500", "nothing"]
)
def test_a_deletion_is_told_once_and_happens_whatever_is_answered(client, gated, scripts, answer):
    gate = scripts(answer)
    registrant = register(client)
    managed = Registrant(gated(gate.url), registrant.answer)

    assert managed.delete().status_code == 204

    assert managed.read().status_code == 401
    [asked] = gate.questions
    assert (asked["operation"], asked["registration_id"]) == ("delete", registrant.client_id)
    assert asked["registration_payload"]["client_name"] == "Registrant"
    assert registrant.token not in gate.bodies[0]


@ON_ONE_DATABASE
def test_who_finds_the_gate_busy_is_told_to_come_back(gated, scripts):
    http = gated(scripts(ALLOWED).url)
    gate = http.application.extensions["gatewright.gate"]
    places = [gate.places.acquire(blocking=False) for _ in range(4)]

    assert refusal_of(post(http)) == BUSY

    for _ in places:
        gate.places.release()
    assert post(http).status_code == 201


def dump(app):
    """Return all audit events and software as text."""
    with app.app_context():
        tables = (db.metadata.tables[name] for name in ("audit_events", "software", "clients"))
        rows = (db.session.execute(db.select(table)).all() for table in tables)
        return "\n".join(str(tuple(row)) for found in rows for row in found)


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "answer",
    [ALLOWED, said(403, {"error": f"{KEY} {TOKEN}"}), said(500)],
    ids=["200", "403", "500"],
)
def test_our_credentials_are_shown_to_nobody(app, gated, scripts, capsys, answer):
    """X-72: neither in an answer nor in the log nor in what is stored."""
    tokens = scripts(token_answer(TOKEN), said(400, {"error": SECRET}))
    oauth2 = OAUTH2 | {"oauth2_token_url": tokens.url}
    bearer = {"auth_type": "bearer", "auth_credential": KEY}

    answers = [post(gated(scripts(answer).url, **access)) for access in (bearer, oauth2, oauth2)]

    shown = f"{[each.text for each in answers]} {capsys.readouterr()} {dump(app)}"
    assert "token_not_acquired" in shown
    for secret in (KEY, TOKEN, SECRET):
        assert secret not in shown


@pytest.mark.slow
@ON_ONE_DATABASE
def test_another_server_of_this_kind_gives_the_token(
    app, client, gated, scripts, serve, settings, audited
):
    """The whole way with nothing faked but the gate itself."""
    elsewhere = serve()
    machine = machines.create(app, client)
    gate = scripts(ALLOWED)
    http = gated(
        gate.url,
        auth_type="oauth2_client_credentials",
        oauth2_token_url=f"{elsewhere.base_url}/token",
        oauth2_client_id=machine.client_id,
        oauth2_client_secret=machine.secret,
    )

    for name in ("One", "Two"):
        assert post(http, client_name=name).status_code == 201

    first, second = (head["authorization"] for head in gate.heads)
    assert first == second
    assert first.startswith("Bearer ey")
    assert len(audited("token.issued")) == 1


def timed(base_url):
    """Return how long the server takes to answer somebody who needs no gate."""
    started = time.perf_counter()
    with urlopen(f"{base_url}/.well-known/oauth-authorization-server", timeout=10) as answer:
        assert answer.status == 200
    return time.perf_counter() - started


def refused(base_url):
    """Register in vain; return the sentence."""
    body = b'{"redirect_uris": ["https://registrant.example/cb"]}'
    headers = {"Content-Type": "application/json"}
    with pytest.raises(HTTPError) as raised:
        urlopen(Request(f"{base_url}/register", body, headers), timeout=15)
    with raised.value as answer:
        return answer.read().decode()


@pytest.mark.slow
@ON_ONE_DATABASE
def test_fifty_registrations_at_a_gate_that_hangs_leave_the_others_alone(serve, scripts):
    """F-31"""
    running = serve(
        registration_gate_enabled=True,
        registration_gate_url=scripts(silent).url,
        registration_gate_timeout_seconds=2,
        registration_gate_max_retries=0,
    )
    timed(running.base_url)

    with ThreadPoolExecutor(50) as threads:
        asked = [threads.submit(refused, running.base_url) for _ in range(50)]
        while sum(each.done() for each in asked) < 46:
            time.sleep(0.05)
        waits = [timed(running.base_url) for _ in range(20)]
        hung = sum(not each.done() for each in asked)
        told = [each.result() for each in asked]

    assert hung == 4
    assert max(waits) < 1
    assert sum(FAILED in each for each in told) == 4
    assert sum(BUSY in each for each in told) == 46
