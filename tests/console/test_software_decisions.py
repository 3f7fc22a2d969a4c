"""Decisions about one piece of software: approve, reject, block, unblock, and their refusals."""

from datetime import UTC, datetime

import pytest

from app.domain.audit_tags import Tag
from tests.console.decisions import DECISIONS, QUEUE, addresses, decision, selection
from tests.console.markup import texts

FAULTS = [
    ("approve", {"scopes": []}, "Leave it at least one scope, or reject it."),
    ("approve", {"limit": "chosen"}, "Choose at least one resource, or allow all of them."),
    ("approve", {"limit": "none"}, "The resources must be one of the choices offered."),
    ("approve", {"until": "2001-01-01"}, "The last day must be a date from today on."),
    ("approve", {"until": "9999-12-31"}, "The last day must be a date from today on."),
    ("approve", {"until": "soon"}, "The last day must be a date from today on."),
    ("approve", {"reason": "a\nb"}, "A reason must not contain control"),
    ("reject", {"reason": ""}, "A reason is missing."),
    ("reject", {"reason": "\u200b "}, "A reason is missing."),
    ("reject", {"reason": "\0"}, "A reason must not contain control"),
    ("reject", {"reason": "x" * 501}, "A reason is too long"),
    ("block", {"reason": ""}, "A reason is missing."),
    ("block", {"whom": ""}, "Whom to stop must be one of the choices offered."),
]


def test_approval_with_fewer_scopes_and_one_resource_is_what_the_client_gets(
    approver, register, catalogue, find, csrf, happened, client
):
    registered = register(client_name="Editor", scope="tools write")
    row = find("Editor")
    form = decision(
        csrf,
        approver,
        row,
        scopes=["tools", "never offered"],
        limit="chosen",
        resources=["https://one.example/", "https://unknown.example/"],
        reason="for the build team",
    )

    answer = approver.post(f"{QUEUE}{row.id}/approve", data=form)

    assert (answer.status_code, answer.location) == (303, f"{QUEUE}{row.id}")
    approved = find("Editor")
    assert (approved.status, approved.scopes, approved.resources, approved.decided_by) == (
        "approved",
        ["tools"],
        ["https://one.example/"],
        "approver@example.org",
    )
    (event,) = happened(Tag.SOFTWARE_APPROVED)
    assert (event.actor_name, event.subject) == ("approver@example.org", row.id)
    assert event.detail["reason"] == "for the build team"
    assert "Approved. Its clients can ask for tokens now." in texts(
        approver.get(answer.location).text
    )
    assert registered["client_id"] in approver.get(answer.location).text


def test_an_approval_ends_with_the_chosen_day(approver, register, find, csrf, clock):
    register()
    row = find()
    today = datetime.fromtimestamp(clock.now, UTC).date().isoformat()

    answer = approver.post(
        f"{QUEUE}{row.id}/approve", data=decision(csrf, approver, row, until=today)
    )

    until = find().approved_until
    assert answer.status_code == 303
    assert until % 86400 == 0
    assert clock.now < until <= clock.now + 86400


@pytest.mark.parametrize("verb, fields, sentence", FAULTS)
def test_a_form_that_cannot_be_carried_out_says_why_and_decides_nothing(
    approver, register, catalogue, find, csrf, happened, verb, fields, sentence
):
    register(scope="tools")
    row = find()

    answer = approver.post(f"{QUEUE}{row.id}/{verb}", data=decision(csrf, approver, row, **fields))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert find().status == "pending"
    assert happened("software") == []


def test_rejecting_blocking_and_unblocking_move_software_and_are_recorded_with_the_reason(
    approver, register, find, csrf, happened
):
    register(client_name="Good")
    register(client_name="Bad")
    good, bad = find("Good"), find("Bad")

    for row, verb, status in (
        (bad, "reject", "rejected"),
        (good, "approve", "approved"),
        (good, "block", "blocked"),
        (good, "unblock", "approved"),
    ):
        form = decision(csrf, approver, row, reason=f"{verb} it")
        assert approver.post(f"{QUEUE}{row.id}/{verb}", data=form).status_code == 303
        assert find(row.name).status == status
        page = texts(approver.get(f"{QUEUE}{row.id}").text)
        assert f"{verb} it" in page
    assert [event.detail["reason"] for event in reversed(happened("software"))] == [
        "reject it",
        "approve it",
        "block it",
        "unblock it",
    ]


def test_approving_what_was_replaced_meanwhile_answers_409_and_shows_the_change(
    approver, register, find, csrf, client, happened
):
    """X-45: the approver saw revision 1, the registrant puts revision 2."""
    registered = register(client_name="Editor")
    seen = find("Editor")
    put = client.put(
        f"/clients/{registered['client_id']}",
        json={
            "client_id": registered["client_id"],
            "client_name": "Editor",
            "redirect_uris": ["https://client.example/cb"],
            "scope": "tools",
            "contacts": ["evil@attacker.example"],
        },
        headers={"Authorization": f"Bearer {registered['registration_access_token']}"},
    )
    assert put.status_code == 200

    answer = approver.post(
        f"{QUEUE}{seen.id}/approve", data=decision(csrf, approver, seen, scopes=["openid"])
    )

    assert answer.status_code == 409
    assert "Nothing was decided" in answer.text
    assert "<ins><bdi" in answer.text
    assert "evil@attacker.example" in answer.text
    assert find("Editor").status == "pending"
    assert find("Editor").revision in answer.text
    assert happened(Tag.SOFTWARE_APPROVED) == []


def test_a_decision_that_came_second_answers_409_and_says_who_was_first(
    approver, admin, register, find, csrf
):
    register()
    row = find()
    approver.post(f"{QUEUE}{row.id}/reject", data=decision(csrf, approver, row, reason="no"))

    answer = admin.post(f"{QUEUE}{row.id}/approve", data=decision(csrf, admin, row))

    assert answer.status_code == 409
    assert "It is rejected now, decided by approver@example.org" in texts(answer.text)
    assert find().status == "rejected"


@pytest.mark.parametrize("verb", ["approve", "reject", *(f"ID/{verb}" for verb in DECISIONS)])
def test_a_viewer_decides_nothing(viewer, register, find, csrf, happened, verb):
    """C-40: the role is checked by the server, not by the missing button."""
    register()
    row = find()
    form = decision(csrf, viewer, row, selected=selection(row))

    answer = viewer.post(QUEUE + verb.replace("ID", row.id), data=form)

    assert answer.status_code == 403
    assert "This needs the role approver" in answer.text
    assert find().status == "pending"
    (refused,) = happened(Tag.REQUEST_REFUSED)
    assert refused.actor_name == "viewer@example.org"


@pytest.mark.parametrize(
    "change, status",
    [("missing", 400), ("empty", 400), ("of another session", 400), ("cross-site", 403)],
)
def test_a_decision_that_the_approver_did_not_send_is_refused(
    approver, admin, register, find, csrf, change, status
):
    """C-20, X-46: a decision needs a form of this session, sent from this site."""
    register()
    row = find()
    form = decision(csrf, approver, row, selected=selection(row))
    headers = {"Sec-Fetch-Site": "cross-site" if change == "cross-site" else "same-origin"}
    if change == "missing":
        del form["csrf_token"]
    elif change != "cross-site":
        form["csrf_token"] = "" if change == "empty" else csrf(admin)

    answers = [approver.post(address, data=form, headers=headers) for address in addresses(row)]

    assert {answer.status_code for answer in answers} == {status}
    assert find().status == "pending"


def test_no_decision_is_made_by_reading_an_address(approver, register, find, csrf):
    """X-46: htmx or a picture that reads the address of a decision decides nothing."""
    register()
    row = find()
    form = decision(csrf, approver, row, selected=selection(row))

    answers = [approver.get(each, query_string=form) for each in addresses(row)]

    assert {answer.status_code for answer in answers} <= {404, 405}
    assert find().status == "pending"
