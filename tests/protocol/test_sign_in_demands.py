"""Who has to be signed in, and how: id_token_hint and the claims parameter."""

import json

import pytest
from sqlalchemy import update

from app.domain import id_tokens, signing_keys
from app.domain.sessions import Session
from app.extensions import db
from tests.protocol.persons import answer_of

OTHER = "The app asks for another account than the one that is signed in."


@pytest.fixture
def hint(person, relying):
    """Return an ID token of somebody who is signed in and has allowed the client."""
    return person.tokens(relying, scope="openid")["id_token"]


def test_a_hint_lets_the_same_person_pass_and_no_other(clock, hint, person, approver, relying):
    """N-040; section 7, id_token_hint: an old one counts; another person has to sign in."""
    clock.advance(1000)
    silent = {"scope": "openid", "prompt": "none", "id_token_hint": hint}
    assert answer_of(person.open(relying.asking(**silent)))["code"]

    approver.allow(relying, scope="openid")
    assert answer_of(approver.open(relying.asking(**silent)))["error"] == "login_required"
    page = approver.open(relying.asking(scope="openid", id_token_hint=hint))
    assert OTHER in page.text
    again = approver.open(approver.sign_in(page).location)
    assert OTHER in again.text
    back = approver.sign_in(again, username=person.email)
    assert f"<bdi>{person.email}</bdi>" in approver.open(back.location).text


def test_a_hint_that_is_not_an_id_token_of_ours_is_refused(hint, person, relying):
    """N-040, N-074"""
    access = person.tokens(relying, scope="openid")["access_token"]
    head, payload, signature = hint.split(".")
    for wrong in ("x", access, f"{head}.{payload}.{signature[::-1]}", f"{head}.e30.{signature}"):
        answer = answer_of(person.open(relying.asking(scope="openid", id_token_hint=wrong)))
        assert answer["error"] == "invalid_request"


def claims(**id_token):
    """Return a claims parameter about the ID token."""
    return json.dumps({"id_token": id_token})


def test_a_subject_that_is_demanded_is_a_hint(hint, person, approver, relying):
    """OpenID Connect Core section 5.5.1."""
    asked = {"scope": "openid", "prompt": "none"}
    own = claims(sub={"value": person.user_id})
    other = claims(sub={"value": approver.user_id})

    assert answer_of(person.open(relying.asking(**asked, claims=own)))["code"]
    refused = answer_of(person.open(relying.asking(**asked, claims=other)))
    assert refused["error"] == "login_required"
    two = relying.asking(scope="openid", claims=other, id_token_hint=hint)
    assert answer_of(person.open(two))["error"] == "invalid_request"


@pytest.mark.parametrize(
    "wanted, error",
    [
        ({"essential": True, "values": ["urn:mace:incommon:iap:gold"]}, "access_denied"),
        ({"essential": True, "value": "urn:mace:incommon:iap:gold"}, "access_denied"),
        ({"essential": True, "values": ["x", id_tokens.PASSWORD]}, None),
        ({"essential": True}, None),
        ({"values": ["x"]}, None),
        (None, None),
    ],
    ids=str,
)
def test_an_essential_context_class_that_there_is_not_fails(hint, person, relying, wanted, error):
    """OpenID Connect Core section 5.5.1.1."""
    asked = relying.asking(scope="openid", claims=claims(acr=wanted))

    assert answer_of(person.open(asked)).get("error") == error


def test_an_essential_context_class_is_that_of_this_sign_in(app, hint, person, relying):
    """OpenID Connect Core section 5.5.1.1: a passkey alone is no password."""
    with app.app_context():
        db.session.execute(update(Session).values(methods="swk mfa"))
        db.session.commit()
    essential = {
        "scope": "openid",
        "claims": claims(acr={"essential": True, "value": id_tokens.PASSWORD}),
    }

    silent = person.open(relying.asking(prompt="none", **essential))
    assert answer_of(silent)["error"] == "login_required"
    page = person.open(relying.asking(**essential))
    assert "The app asks for a sign-in with your password." in page.text

    token = person.tokens(relying, scope="openid")["id_token"]
    said = json.loads(signing_keys.decode(token.split(".")[1].encode()))
    assert (said["amr"], "acr" in said) == (["swk", "mfa"], False)


def test_malformed_claims_are_refused_and_other_hints_tolerated(hint, person, relying):
    """N-006, N-036; section 7: ui_locales, acr_values, display."""
    malformed = ["x", "[]", '"x"', '{"userinfo": []}', '{"id_token": {"a": 1}}', '{"a":1,"a":2}']
    for wrong in (*malformed, "[" * 500, '{"userinfo": 1}'):
        answer = answer_of(person.open(relying.asking(scope="openid", claims=wrong)))
        assert answer["error"] == "invalid_request", wrong
    hints = {"ui_locales": "fr-CA de", "acr_values": "x y", "display": "popup"}
    assert answer_of(person.open(relying.asking(scope="openid", **hints)))["code"]


def test_a_pushed_request_keeps_what_it_demands(hint, approver, relying):
    approver.allow(relying, scope="openid")
    pushed = relying.pushed(scope="openid", prompt="none", id_token_hint=hint)

    assert answer_of(approver.open(pushed))["error"] == "login_required"
