"""The clean-up page: what the next sweep would do, and who may do it now; renewed approvals."""

from datetime import UTC, datetime

import pytest

from tests.console.decisions import QUEUE, decision
from tests.console.markup import controls, texts
from tests.console.matrix import gets, harmful, posts, unlisted, ways_to_act, wrongly_reached

PAGE = "/admin/clean-up/"
ROUTES = (("GET", PAGE, "viewer"), ("POST", PAGE, "admin"))
DAY = 86400


def test_the_page_lists_what_the_next_sweep_ends(register, clock, sign_in, send, find):
    register(client_name="Forgotten Editor")
    before = texts(sign_in("viewer").get(PAGE).text)
    clock.advance(31 * DAY)
    viewer, admin = sign_in("viewer"), sign_in("admin")

    page = viewer.get(PAGE).text
    assert "Forgotten Editor" not in before
    assert "Forgotten Editor" in texts(page)
    assert ways_to_act(page) == set()
    assert ways_to_act(admin.get(PAGE).text) == {PAGE}
    send(admin, PAGE)

    assert find("Forgotten Editor").status == "expired"
    assert "Cleaned up: " in texts(admin.get(PAGE).text)


def test_what_expired_is_forgotten_and_comes_again(register, clock, sign_in, find, send):
    register(client_name="Late Editor")
    row, early = find("Late Editor"), sign_in("approver")
    too_early = send(early, f"{QUEUE}{row.id}/forget")
    clock.advance(31 * DAY)
    admin, approver = sign_in("admin"), sign_in("approver")
    send(admin, PAGE)
    page = approver.get(f"{QUEUE}{row.id}").text

    done = send(approver, f"{QUEUE}{row.id}/forget")

    assert too_early.location == f"{QUEUE}{row.id}"
    assert "Nobody decided about it in time" in texts(page)
    assert f"{QUEUE}{row.id}/approve" not in page
    assert done.location == QUEUE
    register(client_name="Late Editor")
    assert find("Late Editor").status == "pending"
    assert find("Late Editor").id != row.id


@pytest.mark.parametrize("until", ["", "2099-12-31"])
def test_an_approval_that_ended_is_renewed(register, clock, sign_in, find, csrf, send, until):
    register(client_name="Editor")
    approver, row = sign_in("approver"), find("Editor")
    day = datetime.fromtimestamp(clock.now + DAY, UTC).date().isoformat()
    approver.post(f"{QUEUE}{row.id}/approve", data=decision(csrf, approver, row, until=day))
    clock.advance(3 * DAY)
    approver, seen = sign_in("approver"), find("Editor").approved_until
    address = f"{QUEUE}{row.id}/renew"
    page = approver.get(f"{QUEUE}{row.id}").text
    assert {"value": str(seen)}.items() <= controls(page, name="seen_until")[0].items()

    late = send(approver, address, seen_until=str(seen - 1), until=until)
    past = send(approver, address, seen_until=str(seen), until="2001-01-01")
    done = send(approver, address, seen_until=str(seen), until=until, note="Still needed.")

    assert (late.status_code, past.status_code, done.status_code) == (409, 422, 303)
    assert find("Editor").reason == "Still needed."
    assert (find("Editor").approved_until is None) == (until == "")
    assert "Expired" not in texts(approver.get(f"{QUEUE}{row.id}").text)


def test_each_address_is_open_to_its_role_and_those_above(anybody, app):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []
    assert unlisted(app, "clean_up", ROUTES) == set()


def test_looking_and_forging_change_nothing(admin, app, register):
    """C-20, C-21, X-46."""
    register()
    assert harmful(app, admin, "GET", gets(ROUTES)) == []
    assert harmful(app, admin, "POST", posts(ROUTES), 400) == []
