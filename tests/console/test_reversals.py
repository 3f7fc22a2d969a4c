"""Decisions taken back: within ten minutes, by the last word on the page, while unused."""

import pytest
from sqlalchemy import update

from app.domain import last_use
from app.domain.audit import AuditEvent
from app.domain.client_records import Client
from app.extensions import db
from tests.console.decisions import QUEUE, decision, selection
from tests.console.markup import controls, texts

UNDO = f"{QUEUE}undo"


@pytest.fixture
def decided(approver, register, find, csrf):
    """Return a function that decides about new software; gives its client and what undoes it."""

    def decide(verb="approve"):
        registered, row = register(client_name="Editor", scope="tools"), find("Editor")
        approver.post(f"{QUEUE}{row.id}/{verb}", data=decision(csrf, approver, row))
        return registered["client_id"], f"{row.id}:{find('Editor').decided_at}"

    return decide


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_nothing_came_of_is_taken_back_and_made_again(
    decided, approver, catalogue, find, send, happened, csrf, verb
):
    _, selected = decided(verb)
    page = approver.get(f"{QUEUE}{find('Editor').id}").text
    assert [each["value"] for each in controls(page, name="selected")] == [selected]

    send(approver, UNDO, selected=selected)

    row = find("Editor")
    assert (row.status, row.scopes, row.reason, row.decided_by) == ("pending", [], "", None)
    assert "1 waiting again." in texts(approver.get(QUEUE).text)
    assert len(happened("software.undecided")) == 1
    approver.post(f"{QUEUE}{row.id}/approve", data=decision(csrf, approver, row))
    assert find("Editor").status == "approved"


def test_after_ten_minutes_a_decision_stays(decided, approver, find, send, clock, sign_in):
    _, selected = decided()
    clock.advance(600)

    send(approver, UNDO, selected=selected)

    assert find("Editor").status == "approved"
    assert "can be taken back for ten minutes" in texts(approver.get(QUEUE).text)
    assert "Take the decision back" not in approver.get(f"{QUEUE}{find('Editor').id}").text


@pytest.mark.parametrize("use", ["token", "grant", "revision"])
def test_a_decision_that_something_came_of_stays(
    decided, approver, app, find, send, grant, clock, signing_key, use
):
    client_id, selected = decided()
    with app.app_context():
        if use == "token":
            last_use.touch(client_id, clock.now)
        db.session.commit()
    if use == "grant":
        grant(client_id, 1)
    if use == "revision":
        with app.app_context():
            adopted = {"name": "Editor", "revisions": 1}
            told = update(AuditEvent).where(AuditEvent.tag == "software.approved")
            db.session.execute(told.values(detail=adopted))
            db.session.commit()

    send(approver, UNDO, selected=selected)

    assert find("Editor").status == "approved"
    assert "Something has come of this decision already" in texts(approver.get(QUEUE).text)


def test_a_decision_that_somebody_has_made_anew_stays(decided, approver, find, send, app):
    _, selected = decided()
    software_id = selected.partition(":")[0]

    for seen in (f"{software_id}:1", f"{software_id}:", f"{software_id}:x\0", f"none:{1}"):
        send(approver, UNDO, selected=seen)
        assert find("Editor").status == "approved"


def test_a_whole_bulk_is_taken_back_from_the_queue(approver, register, find, send, app):
    for name in ("One", "Two"):
        register(client_name=name)
    send(approver, f"{QUEUE}approve", selected=[selection(find("One")), selection(find("Two"))])
    [offered] = controls(approver.get(QUEUE).text, name="last")
    send(approver, UNDO, last="of another page")
    assert [find(name).status for name in ("One", "Two")] == ["approved", "approved"]
    send(approver, UNDO, last=offered["value"])

    assert [find(name).status for name in ("One", "Two")] == ["pending", "pending"]
    assert "can be taken back" not in approver.get(QUEUE).text
    with app.app_context():
        assert db.session.query(Client).where(Client.approved_once).count() == 0
