"""The keys of clients that sign: registered, changed, or published and fetched."""

from contextlib import contextmanager

import pytest

from app.domain import clients, generations
from app.domain.audit import SERVER
from app.extensions import db
from app.protocol.caller import UNFETCHED
from tests.protocol import registrants, signers, vendors
from tests.protocol.documents import CHATGPT
from tests.protocol.machines import assert_refused
from tests.protocol.machines import register as register_machine
from tests.protocol.signers import KEYS_URI
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url
from tests.protocol.vendors import STRANGER, key_set


@pytest.fixture
def outside(app, monkeypatch):
    """Return the outside of an app, where one key is published."""
    found = vendors.Outside("ES256")
    monkeypatch.setattr(app.extensions["gatewright.key_sets"], "outbound", found)
    return found


@pytest.fixture
def publishing(app, client, outside):
    """Return an active client that publishes its keys."""
    return signers.register(app, client, jwks=None, jwks_uri=KEYS_URI)


def test_a_client_that_publishes_its_keys_costs_one_fetch(publishing, outside, clock):
    """Section 7, registration with jwks_uri."""
    for _ in range(2):
        assert publishing.for_itself().status_code == 200
    assert outside.asked == [KEYS_URI]

    outside.publish("EdDSA")
    assert_refused(publishing.signing("EdDSA").for_itself(), "invalid_client")
    clock.advance(60)
    assert publishing.signing("EdDSA").for_itself().status_code == 200
    assert_refused(publishing.for_itself(), "invalid_client")
    assert len(outside.asked) == 2


def test_nothing_is_fetched_for_a_client_that_may_not_be_served(app, client, outside, publishing):
    with app.app_context():
        clients.suspend(clients.get(publishing.client_id), "stop", by=SERVER)
        db.session.commit()
    waiting = signers.register(
        app, client, approve=False, client_name="Waiting", jwks=None, jwks_uri=KEYS_URI
    )

    assert_refused(publishing.for_itself(), "invalid_client")
    assert_refused(waiting.for_itself(), "access_denied")
    assert_refused(
        publishing.for_itself(**publishing.proof(waiting.assertion(exp=-30))), "invalid_client"
    )
    assert outside.asked == []


def stop(client):
    clients.suspend(client, "stop", by=SERVER)


def change_keys(client):
    client.client_metadata = client.client_metadata | {"jwks_uri": f"{KEYS_URI}?2"}
    generations.bump("clients")


@pytest.mark.parametrize("change", [stop, change_keys])
def test_a_client_that_is_changed_while_its_keys_are_fetched_is_refused(
    outside, publishing, change
):
    @contextmanager
    def meanwhile():
        change(clients.get(publishing.client_id))
        db.session.commit()
        yield

    outside.meanwhile = meanwhile
    assert_refused(publishing.for_itself(), "invalid_client")
    assert outside.asked == [KEYS_URI]


def test_keys_that_cannot_be_had_are_told_apart(publishing, outside, audited):
    outside.answer = None

    refused = publishing.for_itself()

    assert_refused(refused, "invalid_client")
    assert refused.get_json()["error_description"] == UNFETCHED
    assert audited("request.refused")[-1].detail["reason"] == "timeout"


def test_who_lists_none_may_sign_and_need_not(app, client, outside):
    """The shape of ChatGPT's document; anybody can be such a client, so it counts as public."""
    choice = {
        "token_endpoint_auth_methods_supported": CHATGPT["token_endpoint_auth_methods_supported"],
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks_uri": KEYS_URI,
    }
    public = register_machine(app, client, client_name="Choosing", **choice)
    signer = signers.signer_of(public)

    for machine in (public, signer):
        assert_refused(machine.refresh("rt_none"), "invalid_grant")
        assert_refused(machine.introspect("x"), "invalid_client")
    forged = signer.proof(signer.assertion(key=STRANGER))
    assert_refused(signer.refresh("rt_none", **forged), "invalid_client")
    assert outside.asked == [KEYS_URI]


KEYLESS = {
    "no keys": {"jwks": None},
    "both": {"jwks_uri": KEYS_URI},
    "only a key for encryption": {"jwks": key_set("enc")},
    "no key for its algorithm": {
        "jwks": key_set("ES256"),
        "token_endpoint_auth_signing_alg": "RS256",
    },
    "a password as algorithm": {"token_endpoint_auth_signing_alg": "HS256"},
    "no algorithm": {"token_endpoint_auth_signing_alg": "none"},
    "a list as algorithm": {"token_endpoint_auth_signing_alg": ["ES256"]},
}


SIGNING = {"token_endpoint_auth_method": "private_key_jwt", "jwks": key_set()}


@pytest.mark.parametrize("change", KEYLESS.values(), ids=KEYLESS.keys())
def test_a_client_that_could_not_sign_is_not_registered(standing, change):
    answer = registrants.post(standing.http, **SIGNING | change)
    assert_refused(answer, "invalid_client_metadata")


def test_a_registration_echoes_how_it_signs_and_has_no_secret(client):
    one = registrants.register(client, **SIGNING, token_endpoint_auth_signing_alg="ES256")

    assert one.answer["token_endpoint_auth_method"] == "private_key_jwt"
    assert one.answer["token_endpoint_auth_signing_alg"] == "ES256"
    assert "client_secret" not in one.answer
    wider = one.update(token_endpoint_auth_method="client_secret_basic")
    assert_refused(wider, "invalid_client_metadata")


def test_another_key_waits_for_approval_and_the_old_one_goes_on(app, client):
    operator = registrants.Operator(app)
    one = registrants.register(
        client,
        **SIGNING | {"jwks": key_set("ES256"), "grant_types": ["client_credentials"]},
    )
    operator.approve(one)
    signer = signers.signer_of(one.machine)

    answer = one.update(jwks=key_set("EdDSA")).get_json()
    assert (answer["registration_status"], answer["jwks"]) == ("revision_pending", key_set("ES256"))
    assert_refused(signer.signing("EdDSA").for_itself(), "invalid_client")
    assert signer.for_itself().status_code == 200

    operator.approve(one, waiting=True)
    assert signer.signing("EdDSA").for_itself().status_code == 200
    assert_refused(signer.for_itself(), "invalid_client")


def test_a_secret_ends_when_a_client_begins_to_sign(app, client):
    operator = registrants.Operator(app)
    one = registrants.register(client, token_endpoint_auth_method="client_secret_post")
    operator.approve(one)
    one.update(**SIGNING)
    assert_refused(one.machine.refresh("rt_none"), "invalid_grant")

    operator.approve(one, waiting=True)

    assert_refused(one.machine.refresh("rt_none"), "invalid_client")
    assert_refused(signers.signer_of(one.machine).refresh("rt_none"), "invalid_grant")
