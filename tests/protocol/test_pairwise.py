"""Pairwise subjects: who is told which, everywhere (OpenID Connect Core section 8)."""

import json

import pytest
from joserfc.jws import extract_compact

from app.domain import key_rotation
from app.domain.audit import SERVER
from app.domain.openid_metadata import NEW_SUBJECTS
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol import registrants
from tests.protocol.machines import REDIRECT, RESOURCE, SCOPES, assert_refused
from tests.protocol.persons import answer_of
from tests.protocol.registrants import Operator

OTHER = "https://other.example/cb"
STAY = f"openid offline_access {SCOPES}"
JWTS = ("access_token", "id_token")
SAID = {"subject_type": "pairwise", "scope": STAY}


@pytest.fixture
def apart(register):
    """Return a function that registers an approved client whose subjects are its sector's."""
    return lambda name, uri=REDIRECT, **more: register(
        client_name=name, redirect_uris=[uri], **SAID, **more
    )


def payload(token):
    """Return what a token says."""
    return json.loads(extract_compact(token.encode()).payload)


def subject(person, machine, **changes):
    """Return as whom a client gets to know somebody."""
    return payload(person.tokens(machine, **({"scope": STAY} | changes))["id_token"])["sub"]


def test_a_subject_is_stable_in_its_sector_and_another_in_every_other(
    app, apart, relying, person, approver
):
    """N-204: it tells nothing of the account, and outlives the signing keys."""
    one, two, far = apart("One"), apart("Two", f"{REDIRECT}/two"), apart("Far", OTHER)
    known = subject(person, one)

    assert subject(person, relying) == person.user_id
    assert subject(person, two) == known
    assert len({known, subject(person, far), subject(approver, one), person.user_id}) == 4
    assert person.user_id not in known
    assert len(known) == 43
    with app.app_context():
        sealing_key = app.extensions["gatewright.keys"]["signing keys"]
        key_rotation.rotate(sealing_key, by=SERVER, early=True)
        db.session.commit()
    assert subject(person, one) == known


def test_every_answer_about_a_person_names_the_same_subject(client, apart, person, resource_server):
    """N-204: tokens, refreshed ones, UserInfo and introspection, by whoever asks."""
    machine = apart("One", token_endpoint_auth_method="client_secret_post")
    here = person.tokens(machine, scope="openid offline_access", resource=ISSUER)
    tokens = person.tokens(machine, scope=STAY, resource=[RESOURCE, ISSUER])
    renewed = machine.refresh(tokens["refresh_token"], resource=RESOURCE).get_json()
    told = client.get("/userinfo", headers={"Authorization": f"Bearer {here['access_token']}"})
    known = payload(here["id_token"])["sub"]

    subjects = [payload(each[name])["sub"] for each in (tokens, renewed) for name in JWTS]
    subjects += [
        machine.introspect(tokens["access_token"]).get_json()["sub"],
        machine.introspect(renewed["refresh_token"]).get_json()["sub"],
        resource_server.introspect(renewed["access_token"]).get_json()["sub"],
        told.get_json()["sub"],
    ]
    assert set(subjects) == {known}
    assert known != person.user_id


def test_a_subject_that_is_demanded_is_meant_as_the_client_knows_it(
    apart, relying, person, approver
):
    """N-040, OpenID Connect Core section 5.5.1: hint and claim, also with prompt=none.

    What another sector, or everybody, is told of a person matches nobody: apps cannot compare.
    """
    machine, far = apart("One"), apart("Far", OTHER)
    own = person.tokens(machine, scope="openid")["id_token"]
    foreign = [person.tokens(each, scope="openid")["id_token"] for each in (far, relying)]
    silent = {"scope": "openid", "prompt": "none"}

    def answers(token):
        claims = json.dumps({"id_token": {"sub": {"value": payload(token)["sub"]}}})
        for asked in ({"id_token_hint": token}, {"claims": claims}):
            yield answer_of(person.open(machine.asking(**silent, **asked)))

    assert all(answer["code"] for answer in answers(own))
    for token in foreign:
        assert {answer["error"] for answer in answers(token)} == {"login_required"}
    approver.allow(machine, scope="openid")
    other = approver.open(machine.asking(**silent, id_token_hint=own))
    assert answer_of(other)["error"] == "login_required"


@pytest.fixture
def operator(app):
    return Operator(app)


@pytest.mark.parametrize(
    "change",
    [{"subject_type": None}, {"redirect_uris": [OTHER]}],
    ids=["public", "another sector"],
)
def test_other_subjects_wait_for_an_operator_and_end_what_was_given(
    client, operator, person, resource_server, change
):
    """N-164, N-177: who approves reads what it means; grants of strangers-to-be end."""
    registrant = registrants.register(client, **SAID)
    operator.approve(registrant)
    machine = registrant.machine
    tokens = person.tokens(machine, scope=STAY)

    answer = registrant.update(**change).get_json()
    assert answer["registration_status"] == "revision_pending"
    assert machine.refresh(tokens["refresh_token"]).status_code == 200
    seen = operator.approve(registrant, waiting=True)
    assert NEW_SUBJECTS in seen.notes
    moved = machine.at(change.get("redirect_uris", [machine.redirect_uri])[0])
    assert_refused(moved.refresh(tokens["refresh_token"]), "invalid_grant")
    assert resource_server.introspect(tokens["access_token"]).get_json() == {"active": False}
    assert subject(person, moved) != payload(tokens["id_token"])["sub"]


def test_whoever_was_approved_as_pairwise_does_not_come_again_as_public(client, operator):
    """N-210: nothing that a registration does later widens what was approved."""
    registrant = registrants.register(client, **SAID)
    operator.approve(registrant)

    again, public = registrants.register(client, **SAID), registrants.register(client, scope=STAY)

    assert again.answer["registration_status"] == "approved"
    assert public.answer["registration_status"] == "pending"
