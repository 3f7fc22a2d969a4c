"""What a document says later: what it adds waits for approval, the approved one serves."""

import pytest

from app.domain import gate_answers
from app.domain.gate_answers import GateAnswer
from tests.protocol.document_clients import HOUR, LOOPBACK, OTHER, FakeGate, seen
from tests.protocol.document_clients import approved as approved
from tests.protocol.document_clients import codex as codex
from tests.protocol.document_clients import operator as operator
from tests.protocol.document_clients import put_in_force as put_in_force
from tests.protocol.documents import CODEX, is_refused_here, is_waiting
from tests.protocol.documents import app as app
from tests.protocol.documents import authority as authority
from tests.protocol.documents import host as host
from tests.protocol.documents import limits as limits
from tests.protocol.documents import overrides as overrides
from tests.protocol.documents import tls as tls
from tests.protocol.machines import Machine


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


@pytest.mark.parametrize("limits", [{"registration_pending_per_address": 1}], ids=["one at a time"])
def test_a_crowded_network_brings_no_new_document_and_what_was_approved_still_follows_its_own(
    approved, host, person, operator, clock
):
    """X-39: the second page refuses; a change of the first waits although its queue is full."""
    second, third = (
        Machine(approved.http, host.put(CODEX, path), redirect_uri=LOOPBACK)
        for path in ("/second.json", "/third.json")
    )
    assert is_waiting(person.open(second.asking()))
    assert is_refused_here(person.open(third.asking()), 429, "Too much software from this network")

    host.put(CODEX | {"redirect_uris": [*CODEX["redirect_uris"], OTHER]})
    clock.advance(HOUR)
    assert person.tokens(approved)
    assert seen(operator, approved, waiting=True).status == "pending"
