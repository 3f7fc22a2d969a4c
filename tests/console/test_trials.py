"""Trying an arrival on others: the document at a URL, and the gate, which learns it is a trial."""

import pytest

from app.domain import gate_answers, policy_versions
from app.domain.audit import SERVER
from app.domain.rules import Rule
from app.extensions import db
from app.outbound import gate as gates
from app.outbound.client import Answer
from app.views import instant
from tests.console.markup import texts
from tests.console.matrix import gets, harmful, posts, unlisted, wrongly_reached
from tests.console.test_simulator import EDITOR, PAGE
from tests.protocol.registrants import post
from tests.services.gate import said, scripted

GATE = "/admin/gate/"
ROUTES = (("GET", GATE, "viewer"), ("POST", GATE, "admin"))
URL = "https://client.example/oauth/client.json"
DOCUMENT = (
    b'{"client_id": "https://client.example/oauth/client.json", "client_name": "Codex",'
    b' "redirect_uris": ["http://127.0.0.1/callback"]}'
)
ADMITTING = """
rules:
- name: editors
  outcome: admit
  when: {redirect_host: loopback}
  then: {approve_days: 30}
"""
PASTED = {"metadata": EDITOR, "ask_gate": "on"}


@pytest.fixture
def fetched(app, monkeypatch):
    """Put a document outside; gives the list of URLs that were fetched."""
    asked = []

    def stranger(url, **_limits):
        assert not db.session.registry.has() or not db.session().in_transaction()
        asked.append(url)
        return Answer(200, {"content-type": "application/json"}, DOCUMENT)

    monkeypatch.setattr(app.extensions["gatewright.outbound"], "stranger", stranger)
    return asked


@pytest.fixture
def gate(app):
    """Return a function that switches on a gate with these answers."""
    with scripted() as start:

        def switch(*answers):
            server = start(*answers)
            access = gates.Access(server.url)
            asking = gates.Gate(app.extensions["gatewright.outbound"], access)
            app.extensions["gatewright.gate"] = asking
            return server

        yield switch


def test_the_document_at_a_url_is_fetched_and_judged_but_not_stored(approver, send, fetched, app):
    answer = send(approver, f"{PAGE}judge", metadata=f" {URL}\n")

    assert fetched == [URL]
    assert "The verdict Hold" in texts(answer.text)
    with app.app_context():
        assert db.session.scalar(db.text("SELECT count(*) FROM software")) == 0


def test_what_policy_refuses_unread_is_not_fetched(approver, send, fetched, app):
    with app.app_context():
        rule = Rule("no documents", "refuse", when={"document_host": ["client.example"]}, id="r")
        policy_versions.save([rule], 0, by=SERVER)
        db.session.commit()

    answer = send(approver, f"{PAGE}judge", metadata=URL)

    assert "The verdict Refuse" in texts(answer.text)
    assert fetched == []


def test_a_document_that_cannot_be_had_is_the_fault_of_its_field(approver, send):
    answer = send(approver, f"{PAGE}judge", metadata="https://127.0.0.1/client.json")

    assert answer.status_code == 422
    assert "The document cannot be had" in texts(answer.text)


def test_the_gate_is_told_that_it_is_a_dry_run_and_its_word_is_shown(approver, send, gate):
    server = gate(said(403, {"error": "not here"}))

    page = texts(send(approver, f"{PAGE}judge", **PASTED).text)

    assert server.questions[0]["dry_run"] is True
    assert server.questions[0]["registration_payload"]["client_name"] == "Editor"
    assert "The verdict Refuse" in page
    assert "not here" in page


def test_what_the_gate_leaves_of_an_admission_is_shown(approver, send, gate, clock, catalogue):
    gate(said(200, {"decision": "allow", "expires_in": 86400, "scopes": ["tools"]}))

    page = texts(send(approver, f"{PAGE}judge", **PASTED, rules=ADMITTING).text)

    assert "The verdict Admit" in page
    assert "Scopes tools Bounded by" in page
    assert f"Approved until {instant(clock.now + 86400)}" in page


@pytest.mark.parametrize("typed", [PASTED, {"metadata": URL}])
def test_a_viewer_asks_nobody_else(viewer, send, gate, fetched, typed):
    """X-47."""
    server = gate()

    assert send(viewer, f"{PAGE}judge", **typed).status_code == 403
    assert (server.requests, fetched) == ([], [])
    assert "ask_gate" not in viewer.get(PAGE).text


def test_the_last_answers_of_the_gate_are_listed(viewer, admin, send, gate, client):
    gate(
        said(200, {"decision": "hold", "reason": "look twice"}),
        said(403, {"error": "<b>never</b>"}),
        said(200),
    )
    post(client, client_name="First")
    post(client, client_name="Second")

    page = viewer.get(GATE).text
    assert "It says: look twice" in texts(page)
    assert "The gate refuses it." in texts(page)
    assert "<b>never" not in page
    assert page.index("Second") < page.index("First")
    assert "Something answers there." in texts(send(admin, GATE).text)


def test_answers_are_looked_for_among_the_latest_arrivals_only(gate, client, app, monkeypatch):
    monkeypatch.setattr(gate_answers, "SEARCHED", 2)
    gate(said(200))
    post(client, client_name="Asked")
    app.extensions["gatewright.gate"] = None
    post(client, client_name="Unasked")
    with app.app_context():
        assert len(gate_answers.latest(5)) == 1

    post(client, client_name="Unasked too")

    with app.app_context():
        assert gate_answers.latest(5) == []


def test_without_a_gate_the_page_says_how_to_have_one(viewer, app):
    assert "No gate is set up" in texts(viewer.get(GATE).text)
    with app.app_context():
        assert gate_answers.latest(5) == []


def test_each_address_is_open_to_its_role_and_those_above(anybody, app):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []
    assert unlisted(app, "gate", ROUTES) == set()


def test_looking_and_forging_change_nothing(admin, app):
    """C-20, C-21, X-46."""
    assert harmful(app, admin, "GET", gets(ROUTES)) == []
    assert harmful(app, admin, "POST", posts(ROUTES), 400) == []
