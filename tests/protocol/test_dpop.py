"""DPoP at the token endpoint (RFC 9449): whose key it is, once, here and now (N-201)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain import dpop_proofs, retention
from app.domain.dpop_proofs import DpopProofId
from app.extensions import db
from tests.protocol import devices
from tests.protocol.forgeries import decode
from tests.protocol.machines import RESOURCE, assert_refused
from tests.protocol.persons import new_http
from tests.protocol.proofs import KEY, OTHER, jkt, proof, proving

OWN = {"grant_type": "client_credentials", "resource": RESOURCE}


def claims_of(token):
    """Return what a token says."""
    return json.loads(decode(token.split(".")[1]))


@pytest.fixture
def television(register):
    return register(**devices.METADATA)


def test_every_grant_gives_tokens_that_are_bound_to_the_key(
    public, confidential, television, person, resource_server
):
    code, asked = person.code(public), devices.let_in(person, television)
    first = public.redeem(code, headers=proving())
    answers = [
        first,
        public.refresh(first.get_json()["refresh_token"], headers=proving()),
        devices.poll(television, asked, headers=proving()),
        confidential.post("/token", proving(), **OWN),
    ]

    for answer in answers:
        assert answer.status_code == 200, answer.text
        body = answer.get_json()
        assert body["token_type"] == "DPoP"
        assert claims_of(body["access_token"])["cnf"] == {"jkt": jkt()}
        shown = resource_server.introspect(body["access_token"]).get_json()
        assert (shown["token_type"], shown["cnf"]) == ("DPoP", {"jkt": jkt()})


def test_without_a_proof_nothing_is_bound(confidential):
    body = confidential.post("/token", **OWN).get_json()

    assert body["token_type"] == "Bearer"
    assert "cnf" not in claims_of(body["access_token"])
    shown = confidential.introspect(body["access_token"]).get_json()
    assert (shown["token_type"], "cnf" in shown) == ("Bearer", False)


def test_a_proof_counts_once_and_only_for_its_own_key(confidential):
    once = proof(jti="once")
    assert confidential.post("/token", {"DPoP": once}, **OWN).status_code == 200

    for again in (once, proof(jti="once", iat=1)):
        replay = confidential.post("/token", {"DPoP": again}, **OWN)
        assert_refused(replay, "invalid_dpop_proof")
        assert replay.get_json()["error_description"] == dpop_proofs.REPLAYED

    others = proving(name=OTHER, jti="once")
    assert confidential.post("/token", others, **OWN).status_code == 200


def test_of_eight_who_send_the_same_proof_one_gets_a_token(app, confidential):
    """N-201; beside threads, two processes are raced in tests/races."""
    same = proving()

    def ask(_):
        machine = type(confidential)(
            new_http(app), confidential.client_id, confidential.method, confidential.secret
        )
        return machine.post("/token", same, **OWN).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(ask, range(8))) == [200] + [400] * 7


def test_a_replayed_proof_spends_nothing(public, person):
    """The code and the refresh token beside it are good afterwards."""
    same = proving()
    tokens = public.redeem(person.code(public), headers=same).get_json()
    code = person.code(public)

    assert_refused(public.redeem(code, headers=same), "invalid_dpop_proof")
    assert_refused(public.refresh(tokens["refresh_token"], headers=same), "invalid_dpop_proof")

    assert public.redeem(code, headers=proving()).status_code == 200
    assert public.refresh(tokens["refresh_token"], headers=proving()).status_code == 200


def test_a_proof_beside_what_is_refused_leaves_no_row(app, public):
    """Nobody fills the table with guesses."""
    for _ in range(3):
        assert_refused(public.redeem("guessed", headers=proving()), "invalid_grant")

    with app.app_context():
        assert db.session.scalars(db.select(DpopProofId)).all() == []


def test_used_proofs_are_purged_after_their_end(app, confidential, clock):
    assert confidential.post("/token", proving(iat=30), **OWN).status_code == 200

    def left():
        with app.app_context():
            removed = retention.purge()["DPoP proofs"]
            db.session.commit()
            return removed

    clock.advance(30 + dpop_proofs.LIFE_SECONDS + 30)
    assert left() == 0
    clock.advance(31)
    assert left() == 1


def test_a_refresh_token_of_a_public_client_is_good_for_its_key_only(public, person):
    """Section 5: without the key it is worth nothing, and trying it spends nothing."""
    token = public.redeem(person.code(public), headers=proving()).get_json()["refresh_token"]

    assert_refused(public.refresh(token), "invalid_grant")
    assert_refused(public.refresh(token, headers=proving(name=OTHER)), "invalid_grant")
    successor = public.refresh(token, headers=proving()).get_json()["refresh_token"]
    assert_refused(public.refresh(successor), "invalid_grant")
    assert public.refresh(successor, headers=proving()).status_code == 200


def test_a_refresh_token_becomes_bound_when_a_public_client_first_proves_a_key(public, person):
    token = public.redeem(person.code(public)).get_json()["refresh_token"]
    token = public.refresh(token).get_json()["refresh_token"]

    token = public.refresh(token, headers=proving()).get_json()["refresh_token"]

    assert_refused(public.refresh(token, headers=proving(name=OTHER)), "invalid_grant")
    assert public.refresh(token, headers=proving()).status_code == 200


def test_whoever_steals_a_token_without_a_key_does_not_keep_its_family_by_proving_one(
    public, person
):
    """N-091: the first use by its owner afterwards ends it, within the grace too."""
    stolen = public.redeem(person.code(public)).get_json()["refresh_token"]
    taken = public.refresh(stolen, headers=proving(name=OTHER)).get_json()["refresh_token"]

    assert_refused(public.refresh(stolen), "invalid_grant")

    assert_refused(public.refresh(taken, headers=proving(name=OTHER)), "invalid_grant")


def test_a_replay_within_the_grace_binds_nothing(public, person):
    """Or a thief who comes second would keep the owner out (N-092)."""
    stolen = public.redeem(person.code(public)).get_json()["refresh_token"]
    successor = public.refresh(stolen).get_json()["refresh_token"]

    replay = public.refresh(stolen, headers=proving(name=OTHER)).get_json()

    assert replay["refresh_token"] == successor
    assert public.refresh(successor).status_code == 200


def test_a_refresh_token_of_a_device_is_bound_too(television, person):
    asked = devices.let_in(person, television)
    token = devices.poll(television, asked, headers=proving()).get_json()["refresh_token"]

    assert_refused(television.refresh(token), "invalid_grant")
    assert television.refresh(token, headers=proving()).status_code == 200


def test_a_client_that_proves_itself_may_change_its_key(confidential, person):
    """Section 5: its refresh tokens are bound to the client itself."""
    token = confidential.redeem(person.code(confidential), headers=proving()).get_json()
    for name in (OTHER, KEY):
        answer = confidential.refresh(token["refresh_token"], headers=proving(name=name))
        token = answer.get_json()
        assert claims_of(token["access_token"])["cnf"] == {"jkt": jkt(name)}
    assert confidential.refresh(token["refresh_token"]).get_json()["token_type"] == "Bearer"


def test_a_client_that_wants_bound_tokens_gets_no_others(register, person):
    """Section 5.2, on the short way as on the long one."""
    client = register(
        dpop_bound_access_tokens=True,
        token_endpoint_auth_method="client_secret_basic",
        grant_types=["authorization_code", "refresh_token", "client_credentials"],
    )
    code = person.code(client)

    assert_refused(client.post("/token", **OWN), "invalid_dpop_proof")
    assert_refused(client.redeem(code), "invalid_dpop_proof")
    assert client.post("/token", proving(), **OWN).get_json()["token_type"] == "DPoP"
    tokens = client.redeem(code, headers=proving()).get_json()
    assert_refused(client.refresh(tokens["refresh_token"]), "invalid_dpop_proof")
    assert client.refresh(tokens["refresh_token"], headers=proving()).status_code == 200


def test_the_key_of_a_proof_is_no_client_authentication(confidential):
    assert_refused(
        confidential.post("/token", proving() | {"Authorization": "Basic eDp5"}, **OWN),
        "invalid_client",
    )
