"""Scopes that two people have to approve: who may be the two, what they give, what waits."""

from datetime import UTC, datetime

import pytest

from app.domain import decisions, scopes, software, users
from app.domain.audit import SERVER, Actor
from app.domain.audit_tags import Tag
from app.extensions import db
from tests.console.decisions import QUEUE, decision, selection
from tests.console.markup import controls, texts
from tests.console.matrix import become
from tests.console.rules import rule

ONE, TWO = "https://one.example/", "https://two.example/"
NEW = "/admin/clients/new"


@pytest.fixture
def guarded(app, catalogue, people):
    """Describe two scopes that two people have to approve."""
    with app.app_context():
        for name in ("pay", "wipe"):
            scopes.create(name, f"About {name}", by=SERVER, risk="high", four_eyes=True)
        db.session.commit()


@pytest.fixture
def waiting(guarded, register):
    """Register software that asks for both scopes of two people and for one more."""
    return register(scope="pay wipe tools", software_id="probe")


@pytest.fixture
def decide(csrf, find):
    """Return a function that sends a decision as one browser would."""

    def send(browser, verb="approve", **fields):
        row = find()
        form = decision(csrf, browser, row, scopes=["pay", "tools"]) | fields
        return browser.post(f"{QUEUE}{row.id}/{verb}", data=form)

    return send


def day(clock, days):
    """Return a day from now as the form sends it."""
    return datetime.fromtimestamp(clock.now + days * 86400, UTC).date().isoformat()


def test_two_people_approve_and_the_trail_names_both(
    approver, admin, waiting, decide, find, happened, clock
):
    """N-217"""
    ends = day(clock, 30)
    asked = {"limit": "chosen", "resources": [ONE], "until": ends, "reason": "needed"}

    said = texts(approver.get(decide(approver, **asked).location).text)

    assert "Your approval is noted. A second person has to approve it too." in said
    assert "Approved by approver@example.org, a second person has to approve" in said
    row = find()
    assert (row.status, row.scopes, row.decided_at) == ("pending", [], None)
    assert happened(Tag.SOFTWARE_APPROVED) == []
    (first,) = happened(Tag.SOFTWARE_FIRST_APPROVED)
    assert (first.subject, first.actor_name) == (row.id, "approver@example.org")
    assert first.detail["scopes"] == ["pay", "tools"]
    assert "a second person has to approve" in texts(admin.get(QUEUE).text)
    form = admin.get(f"{QUEUE}{row.id}").text
    ticked = [box["value"] for box in controls(form, name="scopes") if "checked" in box]
    assert sorted(ticked) == ["pay", "tools"]
    assert controls(form, name="resources", value=ONE, checked=None)
    assert controls(form, name="until", value=ends)

    assert decide(admin, **asked).status_code == 303

    done = find()
    assert (done.status, done.scopes, done.resources) == ("approved", ["pay", "tools"], [ONE])
    (event,) = happened(Tag.SOFTWARE_APPROVED)
    assert event.actor_name == "admin@example.org"
    assert event.detail["first_approval"]["by"] == "approver@example.org"
    assert len(happened(Tag.SOFTWARE_FIRST_APPROVED)) == 1
    assert "First approval approver@example.org" in texts(admin.get(f"{QUEUE}{row.id}").text)

    decide(admin, "renew", seen_until=done.approved_until, until="", scopes=["wipe"])
    renewed = find()
    assert (renewed.approved_until, renewed.scopes) == (None, done.scopes)


@pytest.mark.parametrize(
    "who, fields, sentence",
    [
        ("approver", {}, "You have approved this already. A second person"),
        ("admin", {"scopes": ["pay", "wipe"]}, "This gives more than the first approval"),
        ("admin", {"resources": [ONE, TWO]}, "This gives more than the first approval"),
        ("admin", {"limit": "all"}, "This gives more than the first approval"),
        ("admin", {"until": 31}, "This gives more than the first approval"),
        ("admin", {"until": None}, "This gives more than the first approval"),
        ("admin", {"justified": True}, "Who asked for this software cannot approve"),
    ],
)
def test_a_second_approval_that_cannot_be_says_why_and_decides_nothing(
    approver, admin, waiting, decide, find, app, people, clock, happened, who, fields, sentence
):
    asked = {"limit": "chosen", "resources": [ONE], "until": day(clock, 30)}
    decide(approver, **asked)
    before = find().first_approval
    if fields.get("justified"):
        justify(app, find(), people["admin"], "admin@example.org")
        justify(app, find(), people["member"], "member@example.org")
    if "until" in fields:
        fields = fields | {"until": fields["until"] and day(clock, fields["until"])}

    sent = {name: value for name, value in (asked | fields).items() if value is not None}
    answer = decide({"approver": approver, "admin": admin}[who], **sent)

    assert answer.status_code == 409
    assert sentence in texts(answer.text)
    assert (find().status, find().first_approval) == ("pending", before)
    assert len(happened(Tag.SOFTWARE_FIRST_APPROVED)) == 1


def justify(app, row, user_id, name):
    """Say as a person why the software is needed."""
    with app.app_context():
        decisions.justify(row.id, "We need it.", by=Actor("operator", user_id, name))
        db.session.commit()


def change(app, row, people, clock, client, waiting):
    """Let the registrant ask for something else."""
    body = {"client_id": waiting["client_id"], "client_name": "Probe", "software_id": "probe"}
    uris = {"redirect_uris": waiting["redirect_uris"], "scope": "pay tools wipe openid"}
    bearer = {"Authorization": f"Bearer {waiting['registration_access_token']}"}
    address = waiting["registration_client_uri"]
    assert client.put(address, json=body | uris, headers=bearer).status_code == 200


def disable(app, row, people, clock, client, waiting):
    """Lock the account of the first approver."""
    with app.app_context():
        users.disable(users.find(people["approver"]), by=SERVER)
        db.session.commit()


def demote(app, row, people, clock, client, waiting):
    """Take the role of the first approver away."""
    become(app, people["approver"], "viewer")


def ask_for_it(app, row, people, clock, client, waiting):
    """Let the first approver say why the software is needed."""
    justify(app, row, people["approver"], "approver@example.org")


def wait_too_long(app, row, people, clock, client, waiting):
    """Wait until the end that the first approver set."""
    clock.advance(2 * 86400)


@pytest.mark.parametrize("event", [change, disable, demote, ask_for_it, wait_too_long])
def test_a_first_approval_that_counts_no_more_is_followed_by_another_first(
    approver, sign_in, waiting, decide, find, app, people, clock, client, event
):
    decide(approver, until=day(clock, 1))
    event(app, find(), people, clock, client, waiting)
    admin = sign_in("admin")
    assert "a second person has to approve" not in texts(admin.get(QUEUE).text)

    decide(admin)

    row = find()
    assert (row.status, row.first_approval["by_id"]) == ("pending", people["admin"])


def test_the_first_approver_may_give_something_else_and_the_second_less(
    approver, admin, waiting, decide, find, happened
):
    decide(approver, scopes=["pay"])
    decide(approver, scopes=["pay", "wipe"])
    assert find().first_approval["scopes"] == ["pay", "wipe"]
    decide(admin, scopes=["wipe", "openid"])

    assert (find().status, find().scopes) == ("approved", ["wipe", "openid"])
    assert len(happened(Tag.SOFTWARE_FIRST_APPROVED)) == 2


@pytest.mark.parametrize(
    "verb, status", [("approve", "approved"), ("reject", "rejected"), ("undo", "pending")]
)
def test_one_person_leaves_the_scope_out_rejects_or_takes_back(
    approver, admin, waiting, decide, find, csrf, verb, status
):
    decide(approver)
    if verb == "undo":
        decide(admin)
        chosen = {"csrf_token": csrf(admin), "selected": f"{find().id}:{find().decided_at}"}
        admin.post(f"{QUEUE}undo", data=chosen)
    else:
        decide(admin, verb, scopes=["tools"])

    assert (find().status, find().first_approval) == (status, None)
    assert find().scopes == (["tools"] if verb == "approve" else [])


def test_a_selection_is_approved_by_one_and_then_as_that_one_gave_it(
    approver, admin, waiting, decide, find, send
):
    send(approver, f"{QUEUE}approve", selected=selection(find()))
    assert "1 approved by you; a second person has to approve" in texts(approver.get(QUEUE).text)
    send(approver, f"{QUEUE}approve", selected=selection(find()))
    assert "Probe : You have approved this already." in texts(approver.get(QUEUE).text)
    decide(approver, scopes=["pay"], limit="chosen", resources=[TWO])
    send(admin, f"{QUEUE}approve", selected=selection(find()))

    assert "1 approved." in texts(admin.get(QUEUE).text)
    assert (find().scopes, find().resources) == (["pay"], [TWO])


@pytest.mark.parametrize("given, status", [(None, "pending"), (["tools"], "approved")])
def test_a_rule_gives_no_scope_of_two_people(guarded, save, register, find, given, status):
    bounds = {} if given is None else {"then": {"scopes": given}}
    save(rule("Ours", "admit", when={"redirect_host": "client.example"}, **bounds))

    register(scope="pay tools")

    row = find()
    assert (row.status, row.scopes) == (status, given or [])
    said = [(step["rule"], step["result"]) for step in row.verdict["trace"]]
    assert (("four eyes", "hold") in said) is (status == "pending")
    assert row.verdict["outcome"] == ("hold" if status == "pending" else "admit")


def test_a_rule_that_slips_through_judgement_approves_nothing(app, waiting, find, happened):
    with app.app_context():
        row = software.get(find().id)
        for actor in (Actor("rule", "r-1", "rule Ours"), SERVER):
            with pytest.raises(decisions.errors.SecondPerson):
                decisions.approve(row.id, row.revision, by=actor, allowed=["pay"])
        db.session.commit()

    assert (find().status, find().first_approval) == ("pending", None)


def test_a_client_made_by_hand_waits_for_a_second_person(
    admin, approver, guarded, decide, find, csrf, client, app, signing_key, stored
):
    form = {"kind": "service", "name": "Probe", "everywhere": "on", "scopes": ["pay"]}
    made = admin.post(NEW, data={"csrf_token": csrf(admin)} | form)
    [copied] = controls(made.text, "button", **{"data-copied": "client_id copied"})
    [secret] = controls(made.text, "button", **{"data-copied": "Client secret copied"})

    def token():
        own = (copied["data-copy"], secret["data-copy"])
        wanted = {"grant_type": "client_credentials", "scope": "pay"}
        return client.post("/token", data=wanted, auth=own)

    assert "It gets no token until a second person has approved it." in texts(made.text)
    assert token().json["error"] == "access_denied"
    assert "Approved by admin@example.org, a second" in texts(approver.get(QUEUE).text)
    assert decide(admin, scopes=["pay"]).status_code == 409
    assert decide(approver, scopes=["pay"]).status_code == 303

    assert (find().status, find().scopes) == ("approved", ["pay"])
    assert stored(copied["data-copy"]).approved_once
    assert token().json["scope"] == "pay"
