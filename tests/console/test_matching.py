"""Decisions about all software that a list matches: what the page counted, as it was then."""

import pytest
from sqlalchemy import update

from app.domain.audit_tags import Tag
from app.domain.software import Software
from app.extensions import db
from tests.console.decisions import QUEUE, decision
from tests.console.markup import controls, neighbour, texts


@pytest.fixture
def many(register):
    """Register thirty pieces of software, five of them called Editor."""
    names = [f"{'Editor' if number % 6 == 0 else 'App'} {number:02}" for number in range(30)]
    for name in names:
        register(client_name=name)
    return names


@pytest.fixture
def statuses(app):
    """Return a function that reads the status of all software by its name."""

    def read():
        with app.app_context():
            return {row.name: row.status for row in db.session.query(Software)}

    return read


def shown(browser, query=""):
    """Return where the form of a list is sent, and the fields that select all that match."""
    page = browser.get(QUEUE + query).text
    [form] = controls(page, "form", method="post", action=approval(query))
    [seen] = controls(page, name="seen")
    [box] = controls(page, name="matching", type="checkbox")
    assert controls(page, "button", **{"data-confirm-matching": form_question(box)})
    return form["action"], {"seen": seen["value"], "matching": box["value"]}


def approval(query):
    """Return where a list with some search is approved."""
    search = query.partition("q=")[2].partition("&")[0]
    return f"{QUEUE}approve?q={search}" if search else f"{QUEUE}approve"


def form_question(box):
    """Return what is asked before all that match are approved."""
    return (
        f"Approve all {box['data-matching']}, also those on other pages, each with every scope it"
        " is offered, or with what a first approver gave?"
    )


def test_everything_that_waits_is_approved_also_what_other_pages_show(
    approver, many, statuses, send, happened
):
    action, fields = shown(approver)
    assert "Select all 30 matching" in texts(approver.get(QUEUE).text)

    send(approver, action, **fields)

    assert set(statuses().values()) == {"approved"}
    assert len(happened(Tag.SOFTWARE_APPROVED)) == 30
    assert "30 approved." in texts(approver.get(QUEUE).text)


def test_a_search_bounds_what_is_decided_about(approver, register, many, statuses, send):
    for number in range(30, 60):
        register(client_name=f"Editor {number}")
    action, fields = shown(approver, "?q=Editor")

    send(approver, action.replace("approve", "reject"), reason="spam", **fields)

    rejected = {name for name, status in statuses().items() if status == "rejected"}
    assert rejected == {name for name in statuses() if name.startswith("Editor")}
    assert len(rejected) == 35


def test_what_came_changed_or_was_decided_since_is_left_out_and_said(
    approver, register, find, many, statuses, send, app, csrf
):
    """X-45 in bulk: nobody approves what the page did not count."""
    action, fields = shown(approver, "?size=25&sort=name")
    register(client_name="Late")
    row = find("App 01")
    approver.post(f"{QUEUE}{row.id}/reject", data=decision(csrf, approver, row))
    with app.app_context():
        changed = update(Software).where(Software.name == "App 02").values(revision="another")
        db.session.execute(changed)
        db.session.commit()

    send(approver, action, **fields)

    now = statuses()
    assert (now["Late"], now["App 01"], now["App 02"]) == ("pending", "rejected", "pending")
    assert list(now.values()).count("approved") == 28
    said = texts(approver.get(QUEUE).text)
    assert "28 approved." in said
    assert "2 left out: they came, or changed, after the page was shown." in said


@pytest.mark.parametrize("seen", ["", "x", "\0", "A" * 4000, "\u00e9" * 8])
def test_a_forged_account_of_what_was_seen_decides_about_nothing(
    approver, many, statuses, send, seen
):
    send(approver, f"{QUEUE}approve", matching="yes", seen=seen)

    assert set(statuses().values()) == {"pending"}


def test_a_page_that_shows_everything_offers_no_more(approver, register):
    register()

    assert controls(approver.get(QUEUE).text, name="matching") == []


def test_only_so_much_is_decided_about_at_once_what_waited_longest_first(
    approver, many, statuses, send, monkeypatch
):
    monkeypatch.setattr("app.console.matching.MOST", 27)
    last = approver.get(neighbour(approver.get(QUEUE).text, "next")).text
    [seen] = controls(last, name="seen")
    assert "Select the 27 of 30 matching that have waited longest" in texts(last)

    send(approver, f"{QUEUE}approve", matching="yes", seen=seen["value"])

    left = {name for name, status in statuses().items() if status == "pending"}
    assert left == set(many[27:])


def test_all_of_it_can_be_taken_back(approver, many, statuses, send):
    action, fields = shown(approver)
    send(approver, action, **fields)
    [last] = controls(approver.get(QUEUE).text, name="last")

    send(approver, f"{QUEUE}undo", last=last["value"])

    assert set(statuses().values()) == {"pending"}
