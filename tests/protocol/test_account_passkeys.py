"""Adding and removing passkeys on one's own pages (C-07, C-08)."""

import pytest

from app.browser_session import FRESH_SECONDS
from app.domain import authenticators, passkey_ceremonies, passkeys
from app.domain.passkey_challenges import PasskeyChallenge
from app.domain.passkeys import Passkey
from app.extensions import db
from tests.console.markup import controls, texts
from tests.protocol.persons import find_form
from tests.protocol.phones import FACTOR, PAGE, RECOVERY, add_app
from tests.protocol.soft_keys import ADD, LIST, PRESENT, SoftKey, add_key, options, use_key
from tests.protocol.test_account_security import NEEDED
from tests.protocol.test_login import is_signed_in


def stored(app):
    """Return the names of all passkeys."""
    with app.app_context():
        return sorted(db.session.scalars(db.select(Passkey.name)))


def test_a_passkey_is_added_with_recovery_codes_and_ends_other_sessions(app, person, audited):
    other = person.elsewhere()
    for each in (other, person):
        each.sign_in()

    shown = add_key(person, SoftKey(), name=" Blue\n key\0 ")

    assert len(RECOVERY.findall(shown.text)) == 10
    assert stored(app) == ["Blue key"]
    assert is_signed_in(person)
    assert not is_signed_in(other)
    (event,) = audited("user.factor_added")
    assert (event.subject, event.detail) == (person.user_id, {"factor": "passkey"})


def test_a_second_factor_keeps_the_recovery_codes_of_the_first(app, person, clock):
    person.sign_in()
    add_app(person)

    assert add_key(person, SoftKey()).location == LIST

    assert "10 are unused" in texts(person.open(LIST).text)
    assert stored(app) == ["Another browser"]


def test_a_passkey_belongs_to_one_account(app, person, enrol):
    bob = enrol("bob@people.example")
    for each in (person, bob):
        each.sign_in()
    add_key(person, SoftKey(), name="first")

    assert add_key(bob, SoftKey(), name="second").location == LIST

    page = bob.open(LIST).text
    assert passkeys.KNOWN in texts(page)
    assert controls(page, "div", **{"class": "notice stop"})
    assert stored(app) == ["first"]


@pytest.mark.parametrize(
    "changes",
    [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"flags": PRESENT}],
    ids=str,
)
def test_a_false_passkey_is_not_added(app, person, changes):
    person.sign_in()

    add_key(person, SoftKey(**changes))

    assert passkey_ceremonies.FAILED in texts(person.open(LIST).text)
    assert stored(app) == []


def test_a_challenge_for_signing_in_adds_nothing(app, person):
    person.sign_in()
    key, page = SoftKey(), person.open(LIST)
    theirs = options(person, person.open("/login?again=yes"), "/passkey")
    asked = options(person, page, ADD) | {"challenge": theirs["challenge"]}

    person.submit(page, ADD, credential=passkey_ceremonies.json.dumps(key.create(asked)))

    assert stored(app) == []


def test_options_name_the_passkeys_there_are_and_demand_the_person(person):
    person.sign_in()
    key = SoftKey()
    add_key(person, key)

    asked = options(person, person.open(LIST), ADD)

    assert [each["id"] for each in asked["excludeCredentials"]] == ["c29mdCBrZXk"]
    chosen = asked["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")


def test_a_removed_passkey_signs_nobody_in_and_the_last_takes_the_codes_along(app, person, audited):
    person.sign_in()
    key = SoftKey()
    add_key(person, key)
    other = person.elsewhere()
    use_key(other, key)

    assert person.submit(person.open(LIST), f"{ADD}/remove").location == LIST

    assert stored(app) == []
    assert is_signed_in(person)
    assert not is_signed_in(other)
    assert use_key(other, key).status_code == 401
    assert other.sign_in().location == "/"
    assert audited("user.factor_removed")[0].detail == {"factor": "passkey"}


def test_nobody_removes_the_passkey_of_somebody_else(app, person, enrol):
    bob = enrol("bob@people.example")
    for number, each in enumerate((person, bob)):
        each.sign_in()
        add_key(each, SoftKey(credential_id=bytes([number])), name=each.email)
    page = person.open(LIST).text
    theirs = page.partition('name="passkey_id" value="')[2].partition('"')[0]

    bob.submit(bob.open(LIST), f"{ADD}/remove", passkey_id=theirs)

    assert len(stored(app)) == 2


def test_who_signed_in_long_ago_adds_and_removes_none(app, person, clock):
    person.sign_in()
    add_key(person, SoftKey())
    page = person.open(LIST)
    clock.advance(FRESH_SECONDS + 1)

    for answer in (person.submit(page, ADD), person.submit(page, f"{ADD}/remove")):
        assert "again=yes" in answer.location
    assert len(stored(app)) == 1


@pytest.mark.parametrize("overrides", [NEEDED], ids=["needed"])
def test_a_role_that_needs_a_factor_is_content_with_a_passkey(approver):
    assert approver.sign_in().location == FACTOR
    add_key(approver, SoftKey(), PAGE)

    assert approver.open("/admin/").status_code == 200


@pytest.mark.parametrize("overrides", [NEEDED], ids=["needed"])
def test_without_its_last_factor_such_a_role_begins_anew(approver):
    approver.sign_in()
    add_key(approver, SoftKey(), PAGE)

    approver.submit(approver.open(LIST), f"{ADD}/remove")

    assert approver.open("/admin/").location.startswith("/login?next=")
    assert approver.open(FACTOR).location == PAGE


@pytest.mark.parametrize("overrides", [{}, NEEDED], ids=["", "needed"])
def test_half_a_sign_in_adds_no_passkey_beside_the_factor_there_is(app, approver, clock):
    """Or the password alone would be enough."""
    approver.sign_in()
    add_app(approver)
    other = approver.elsewhere()
    other.sign_in()
    token = find_form(other.open(FACTOR), FACTOR).fields["csrf_token"]

    for path in (f"{ADD}/options", ADD, PAGE, f"{PAGE}/confirm", f"{LIST}/remove"):
        answer = other.http.post(path, headers={"X-CSRFToken": token})
        assert answer.status_code == 303, path
        assert answer.location in (LIST, "/login?next=/account/"), path
    with app.app_context():
        assert db.session.scalar(db.select(PasskeyChallenge)) is None
        assert authenticators.find(approver.user_id) is not None
