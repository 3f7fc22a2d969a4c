"""Clients stopped, started and ended."""

import pytest

from app.domain import grants
from app.domain.audit_tags import Tag
from tests.console.markup import texts
from tests.console.matrix import ways_to_act

LIST = "/admin/clients/"


def test_an_approver_suspends_and_resumes_with_a_reason(approver, send, register, stored, happened):
    made = register()["client_id"]

    answer = send(approver, f"{LIST}suspend/{made}", reason="lost laptop")

    assert (answer.status_code, answer.location) == (303, f"{LIST}{made}")
    assert stored(made).state == "suspended"
    [event] = happened(Tag.CLIENT_SUSPENDED)
    assert (event.actor_name, event.detail["reason"]) == ("approver@example.org", "lost laptop")
    assert "The client is suspended" in texts(approver.get(f"{LIST}{made}").text)

    assert send(approver, f"{LIST}resume/{made}", reason="found it").status_code == 303
    assert stored(made).state == "live"
    assert happened(Tag.CLIENT_RESUMED)[0].detail["reason"] == "found it"


@pytest.mark.parametrize("reason", ["", "  ", "a" * 501, "nul\0", "turn\u202ened"])
def test_nothing_is_suspended_without_a_reason_people_can_read(
    approver, send, register, stored, reason
):
    made = register()["client_id"]

    answer = send(approver, f"{LIST}suspend/{made}", reason=reason)

    assert answer.status_code == 303
    assert stored(made).state == "live"
    assert "A reason " in texts(approver.get(f"{LIST}{made}").text)


def test_suspending_twice_answers_that_it_changed_meanwhile(approver, send, register, happened):
    made = register()["client_id"]
    send(approver, f"{LIST}suspend/{made}", reason="one")

    assert send(approver, f"{LIST}suspend/{made}", reason="two").status_code == 409
    assert len(happened(Tag.CLIENT_SUSPENDED)) == 1


def test_ending_all_grants_tells_how_many(approver, send, register, grant, app):
    made = register()["client_id"]
    for number in range(3):
        grant(made, number)

    answer = send(approver, f"{LIST}revoke-tokens/{made}")

    assert answer.status_code == 303
    assert "3 grants have ended." in texts(approver.get(f"{LIST}{made}").text)
    with app.app_context():
        assert {each.revoked_at is None for each in grants.find_latest(client_id=made)} == {False}


def test_a_client_is_deleted_only_when_its_name_is_typed(admin, send, register, stored, grant):
    made = register(client_name="Editor")["client_id"]
    grant(made, 1)

    for typed in ("", "editor", made):
        assert send(admin, f"{LIST}delete/{made}", confirm_name=typed).status_code == 303
        assert stored(made).state == "live"
    answer = send(admin, f"{LIST}delete/{made}", confirm_name=" Editor ")

    assert (answer.status_code, answer.location) == (303, LIST)
    assert stored(made).state == "deleted"
    tomb = admin.get(f"{LIST}{made}")
    assert tomb.status_code == 200
    assert "It is gone; only its history is left." in texts(tomb.text)
    assert ways_to_act(tomb.text) == set()
    assert send(admin, f"{LIST}delete/{made}", confirm_name="Editor").status_code == 404


def test_selected_clients_are_deleted_together_or_not_at_all(admin, send, register, stored):
    made = [register(client_name=f"Editor {number}")["client_id"] for number in range(3)]

    send(admin, f"{LIST}delete", selected=made[:2], reason="")
    missing = send(admin, f"{LIST}delete", selected=[*made[:2], "unknown"], reason="spam")
    assert missing.status_code == 404
    assert [stored(each).state for each in made] == ["live"] * 3
    assert f'value="{made[0]}"' in admin.get(LIST).text
    send(admin, f"{LIST}delete", selected=made[:2], reason="spam")

    assert [stored(each).state for each in made] == ["deleted", "deleted", "live"]


def test_a_client_without_a_name_is_deleted_by_its_identifier(admin, send, register, stored):
    made = register(client_name=None)["client_id"]

    send(admin, f"{LIST}delete/{made}", confirm_name=made)

    assert stored(made).state == "deleted"
