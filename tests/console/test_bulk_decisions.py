"""Decisions about several pieces of software at once, each as it was seen."""

import pytest

from app.domain.audit_tags import Tag
from tests.console.decisions import QUEUE, decision, selection
from tests.console.markup import texts


def test_selected_software_is_decided_one_by_one_and_failures_are_told_for_each(
    approver, register, find, csrf, happened
):
    """C-43: one audit record for each, and a failure of one stops no other."""
    for name in ("One", "Two", "Three"):
        register(client_name=name)
    chosen = {name: find(name) for name in ("One", "Two", "Three")}
    approver.post(f"{QUEUE}{chosen['Two'].id}/reject", data=decision(csrf, approver, chosen["Two"]))

    answer = approver.post(
        f"{QUEUE}approve",
        data={
            "csrf_token": csrf(approver),
            "selected": [*map(selection, chosen.values()), "unknown:x", "\0:\0", ""],
        },
    )

    assert (answer.status_code, answer.location) == (303, QUEUE)
    assert [find(name).status for name in chosen] == ["approved", "rejected", "approved"]
    assert {event.subject for event in happened(Tag.SOFTWARE_APPROVED)} == {
        chosen["One"].id,
        chosen["Three"].id,
    }
    said = texts(approver.get(QUEUE).text)
    assert "2 approved." in said
    assert "4 could not be decided" in said
    assert "Two : The software was decided or has changed meanwhile" in said
    assert "could not be decided" not in approver.get(QUEUE).text


def test_selected_software_is_decided_as_it_was_seen(approver, register, find, csrf):
    """X-45 in bulk: each row carries the revision that was on the page."""
    register()
    row = find()

    approver.post(
        f"{QUEUE}approve",
        data={"csrf_token": csrf(approver), "selected": f"{row.id}:another revision"},
    )

    assert find().status == "pending"


@pytest.mark.parametrize("reason, status", [("", "pending"), ("spam", "rejected")])
def test_rejecting_a_selection_needs_a_reason(approver, register, find, csrf, reason, status):
    register()

    approver.post(
        f"{QUEUE}reject",
        data={"csrf_token": csrf(approver), "selected": selection(find()), "reason": reason},
    )

    assert find().status == status
    assert find().reason == (reason or None)
