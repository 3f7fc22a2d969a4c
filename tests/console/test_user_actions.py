"""What administrators do to accounts: it counts within one request, everywhere (X-53, X-66)."""

import pytest

from app.browser_session import FRESH_SECONDS
from app.domain import grants, users
from app.domain.audit import SERVER
from tests.console.accounts import LIST, is_signed_in, signs_in
from tests.console.accounts import act as act
from tests.console.accounts import elsewhere as elsewhere
from tests.console.conftest import PASSWORD, csrf_of
from tests.console.markup import controls, texts
from tests.console.upstreaming import ACCESS, REFRESH
from tests.console.upstreaming import upstream as upstream
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said, token_answer

OWN = "/connections/notes/"


@pytest.mark.parametrize("what, form", [("disable", {}), ("role", {"role": "viewer"})])
def test_sessions_end_on_every_instance_with_the_next_request(act, member, elsewhere, what, form):
    """C-11, C-42"""
    there = elsewhere(member)
    assert is_signed_in(there)

    assert act(what, **form).status_code == 303

    assert not is_signed_in(there)
    assert not is_signed_in(member)


def test_what_a_role_allows_ends_with_it_on_every_instance(act, approver, elsewhere, client):
    there = elsewhere(approver)
    act("role", "approver", role="member")

    assert there.get("/admin/").location.startswith("/login?")
    assert signs_in(client, "approver@example.org", PASSWORD)
    assert client.get("/admin/").status_code == 403


def test_an_administrator_says_whether_a_number_is_verified(act, admin, people, happened):
    typed = {"phone_number": "+49 30 123456", "address": "1 Main Street"}
    page = f"{LIST}{people['member']}"

    for verified in (True, False):
        answer = act("contact", **typed | ({"verified": "on"} if verified else {}))
        assert answer.location == page
        (box,) = controls(admin.get(page).text, name="verified")
        assert ("checked" in box) is verified
    assert happened("user.contact_changed")[0].detail == {"changed": ["phone_number_verified"]}

    act("contact", phone_number="12", verified="on")
    shown = admin.get(page).text
    assert "A telephone number begins with +" in texts(shown)
    assert controls(shown, name="phone_number", value="+4930123456")


def test_disabling_ends_all_that_somebody_holds_and_enabling_brings_none_back(
    app, act, register, approve, grant, people, member, client, happened
):
    made = register()["client_id"]
    approve(made)
    grant(made, 1)

    act("disable")
    assert not signs_in(client, "member@example.org", PASSWORD)
    act("enable")

    assert signs_in(client, "member@example.org", PASSWORD)
    assert not is_signed_in(member)
    with app.app_context():
        [ended] = grants.find_latest(user_id=people["member"])
    assert ended.revoked_reason == "user disabled"
    for tag in ("user.disabled", "user.enabled"):
        [event] = happened(tag)
        assert (event.subject, event.actor_id) == (people["member"], people["admin"])


def test_a_role_is_recorded_with_what_it_was_before(act, happened, people):
    act("role", role="approver")

    [event] = happened("user.role_changed")
    assert (event.subject, event.detail) == (
        people["member"],
        {"before": "member", "after": "approver"},
    )


@pytest.mark.parametrize(
    "what, role, form, status",
    [
        ("disable", "admin", {}, 409),
        ("role", "admin", {"role": "viewer"}, 409),
        ("role", "member", {"role": "member"}, 409),
        ("role", "member", {"role": "root"}, 303),
        ("role", "member", {}, 303),
        ("enable", "member", {}, 409),
    ],
)
def test_a_refused_change_changes_nothing(app, act, people, what, role, form, status):
    """Nobody takes their own rights, and nobody gets a role that there is not."""
    assert act(what, role, **form).status_code == status

    with app.app_context():
        user = users.find(people[role])
        assert (user.role, user.disabled_at) == (role, None)


def test_an_administrator_ends_one_session_or_all_of_somebody(
    act, admin, sign_in, people, elsewhere, happened
):
    first, second = sign_in("member"), sign_in("member")
    page = admin.get(f"{LIST}{people['member']}").text
    newest = controls(page, "input", name="session_id")[0]["value"]

    act("end-session", session_id=newest)
    assert [is_signed_in(elsewhere(each)) for each in (first, second)] == [True, False]
    act("end-sessions")

    assert not is_signed_in(elsewhere(first))
    assert is_signed_in(admin)
    assert {event.actor_id for event in happened("user.sessions_ended")} == {people["admin"]}


def test_a_session_of_somebody_else_is_not_ended_by_the_page_of_another(act, admin, viewer, people):
    page = admin.get(f"{LIST}{people['viewer']}").text
    [theirs] = controls(page, "input", name="session_id")

    act("end-session", "member", session_id=theirs["value"])

    assert is_signed_in(viewer)


@pytest.mark.parametrize(
    "what", ["role", "disable", "enable", "password-link", "end-session", "end-sessions"]
)
def test_who_signed_in_long_ago_signs_in_again_first(act, clock, people, happened, what):
    """C-12"""
    clock.advance(FRESH_SECONDS + 1)

    answer = act(what, role="viewer")

    assert answer.location == f"/login?next={LIST}{people['member']}&again=yes"
    assert happened("user.role_changed") == happened("user.disabled") == []


def test_what_somebody_had_at_other_servers_is_ended_there(upstream, act, member, people, csrf):
    authorize(upstream, member)

    assert act("disable").status_code == 303

    assert upstream.tokens(people["member"]) is None
    assert [form["token"] for form in upstream.forms("/revoke")] == [[REFRESH], [ACCESS]]


def test_what_could_not_be_ended_at_other_servers_is_told(upstream, act, admin, member, people):
    authorize(upstream, member)
    upstream.login.pages["POST /revoke"] = said(503)

    act("disable")

    shown = texts(admin.get(f"{LIST}{people['member']}").text)
    assert "Some tokens could not be revoked there" in shown


def authorize(upstream, browser):
    """Let somebody authorize the connection for themselves."""
    upstream.ready()
    upstream.login.pages["POST /token"] = token_answer(ACCESS, refresh_token=REFRESH)
    form = {"csrf_token": csrf_of(browser.get(OWN).text)}
    asked = upstream.asked_by(browser.post(f"{OWN}authorize", data=form))
    assert upstream.come_back(asked, browser).location == OWN


def test_the_last_administrator_stays_whoever_acts(app, people):
    with app.app_context():
        with pytest.raises(users.errors.Conflict, match="last administrator"):
            users.disable(users.find(people["admin"]), by=SERVER)
        with pytest.raises(users.errors.Conflict, match="last administrator"):
            users.change_role(users.find(people["admin"]), "viewer", by=SERVER)
