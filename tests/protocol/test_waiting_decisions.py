"""What people may do on the waiting page: say why, and decide in place."""

import pytest

from app.domain import scopes
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.machines import FORM, LOOPBACK, form
from tests.protocol.persons import find_form
from tests.protocol.test_waiting import contents, software_of, status


@pytest.fixture
def local(pending):
    """Return the pending client at its loopback redirect."""
    return pending.at(LOOPBACK)


def test_a_signed_in_person_says_why(app, local, person, audited):
    person.sign_in()
    page = person.open(local.asking())
    response = person.submit(page, "/waiting/justify", justification="We need it. " * 100)

    assert response.status_code == 303
    assert "Your note is with the approvers." in person.open(response.location).text
    with app.app_context():
        row = software_of(local)
        assert (row.justification[:12], len(row.justification)) == ("We need it. ", 1000)
        assert row.justified_by == person.email
    assert len(audited("software.justified")) == 1


def test_nobody_who_is_not_an_approver_decides(app, local, person, audited):
    """X-46: no form is shown, and none that was made by hand works."""
    person.sign_in()
    page = person.open(local.asking())
    assert 'action="/waiting/approve"' not in page.text
    fields = find_form(page, "/waiting/justify").fields
    with app.app_context():
        fields["revision"] = software_of(local).revision
    for path in ("/waiting/approve", "/waiting/reject"):
        response = person.http.post(path, data=form(fields), content_type=FORM)
        assert response.status_code == 400
        assert "Only an approver may decide" in response.text

    assert status(app, local) == "pending"


def test_nobody_who_is_not_signed_in_writes_anything(app, local, person, clock):
    clock.advance(120)
    web = find_form(person.open("/login"), "/login").fields
    before = contents(app)["software"]
    with app.app_context():
        row = software_of(local)
        fields = {"software_id": row.id, "revision": row.revision, "justification": "x"}
    for path in ("/waiting/justify", "/waiting/approve", "/waiting/reject"):
        person.http.post(path, data=form(fields | web), content_type=FORM)

    assert contents(app)["software"] == before


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_an_approver_decides_in_place(app, local, approver, audited, verb):
    result = {"approve": "approved", "reject": "rejected"}[verb]
    approver.sign_in()
    page = approver.open(local.asking())
    response = approver.submit(page, f"/waiting/{verb}")

    assert response.status_code == 303
    assert response.location.startswith("/authorize?")
    assert status(app, local) == result
    (event,) = audited(f"software.{result}")
    assert (event.actor_kind, event.actor_name) == ("operator", approver.email)
    shown = approver.open(response.location)
    assert shown.status_code == (200 if verb == "approve" else 400)


def test_a_privileged_scope_is_given_in_place_by_who_signed_in_lately(app, local, approver, clock):
    """C-12: whoever did long ago comes back to the page after signing in again."""
    with app.app_context():
        scopes.update("openid", by=SERVER, **scopes.facts(scopes.get("openid")) | {"risk": "high"})
        db.session.commit()
    approver.sign_in()
    page = approver.open(local.asking())
    clock.advance(301)

    response = approver.submit(page, "/waiting/approve")

    assert response.location.startswith("/login?next=/authorize?")
    assert response.location.endswith("&again=yes")
    assert status(app, local) == "pending"


def test_a_decision_about_what_was_not_seen_is_refused(app, local, approver):
    """N-211"""
    approver.sign_in()
    page = approver.open(local.asking())
    stale = approver.submit(page, "/waiting/approve", revision="0" * 32)
    assert stale.status_code == 409
    assert status(app, local) == "pending"

    assert approver.submit(page, "/waiting/approve").status_code == 303
    assert approver.submit(page, "/waiting/reject").status_code == 409
    assert status(app, local) == "approved"


def test_two_approvers_decide_in_place_about_a_scope_that_needs_two(
    app, local, approver, enrol, audited
):
    """N-217"""
    with app.app_context():
        scopes.create("mcp:pay", "Pay", by=SERVER, is_default=True, four_eyes=True)
        db.session.commit()
    second, third = enrol("alan@people.example", "approver"), enrol("joan@people.example", "admin")
    for each in (approver, second, third):
        each.sign_in()
    assert "Two people have to approve it." in approver.open(local.asking()).text
    third.submit(third.open(local.asking()), "/waiting/justify", justification="For us")

    shown = approver.open(
        approver.submit(approver.open(local.asking()), "/waiting/approve").location
    )

    assert status(app, local) == "pending"
    assert "You have approved this already. A second person has to" in shown.text
    assert 'action="/waiting/approve"' not in shown.text
    assert "grace@people.example has approved it." in second.open(local.asking()).text
    asked = third.submit(third.open(local.asking()), "/waiting/approve")
    assert (asked.status_code, status(app, local)) == (409, "pending")
    assert "Who asked for this software cannot approve" in asked.text
    second.submit(second.open(local.asking()), "/waiting/approve")
    assert status(app, local) == "approved"
    assert len(audited("software.first_approved")) == len(audited("software.approved")) == 1


ODD = [
    ({"software_id": None}, 404),
    ({"software_id": "nothing"}, 404),
    ({"software_id": "a\0b"}, 404),
    ({"software_id": "\u00e9" * 5000}, 404),
    ({"revision": None}, 409),
    ({"revision": "a\u0301"}, 409),
    ({"revision": "a" * 5000}, 409),
    ({"csrf_token": None}, 400),
]


def test_odd_decisions_are_refused_and_never_a_fault(app, local, approver, subtests):
    """Promise 5"""
    approver.sign_in()
    page = approver.open(local.asking())
    for change, expected in ODD:
        with subtests.test(str(change)[:40]):
            assert approver.submit(page, "/waiting/approve", **change).status_code == expected

    assert status(app, local) == "pending"


@pytest.mark.parametrize(
    "text", ["a\0b", "\U0001f600" * 1000, "<script>alert(1)</script>", "=1+1", "\u202e"]
)
def test_any_note_is_kept_or_refused_and_never_a_fault(local, person, text):
    """Promise 5, X-30"""
    person.sign_in()
    page = person.open(local.asking())
    response = person.submit(page, "/waiting/justify", justification=text)

    assert response.status_code == 303
    assert "<script>alert" not in person.open(response.location).text


@pytest.mark.parametrize("after", ["//attacker.example", "https://attacker.example", "\\\\x", ""])
def test_nobody_is_sent_elsewhere_after_a_note(local, person, after):
    """X-67"""
    person.sign_in()
    page = person.open(local.asking())

    assert person.submit(page, "/waiting/justify", justification="x", next=after).location == "/"


@pytest.mark.parametrize("overrides", [{"issuer": "https://gatewright.example/tenant/one"}])
def test_who_came_from_nowhere_is_sent_to_the_front_door_of_this_issuer(app, client):
    app.config["WTF_CSRF_ENABLED"] = False
    answer = client.post("/tenant/one/waiting/justify", data={"next": "https://evil.example/"})
    assert (answer.status_code, answer.location) == (303, "/tenant/one/")
