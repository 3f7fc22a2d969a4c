"""private_key_jwt (RFC 7523 section 2.2): who signs is who it says, once, here and now."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.domain import client_assertions, retention
from app.domain.client_assertions import REPLAYED, ClientAssertionId
from app.extensions import db
from app.outbound import logins
from tests.conftest import ISSUER
from tests.protocol import signers
from tests.protocol.machines import assert_refused, send
from tests.protocol.machines import register as register_machine
from tests.protocol.persons import new_http
from tests.protocol.signers import KIND
from tests.protocol.vendors import KEYS, STRANGER, jws, key_set


@pytest.fixture
def signer(app, client):
    """Return an active client whose keys are registered with it."""
    return signers.register(app, client)


def test_a_client_with_registered_keys_signs_wherever_it_calls(signer, person):
    """Section 7, registration with jwks."""
    tokens_of_person = signer.redeem(person.code(signer)).get_json()

    for algorithm in ("ES256", "PS256", "EdDSA"):
        answer = signer.signing(algorithm).for_itself()
        assert answer.status_code == 200, answer.text
    introspected = signer.introspect(answer.get_json()["access_token"]).get_json()
    assert (introspected["active"], introspected["sub"]) == (True, signer.client_id)
    assert signer.refresh(tokens_of_person["refresh_token"]).status_code == 200
    request = dict(parse_qsl(urlsplit(signer.asking(client_id=None)).query))
    assert signer.post("/par", **request).status_code == 201
    assert signer.revoke(answer.get_json()["access_token"]).status_code == 200
    assert signer.for_itself(client_id=signer.client_id).status_code == 200


GATE_LOGIN = {
    "enabled": True,
    "url": "https://gate.example/ask",
    "auth_type": "oauth2_client_credentials",
    "oauth2_token_url": f"{ISSUER}/token",
    "oauth2_client_id": "gatewright",
    "oauth2_auth_method": "private_key_jwt",
}


@pytest.mark.parametrize(
    "overrides", [{f"registration_gate_{name}": value for name, value in GATE_LOGIN.items()}]
)
def test_another_server_of_this_kind_takes_what_we_sign_for_the_gate(app, client):
    ours = client.get("/.well-known/jwks.json").get_json()
    signer = signers.register(app, client, jwks=ours)
    login = replace(app.extensions["gatewright.gate"].access.login, client_id=signer.client_id)

    form = {"grant_type": "client_credentials"} | logins.proof(login)

    assert send(client, "/token", form).status_code == 200
    assert_refused(send(client, "/token", form), "invalid_client")


def test_an_assertion_is_used_up_by_whatever_it_proved_and_by_nothing_else(app, client, signer):
    once = signer.claims()
    forged = jws({"alg": "ES256"}, once, STRANGER, "ES256")
    genuine = jws({"alg": "ES256"}, once, KEYS["ES256"], "ES256")
    assert_refused(signer.for_itself(**signer.proof(forged)), "invalid_client")
    assert_refused(signer.post("/token", **signer.proof(genuine)), "invalid_request")

    for path in ("/token", "/revoke", "/introspect"):
        replay = signer.post(path, token="x", **signer.proof(genuine))
        assert_refused(replay, "invalid_client")
        assert replay.get_json()["error_description"] == REPLAYED

    other = signers.register(app, client, client_name="Other")
    assert other.for_itself(**other.proof(other.assertion(jti=once["jti"]))).status_code == 200


def test_of_eight_who_send_the_same_assertion_one_is_served(app, signer):
    """F-06."""
    form = signer.proof() | {"grant_type": "client_credentials"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: send(new_http(app), "/token", form), range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


def test_used_assertions_are_purged_after_their_end(app, signer, clock):
    assert signer.for_itself().status_code == 200

    def left():
        with app.app_context():
            retention.purge()
            db.session.commit()
            return db.session.scalar(db.select(db.func.count()).select_from(ClientAssertionId))

    clock.advance(60 + client_assertions.LEEWAY_SECONDS)
    assert left() == 1
    clock.advance(client_assertions.LEEWAY_SECONDS + 1)
    assert left() == 0


def test_a_client_that_signs_can_do_nothing_else_and_nobody_else_can_sign(
    app, client, signer, public, confidential
):
    """N-056."""
    bare = {"client_assertion": None, "client_assertion_type": None}
    alone = {"client_id": signer.client_id}
    assert_refused(signer.for_itself(**bare, **alone), "invalid_client")
    assert_refused(signer.for_itself(**bare, **alone, client_secret="x"), "invalid_client")
    assert_refused(signer.for_itself(client_id=public.client_id), "invalid_client")

    keyed = register_machine(app, client, client_name="Keyed", jwks=key_set("ES256"))
    for machine in (public, confidential, keyed):
        assert_refused(signers.signer_of(machine).for_itself(), "invalid_client")


def test_two_methods_at_once_or_half_a_method_are_refused(signer, confidential):
    """N-054."""
    form = {"grant_type": "client_credentials"} | signer.proof()
    twice = send(signer.http, "/token", form, confidential.basic)
    assert_refused(twice, "invalid_request")
    assert_refused(signer.for_itself(client_secret="x"), "invalid_request")
    assert_refused(signer.for_itself(client_assertion=None), "invalid_request")
    assert_refused(signer.for_itself(client_assertion_type=None), "invalid_request")
    assert_refused(signer.for_itself(client_assertion_type=f"{KIND}x"), "invalid_client")
    query = f"/token?client_assertion={signer.assertion()}"
    bare = {"grant_type": "client_credentials", "client_id": signer.client_id}
    assert_refused(send(signer.http, query, bare), "invalid_request")


def test_a_client_that_named_an_algorithm_signs_with_that_alone(app, client):
    narrow = signers.register(app, client, token_endpoint_auth_signing_alg="PS256")

    assert_refused(narrow.for_itself(), "invalid_client")
    assert narrow.signing("PS256").for_itself().status_code == 200
