"""Clients whose client_id is the URL of a document: how they arrive, and come back."""

import json

import pytest

from app.domain import clients, registration_modes
from app.domain.audit import SERVER
from app.domain.client_records import Client
from app.domain.gate_answers import GateAnswer
from app.extensions import db
from tests.protocol.document_clients import DAY, LOOPBACK, FakeGate, count, seen
from tests.protocol.document_clients import approved as approved
from tests.protocol.document_clients import codex as codex
from tests.protocol.document_clients import operator as operator
from tests.protocol.document_clients import put_in_force as put_in_force
from tests.protocol.documents import CHATGPT, CODEX, HOST, SHAPES, is_refused_here, is_waiting
from tests.protocol.documents import app as app
from tests.protocol.documents import authority as authority
from tests.protocol.documents import host as host
from tests.protocol.documents import limits as limits
from tests.protocol.documents import overrides as overrides
from tests.protocol.documents import tls as tls
from tests.protocol.machines import Machine, assert_refused
from tests.protocol.persons import answer_of
from tests.protocol.signers import signer_of
from tests.protocol.test_request_objects import bringing, signed
from tests.protocol.vendors import key_set

METADATA = "/.well-known/oauth-authorization-server"


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


def test_a_document_may_demand_that_all_requests_are_signed(client, host, person, operator):
    """RFC 9101 section 10.5: the first one makes it known, and nothing in it counts before."""
    signing = {"jwks": key_set("ES256"), "require_signed_request_object": True}
    machine = Machine(client, host.put(CODEX | signing), redirect_uri="http://127.0.0.1:1/callback")
    path = bringing(signer_of(machine), signed(signer_of(machine), scope=None, resource=None))
    person.sign_in()
    assert is_refused_here(person.open(path), 400, "waiting for approval")
    operator.approve(machine)

    told = answer_of(person.open(machine.asking(resource=None)))
    assert (told["error"], host.asked) == ("invalid_request", ["/oauth/client.json"])
    assert "code" in answer_of(person.decide(person.open(person.open(path).location)))


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


def test_the_gate_is_asked_about_a_document_before_anything_is_stored(app, codex, host, person):
    gate = app.extensions["gatewright.gate"] = FakeGate(GateAnswer("deny", "Not on the list."))

    assert is_refused_here(person.open(codex.asking()), 403, "Not on the list.")
    (asked,) = gate.asked
    assert (asked.operation, asked.source_api) == ("register", "/authorize")
    assert asked.registration_id == asked.evidence["document_url"] == codex.client_id
    assert asked.registration_payload["client_name"] == "Codex"
    assert count(app, Client) == 0


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
