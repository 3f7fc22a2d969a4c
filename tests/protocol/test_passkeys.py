"""Passkeys: alone or after a password, and every answer that is no good (C-07)."""

import json

import pytest

from app.domain import passkey_ceremonies, users
from app.domain.audit import SERVER
from app.domain.passkey_challenges import LIFETIME_SECONDS, PasskeyChallenge
from app.extensions import db
from tests.console.markup import texts
from tests.protocol.persons import answer_of
from tests.protocol.phones import FACTOR, RECOVERY, is_signed_in_wholly
from tests.protocol.soft_keys import LIST, PRESENT, USE, SoftKey, add_key, options, send, use_key
from tests.protocol.test_login import is_signed_in


@pytest.fixture
def key(person):
    """Give the person a passkey."""
    person.sign_in()
    added = SoftKey()
    shown = add_key(person, added, name="Blue key")
    assert len(RECOVERY.findall(shown.text)) == 10
    return added


def test_a_passkey_signs_in_alone(person, key, audited):
    other = person.elsewhere()

    assert use_key(other, key).location == "/"

    assert is_signed_in(other)
    event = audited("user.signed_in")[-1]
    assert (event.subject, event.detail["methods"]) == (person.user_id, ["pop", "mfa"])


def test_a_request_of_an_app_goes_on_behind_a_passkey(person, key, public):
    other = person.elsewhere()
    done = use_key(other, key, other.open(public.asking()))

    assert "code" in answer_of(other.decide(other.open(done.location)))


def test_a_passkey_is_the_second_factor_of_a_password(person, key, audited):
    other = person.elsewhere()
    assert other.sign_in().location == FACTOR
    assert not is_signed_in_wholly(other)

    assert use_key(other, key, other.open(FACTOR)).location == "/"

    assert is_signed_in_wholly(other)
    assert audited("user.signed_in")[-1].detail["methods"] == ["pwd", "pop", "mfa"]


def test_the_passkey_of_somebody_else_does_not_complete_a_password(person, key, enrol):
    bob = enrol("bob@people.example")
    bob.sign_in()
    add_key(bob, SoftKey(credential_id=b"key of bob"))
    half = bob.elsewhere()
    assert half.sign_in().location == FACTOR

    answer = use_key(half, key, half.open(FACTOR))

    assert answer.status_code == 401
    assert not is_signed_in_wholly(half)


FALSE = {
    "another origin": {"origin": "https://evil.example"},
    "another scheme": {"origin": "http://gatewright.example"},
    "another host": {"rp_id": "evil.example"},
    "nobody verified": {"flags": PRESENT},
    "another key": {"private": SoftKey().private},
    "another account": {"user_handle": "dS0x"},
    "unknown credential": {"credential_id": b"another"},
}


def test_a_false_answer_signs_nobody_in(person, key, subtests, audited):
    for what, changes in FALSE.items():
        false = SoftKey(**({"private": key.private, "user_handle": key.user_handle} | changes))
        with subtests.test(what):
            other = person.elsewhere()
            answer = use_key(other, false)
            assert answer.status_code == 401
            assert passkey_ceremonies.FAILED in texts(answer.text)
            assert not is_signed_in(other)
    failed = audited("user.sign_in_failed")
    assert len(failed) == len(FALSE)
    assert all(event.detail["passkey"] for event in failed)


MALFORMED = [
    "",
    "null",
    "[]",
    "{}",
    '{"id": 1}',
    '{"id": "x"}',
    "[" * 5000,
    "a" * 20000,
    "\0",
    json.dumps({"id": "x", "response": {"clientDataJSON": "%%%"}}),
    json.dumps({"id": "x", "response": {"clientDataJSON": "bnVsbA"}}),
    json.dumps({"id": "x", "response": {"clientDataJSON": 7}}),
]


def test_a_malformed_answer_is_refused_and_no_fault_of_the_server(person, key, subtests):
    other = person.elsewhere()
    for text in MALFORMED:
        with subtests.test(text[:40]):
            assert send(other, other.open("/login"), text).status_code == 401


BROKEN = ["authenticatorData", "signature", "userHandle", "clientDataJSON"]


@pytest.mark.parametrize("value", ["", "AA", "%", "w", None, 7, {}, ["x"]])
def test_a_broken_member_is_refused_and_no_fault_of_the_server(person, key, subtests, value):
    for name in BROKEN:
        with subtests.test(name):
            other = person.elsewhere()
            page = other.open("/login")
            answer = key.get(options(other, page, USE))
            answer["response"][name] = value
            assert send(other, page, answer).status_code == 401


@pytest.mark.parametrize("name", ["", "\0", "\ud800", "x" * 9000])
def test_an_identifier_that_no_passkey_has_is_refused(person, key, name):
    other = person.elsewhere()
    page = other.open("/login")
    answer = key.get(options(other, page, USE)) | {"id": name}

    assert send(other, page, answer).status_code == 401


def test_an_answer_counts_once(person, key):
    other, again = person.elsewhere(), person.elsewhere()
    page = other.open("/login")
    answer = key.get(options(other, page, USE))
    assert send(other, page, answer).status_code == 303

    assert send(other, other.open("/login?again=yes"), answer).status_code == 401
    assert send(again, again.open("/login"), answer).status_code == 401


def test_a_challenge_is_for_the_browser_that_asked(person, key):
    """Or somebody could be signed in to the account of another."""
    asked, other = person.elsewhere(), person.elsewhere()
    answer = key.get(options(asked, asked.open("/login"), USE))
    options(other, other.open("/login"), USE)

    assert send(other, other.open("/login"), answer).status_code == 401
    assert not is_signed_in(other)


def test_a_challenge_ends_after_five_minutes(person, key, clock):
    other = person.elsewhere()
    page = other.open("/login")
    answer = key.get(options(other, page, USE))
    clock.advance(LIFETIME_SECONDS)

    assert send(other, page, answer).status_code == 401


def test_a_challenge_is_kept_as_a_digest(app, person, key):
    asked = options(person, person.open("/login?again=yes"), USE)

    with app.app_context():
        rows = db.session.execute(db.select(*PasskeyChallenge.__table__.c)).all()
    assert rows
    assert asked["challenge"] not in str(rows)
    assert passkey_ceremonies.challenge_of(key.get(asked)) not in str(rows)


def test_a_count_that_does_not_rise_is_of_a_copy(person, key, audited):
    key.count = 5
    assert use_key(person.elsewhere(), key).status_code == 303

    for count in (5, 4, 0):
        key.count = count
        assert use_key(person.elsewhere(), key).status_code == 401
        assert audited("user.sign_in_failed")[-1].detail["reason"] == "sign count"
    key.count = 6
    assert use_key(person.elsewhere(), key).status_code == 303


def test_a_disabled_account_has_no_passkey(app, person, key):
    with app.app_context():
        users.disable(users.get(person.user_id), by=SERVER)
        db.session.commit()

    assert use_key(person.elsewhere(), key).status_code == 401


def test_options_name_no_account(person, key):
    """Whoever asks learns nothing about anybody."""
    stranger = person.elsewhere()
    asked = options(stranger, stranger.open("/login"), USE)

    assert asked["allowCredentials"] == []
    assert (asked["rpId"], asked["userVerification"]) == ("gatewright.example", "required")


def test_the_page_of_an_account_names_its_passkeys(person, key, clock):
    use_key(person.elsewhere(), key)

    said = texts(person.open(LIST).text)

    assert "Blue key" in said
    assert "Last used" in said
