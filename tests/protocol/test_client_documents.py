"""Clients whose client_id is the URL of a document: first sight, changes, and lost documents."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import BoundedSemaphore, Event, Lock

import pytest

from app.domain import clients, gate_answers, policy_versions, registration_modes, rules
from app.domain.audit import SERVER
from app.domain.client_documents import ClientDocument
from app.domain.client_records import Client
from app.domain.gate_answers import GateAnswer
from app.domain.software import Software
from app.extensions import db
from tests.protocol.documents import (
    CHATGPT,
    CODEX,
    HOST,
    SHAPES,
    UNUSABLE,
    is_refused_here,
    is_waiting,
)
from tests.protocol.documents import app as app
from tests.protocol.documents import authority as authority
from tests.protocol.documents import host as host
from tests.protocol.documents import limits as limits
from tests.protocol.documents import overrides as overrides
from tests.protocol.documents import tls as tls
from tests.protocol.machines import Machine, assert_refused
from tests.protocol.persons import answer_of, new_http
from tests.protocol.registrants import Operator
from tests.protocol.signers import signer_of
from tests.protocol.vendors import key_set

LOOPBACK = "http://127.0.0.1:49152/callback"
OTHER = "https://other.example/cb"
HOUR, DAY = 3600, 86400
METADATA = "/.well-known/oauth-authorization-server"


@pytest.fixture
def operator(app):
    return Operator(app)


@pytest.fixture
def codex(client, host):
    """Return the client of a published document."""
    return Machine(client, host.put(CODEX), redirect_uri=LOOPBACK)


@pytest.fixture
def approved(clock, codex, person, operator):
    """Return a client of a document that was seen and approved, after the clock was stopped."""
    person.open(codex.asking())
    operator.approve(codex)
    return codex


@pytest.fixture
def put_in_force(app):
    """Return a function that puts one rule in force, written as in a policy file."""

    def save(**rule):
        with app.app_context():
            seen = policy_versions.in_force().number
            policy_versions.save([rules.from_json(rule)], seen, by=SERVER)
            db.session.commit()

    return save


def count(app, table):
    """Return how many rows a table has."""
    with app.app_context():
        return db.session.scalar(db.select(db.func.count()).select_from(table))


def seen(operator, machine, **which):
    """Return the software of a client, or of its waiting revision."""
    return operator.look(operator.software_id(machine, **which))


def known_of(app, machine):
    """Return what is known of a document."""
    with app.app_context():
        return db.session.get(ClientDocument, machine.client_id)


def delete(operator, machine):
    """Delete a client, as an operator."""
    with operator.deciding():
        clients.delete(clients.get(machine.client_id), "gone", by=SERVER)


@pytest.mark.parametrize("document, redirect", SHAPES.values(), ids=SHAPES.keys())
def test_a_real_document_waits_is_approved_and_gets_tokens(
    client, host, person, operator, document, redirect
):
    """N-198: a client of a document goes the way of every arrival."""
    machine = Machine(client, host.put(document), redirect_uri=redirect)

    assert is_waiting(person.open(machine.asking()))
    assert_refused(machine.post("/token", grant_type="refresh_token"), "access_denied")
    operator.approve(machine)

    assert "access_token" in person.tokens(machine)
    assert host.asked == ["/oauth/client.json"]


def test_a_document_is_also_seen_first_where_requests_are_pushed(
    codex, host, person, operator, put_in_force, audited
):
    """RFC 9126: a refusal is JSON there, whatever it would be at /authorize."""
    lost = Machine(codex.http, host.url("/lost.json"), redirect_uri=LOOPBACK)
    assert_refused(lost.push(), "invalid_request")
    assert_refused(codex.push(), "access_denied")
    assert (seen(operator, codex).seen_count, len(audited("client.registered"))) == (1, 1)
    operator.approve(codex)
    page = person.open(codex.pushed())
    page = person.open(person.sign_in(page).location)

    assert codex.redeem(answer_of(person.decide(page))["code"]).status_code == 200
    assert host.asked == ["/lost.json", "/oauth/client.json"]
    put_in_force(name="None", outcome="refuse", when={"source": "cimd"}, message="Not here.")
    other = Machine(codex.http, host.put(CODEX, "/other.json"), redirect_uri=LOOPBACK)
    assert_refused(other.push(), "access_denied", 403)
    assert audited("registration.refused")[-1].subject == "par.push_request"


def test_a_document_may_demand_that_its_client_signs(client, host, person, operator):
    host.put(json.dumps(key_set("ES256")).encode(), "/jwks.json")
    signing = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": host.url("/jwks.json")}
    machine = Machine(client, host.put(CODEX | signing), redirect_uri="http://127.0.0.1:1/callback")
    assert is_waiting(person.open(machine.asking()))
    operator.approve(machine)
    code = person.code(machine)

    assert_refused(machine.redeem(code), "invalid_client")
    assert signer_of(machine).redeem(code).status_code == 200
    assert host.asked == ["/oauth/client.json", "/jwks.json"]


def test_the_arrival_is_recorded_with_its_document(codex, person, operator, audited, client):
    person.open(codex.asking(), environ_overrides={"REMOTE_ADDR": "192.0.2.7"})

    (event,) = audited("client.registered")
    evidence = event.detail["evidence"]
    assert (event.client_id, event.detail["outcome"]) == (codex.client_id, "hold")
    assert (evidence["source"], evidence["document_url"]) == ("cimd", codex.client_id)
    assert evidence["address"] == "192.0.2.7"
    row = seen(operator, codex)
    assert (row.source, row.seen_count) == ("cimd", 1)
    assert any("Look-alike of Codex" in note for note in row.notes)
    assert client.get(f"/clients/{codex.client_id}").status_code == 401


def test_consent_names_the_host_of_the_document(approved, person, host):
    """N-197."""
    assert f"{HOST}:{host.port}</strong>" in person.consent_page(approved).text


def test_a_document_that_leads_elsewhere_is_noted(host, client, person, operator):
    """N-193."""
    machine = Machine(client, host.put(CHATGPT), redirect_uri=CHATGPT["redirect_uris"][0])
    person.open(machine.asking())

    assert any("another host than the document" in note for note in seen(operator, machine).notes)


@pytest.mark.parametrize("max_age, seconds", [("60", 300), (None, HOUR)])
def test_a_document_is_fetched_again_when_its_time_is_over(
    app, host, client, person, clock, max_age, seconds
):
    """N-194: within bounds of ours."""
    said = {"Cache_Control": f"public, max-age={max_age}"} if max_age else {}
    machine = Machine(client, host.put(CODEX, **said), redirect_uri=LOOPBACK)
    person.open(machine.asking())
    clock.advance(seconds - 1)
    person.open(machine.asking())
    assert len(host.asked) == 1
    clock.advance(1)
    person.open(machine.asking())

    assert len(host.asked) == 2
    assert count(app, Client) == count(app, Software) == 1


def test_a_widened_document_waits_while_the_approved_one_serves(
    approved, host, person, operator, clock, audited
):
    """X-44."""
    widened = CODEX | {"redirect_uris": [*CODEX["redirect_uris"], OTHER]}
    host.put(widened)
    clock.advance(HOUR)

    assert person.tokens(approved)
    assert is_refused_here(person.open(approved.at(OTHER).asking()), 400, "not known here")
    assert seen(operator, approved, waiting=True).status == "pending"
    (event,) = audited("client.updated")
    assert event.detail["after"]["redirect_uris"] == widened["redirect_uris"]

    operator.approve(approved, waiting=True)
    assert person.tokens(approved.at(OTHER))
    assert len(host.asked) == 2


def test_whatever_else_a_document_says_later_serves_nobody_before_it_is_approved(
    approved, host, person, operator, clock
):
    """X-44: name, picture and keys as well as addresses."""
    before = seen(operator, approved).client_metadata
    for name in ("client_name", "logo_uri", "jwks_uri"):
        said = f"https://client.example/{name}"
        host.put(CODEX | {name: said})
        clock.advance(HOUR)

        page = person.consent_page(approved).text
        assert (CODEX["client_name"] in page, said in page) == (True, False)
        assert seen(operator, approved).client_metadata == before
        assert seen(operator, approved, waiting=True).client_metadata[name] == said


def test_each_further_widening_waits_again(approved, host, person, operator, clock):
    """What was approved at this URL once does not vouch for what it says later."""
    for uri in (OTHER, "https://third.example/cb"):
        host.put(CODEX | {"redirect_uris": [*CODEX["redirect_uris"], uri]})
        clock.advance(HOUR)
        assert person.open(approved.asking()).status_code == 200
        assert person.open(approved.at(uri).asking()).status_code == 400
        operator.approve(approved, waiting=True)
        assert person.open(approved.at(uri).asking()).status_code == 200

    host.put(CODEX | {"redirect_uris": [*CODEX["redirect_uris"], "https://fourth.example/cb"]})
    clock.advance(HOUR)
    assert person.open(approved.at("https://fourth.example/cb").asking()).status_code == 400


def test_a_narrowed_document_is_in_force_at_once(host, client, person, operator, clock):
    both = CODEX | {"redirect_uris": [*CODEX["redirect_uris"], OTHER]}
    machine = Machine(client, host.put(both), redirect_uri=LOOPBACK)
    person.open(machine.asking())
    operator.approve(machine)
    host.put(CODEX)
    clock.advance(HOUR)

    assert person.tokens(machine)
    assert is_refused_here(person.open(machine.at(OTHER).asking()), 400)


def test_waiting_software_shows_what_its_document_says_now(codex, host, person, operator, clock):
    person.open(codex.asking())
    before = seen(operator, codex)
    host.put(CODEX | {"client_name": "Trusted Tool"})
    clock.advance(HOUR)
    person.open(codex.asking())

    now = seen(operator, codex)
    assert (now.id, now.name) == (before.id, "Trusted Tool")
    assert now.revision != before.revision


def test_a_rejected_revision_does_not_come_back_by_itself(
    approved, host, person, operator, clock, audited
):
    host.put(CODEX | {"client_name": "Trusted Tool"})
    clock.advance(HOUR)
    person.open(approved.asking())
    operator.reject(approved, waiting=True)
    clock.advance(HOUR)

    assert person.tokens(approved)
    assert len(audited("client.updated")) == 1


def test_a_change_that_a_rule_refuses_leaves_what_was_approved(
    approved, host, person, put_in_force, clock, audited
):
    put_in_force(name="elsewhere", outcome="refuse", when={"redirect_host": "other.example"})
    host.put(CODEX | {"redirect_uris": [*CODEX["redirect_uris"], OTHER]})
    clock.advance(HOUR)

    assert person.tokens(approved)
    assert person.open(approved.at(OTHER).asking()).status_code == 400
    (event,) = audited("client.document_refused")
    assert (event.client_id, event.detail["rule"]) == (approved.client_id, "elsewhere")


def test_switched_off_it_is_unknown_and_not_advertised(app, codex, host, person, client):
    assert client.get(METADATA).get_json()["client_id_metadata_document_supported"] is True
    with app.app_context():
        registration_modes.switch_documents(False, True, by=SERVER)
        db.session.commit()

    assert is_refused_here(person.open(codex.asking()), 400, "not known here")
    assert host.asked == []
    assert "client_id_metadata_document_supported" not in client.get(METADATA).get_json()


def test_switched_off_what_is_approved_goes_on_as_it_is(app, approved, host, person, clock):
    with app.app_context():
        registration_modes.switch_documents(False, True, by=SERVER)
        db.session.commit()
    clock.advance(3 * DAY)

    assert person.tokens(approved)
    assert len(host.asked) == 1


def test_a_rule_admits_a_document_by_its_host(codex, person, put_in_force):
    put_in_force(name="ours", outcome="admit", when={"document_host": HOST, "source": "cimd"})

    assert "access_token" in person.tokens(codex)


def test_a_refused_document_is_fetched_once_a_minute(codex, host, person, put_in_force, clock):
    """N-196: no amplifier, whatever becomes of what was fetched."""
    put_in_force(name="no", outcome="refuse", when={"name": "codex"})
    for _ in range(3):
        assert is_refused_here(person.open(codex.asking()), 403)
    assert len(host.asked) == 1
    clock.advance(60)
    person.open(codex.asking())

    assert len(host.asked) == 2


class FakeGate:
    """Answers what a test wants, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def ask(self, question):
        self.asked.append(question)
        return self.answers.pop(0)


def test_the_gate_is_asked_about_a_document_before_anything_is_stored(app, codex, host, person):
    gate = app.extensions["gatewright.gate"] = FakeGate(GateAnswer("deny", "Not on the list."))

    assert is_refused_here(person.open(codex.asking()), 403, "Not on the list.")
    (asked,) = gate.asked
    assert (asked.operation, asked.source_api) == ("register", "/authorize")
    assert asked.registration_id == asked.evidence["document_url"] == codex.client_id
    assert asked.registration_payload["client_name"] == "Codex"
    assert count(app, Client) == 0


def test_a_change_that_the_gate_could_not_judge_is_judged_again(
    app, approved, host, person, operator, clock
):
    answers = (gate_answers.failed("timeout"), GateAnswer("allow"))
    gate = app.extensions["gatewright.gate"] = FakeGate(*answers)
    host.put(CODEX | {"redirect_uris": [*CODEX["redirect_uris"], OTHER]})
    clock.advance(HOUR)
    assert person.tokens(approved)
    clock.advance(300)
    assert person.tokens(approved)

    assert [asked.operation for asked in gate.asked] == ["update", "update"]
    assert seen(operator, approved, waiting=True).status == "pending"


def test_approved_software_goes_on_for_a_day_while_its_document_is_away(
    app, approved, host, person, clock
):
    host.put(b"", status=503)
    clock.advance(HOUR)
    assert person.tokens(approved)
    known = known_of(app, approved)
    assert (known.failed_at, known.failure) == (clock.now, "answer")
    clock.advance(DAY - 1)
    assert person.open(approved.asking()).status_code == 200
    clock.advance(1)
    assert is_refused_here(person.open(approved.asking()), 400, UNUSABLE)

    host.put(CODEX)
    clock.advance(60)
    assert person.tokens(approved)
    assert known_of(app, approved).failure is None


def test_what_is_not_approved_does_not_go_on_without_its_document(codex, host, person, clock):
    person.open(codex.asking())
    host.put(b"", status=503)
    clock.advance(HOUR)

    assert is_refused_here(person.open(codex.asking()), 400, UNUSABLE)


def test_a_failure_is_told_alike_kept_nowhere_and_paused(app, codex, host, person, clock):
    """N-194, S-12."""
    host.put(b"", status=500)
    for _ in range(3):
        assert is_refused_here(person.open(codex.asking()), 400, UNUSABLE)
    assert len(host.asked) == 1
    assert count(app, Client) == count(app, ClientDocument) == 0
    host.put(CODEX)
    clock.advance(5)

    assert is_waiting(person.open(codex.asking()))


def test_a_document_that_went_bad_is_a_document_that_is_away(approved, host, person, clock):
    host.put(CODEX | {"client_secret": "s"})
    clock.advance(HOUR)
    assert person.tokens(approved)
    clock.advance(DAY)

    assert person.open(approved.asking()).status_code == 400


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect"])
def test_other_endpoints_fetch_nothing(codex, host, path):
    answer = codex.post(path, token="x", grant_type="refresh_token", refresh_token="x")

    assert_refused(answer, "invalid_client")
    assert host.asked == []


def test_a_stopped_client_s_document_is_left_alone(approved, host, person, operator, clock):
    operator.block(approved)
    clock.advance(HOUR)

    assert is_refused_here(person.open(approved.asking()), 400, "not active")
    assert len(host.asked) == 1


def test_a_deleted_client_comes_back_like_one_that_registers_again(
    approved, host, person, operator, clock
):
    old = person.tokens(approved)
    delete(operator, approved)
    clock.advance(60)

    page = person.open(approved.asking())
    assert page.status_code == 200
    assert "Codex" in page.text
    assert_refused(approved.refresh(old["refresh_token"]), "invalid_grant")
    delete(operator, approved)
    host.put(CODEX | {"client_name": "Another"})
    clock.advance(60)
    assert is_waiting(person.open(approved.asking()))


def test_a_deleted_client_of_blocked_software_stays_away(approved, host, person, operator):
    operator.block(approved)
    delete(operator, approved)

    answer = answer_of(person.open(approved.asking()))
    assert answer["error"] == "invalid_client"
    assert len(host.asked) == 1


@pytest.mark.parametrize(
    "limits", [{"rate_limit_enabled": True, "registration_rate_limit": "8 per minute"}]
)
def test_first_sights_of_one_address_are_limited(codex, host, person, clock):
    """N-196: without Redis a process of four allows its part; here there is one."""
    host.put(b"", status=500)
    pages = [person.open(codex.asking()) for _ in range(9)]

    assert [page.status_code for page in pages] == [400] * 8 + [429]
    assert int(pages[-1].headers["Retry-After"]) > 0
    assert len(host.asked) == 1


def ask_at_once(app, machine, how_many):
    """Send so many requests at the same time."""

    def ask(_):
        return new_http(app).get(machine.asking())

    with ThreadPoolExecutor(how_many) as threads:
        return list(threads.map(ask, range(how_many)))


def test_sixteen_who_ask_at_once_cause_one_fetch_and_one_client(app, codex, host, operator):
    """N-194."""
    app.extensions["gatewright.documents"].places = BoundedSemaphore(16)

    pages = ask_at_once(app, codex, 16)

    assert [is_waiting(page) for page in pages] == [True] * 16
    assert host.asked == ["/oauth/client.json"]
    assert count(app, Client) == count(app, Software) == 1


def test_two_processes_that_see_it_at_once_make_one_client(app, codex, host, monkeypatch):
    """The turn of a process does not hold others, so the second finds the row taken."""
    documents = app.extensions["gatewright.documents"]
    monkeypatch.setattr(documents, "_queued", lambda _url: nullcontext(Lock()))
    monkeypatch.setattr(documents, "is_in_hand", lambda _url: False)
    host.released = Event()
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(new_http(app).get, codex.asking()) for _ in range(2)]
        while len(host.asked) < 2:
            time.sleep(0.01)
        host.released.set()

    assert [is_waiting(each.result()) for each in both] == [True, True]
    assert count(app, Client) == count(app, Software) == 1


def test_a_host_that_hangs_holds_only_who_fetches_from_it(app, approved, host, clock):
    """F-31: who can be served is served while one is asking."""
    clock.advance(HOUR)
    host.released = Event()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(new_http(app).get, approved.asking())
        while len(host.asked) < 2:
            time.sleep(0.01)
        pages = [new_http(app).get(approved.asking()) for _ in range(3)]
        host.released.set()

    assert [page.status_code for page in [*pages, first.result()]] == [200] * 4
    assert len(host.asked) == 2
