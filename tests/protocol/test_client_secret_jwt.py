"""client_secret_jwt (OpenID Connect Core section 9): the secret signs, and is not sent."""

import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.config import current_key
from app.domain import assertion_secrets, clients, credentials
from app.domain.audit import SERVER
from app.domain.client_assertions import AUDIENCE, DATES, REPLAYED, SHAPE
from app.domain.client_records import Client
from app.domain.credentials import digest
from app.extensions import db
from app.protocol.caller import FAILED
from tests.console.matrix import rows
from tests.protocol import machines, registrants, signers
from tests.protocol.forgeries import encode
from tests.protocol.machines import assert_refused, send
from tests.protocol.persons import new_http
from tests.protocol.vendors import KEYS, key_set

METHOD = "client_secret_jwt"
SHARING = {"token_endpoint_auth_method": METHOD}
PUBLIC = {
    "jwk": json.dumps(KEYS["ES256"].as_dict(private=False)),
    "pem": KEYS["ES256"].as_pem(private=False).decode(),
    "x": KEYS["ES256"].as_dict(private=False)["x"],
}
"""What everybody knows of the key of a client."""


@pytest.fixture
def sharing(app, client):
    """Return an active client that signs with its secret."""
    return signers.share(app, client)


def by_hmac(one, known, **header):
    """Return an assertion of a client with any text as the key of its HMAC."""
    head = {"alg": "HS256"} | header
    signed = ".".join(encode(json.dumps(each).encode()) for each in (head, one.claims()))
    return f"{signed}.{encode(hmac.digest(known.encode(), signed.encode(), 'sha256'))}"


HOSTILE = {
    "another secret": (lambda one: by_hmac(one, "s" * 43), FAILED),
    "no secret": (lambda one: by_hmac(one, ""), FAILED),
    "the digest of the secret": (lambda one: by_hmac(one, digest(one.secret)), FAILED),
    "the client_id": (lambda one: by_hmac(one, one.client_id), FAILED),
    "a longer HMAC": (lambda one: by_hmac(one, one.secret, alg="HS512"), SHAPE),
    "no algorithm": (lambda one: by_hmac(one, one.secret, alg="none"), SHAPE),
    "half a signature": (lambda one: one.assertion()[:-23], FAILED),
    "a key pair": (lambda one: one.assertion({"alg": "ES256"}, KEYS["ES256"]), FAILED),
    "a secret in the header": (lambda one: one.assertion({"jwk": one.key.as_dict()}), SHAPE),
    "critical": (lambda one: one.assertion({"crit": ["x"], "x": 1}), SHAPE),
    "an access token by type": (lambda one: one.assertion({"typ": "at+jwt"}), SHAPE),
    "for another server": (lambda one: one.assertion(aud="https://elsewhere.example"), AUDIENCE),
    "expired": (lambda one: one.assertion(exp=-30), DATES),
    "of a day": (lambda one: one.assertion(exp=86400), DATES),
    "no jti": (lambda one: one.assertion(jti=None), SHAPE),
    "another client": (lambda one: one.assertion(iss="somebody", sub="somebody"), FAILED),
}


def test_what_the_secret_did_not_sign_for_us_proves_nothing(sharing, subtests):
    """N-061, of a secret: no other key, no other algorithm, no other time or place."""
    for name, (make, sentence) in HOSTILE.items():
        with subtests.test(name):
            refused = sharing.for_itself(**sharing.proof(make(sharing)))
            assert_refused(refused, "invalid_client")
            assert refused.get_json()["error_description"] == sentence
    assert sharing.for_itself().status_code == 200


def test_a_client_that_signs_with_its_secret_does_so_wherever_it_calls(sharing, person):
    tokens = sharing.redeem(person.code(sharing)).get_json()

    assert sharing.introspect(tokens["access_token"]).get_json()["active"] is True
    request = sharing.wanted(client_id=None)
    assert sharing.post("/par", **request).status_code == 201
    assert sharing.refresh(tokens["refresh_token"]).status_code == 200
    assert sharing.revoke(tokens["access_token"]).status_code == 200


def test_of_eight_who_send_the_same_assertion_one_is_served(app, sharing):
    """F-06, N-061."""
    form = sharing.proof() | {"grant_type": "client_credentials"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: send(new_http(app), "/token", form), range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    replay = send(sharing.http, "/token", form)
    assert replay.get_json()["error_description"] == REPLAYED


def test_each_method_refuses_what_the_others_send(app, client, sharing, subtests):
    """N-056: a secret that signs is never sent, one that is sent never signs."""
    bare = {"client_assertion": None, "client_assertion_type": None}
    body = bare | {"client_id": sharing.client_id, "client_secret": sharing.secret}
    with subtests.test("its secret in the body or by Basic, or nothing"):
        assert_refused(sharing.for_itself(**body), "invalid_client")
        grant = {"grant_type": "client_credentials"}
        assert_refused(send(client, "/token", grant, sharing.basic), "invalid_client")
        assert_refused(sharing.for_itself(**body | {"client_secret": None}), "invalid_client")
    for method in ("client_secret_basic", "client_secret_post"):
        with subtests.test(method):
            changes = {"client_name": method, "token_endpoint_auth_method": method}
            sending = machines.register(app, client, **changes)
            signing = replace(sharing, client_id=sending.client_id, secret=sending.secret)
            assert_refused(signing.for_itself(), "invalid_client")
    signing = signers.register(app, client, client_name="By key")
    for form, known in PUBLIC.items():
        with subtests.test(f"a public key as {form}"):
            confused = signing.proof(by_hmac(signing, known, kid="ES256"))
            assert_refused(signing.for_itself(**confused), "invalid_client")
    with subtests.test("keys beside the secret do not count"):
        both = signers.share(app, client, client_name="Both", jwks=key_set("ES256"))
        by_key = replace(both, secret=None, algorithm="ES256")
        assert_refused(by_key.for_itself(), "invalid_client")
        confused = both.proof(by_hmac(both, PUBLIC["jwk"], kid="ES256"))
        assert_refused(both.for_itself(**confused), "invalid_client")
        assert both.for_itself().status_code == 200


def rotated(app, machine):
    """Give a client a new secret; return the client that knows it."""
    with app.app_context():
        row = clients.get(machine.client_id)
        issued = clients.rotate_secret(row, by=SERVER, overlap_seconds=100)
        assertion_secrets.seal(row, issued.client_secret, current_key("client secrets"))
        db.session.commit()
    return replace(machine, secret=issued.client_secret)


def test_an_old_secret_signs_until_its_stated_end(app, sharing, clock):
    """N-060"""
    renewed = rotated(app, sharing)
    clock.advance(99)
    assert sharing.for_itself().status_code == 200

    clock.advance(1)

    assert_refused(sharing.for_itself(), "invalid_client")
    assert renewed.for_itself().status_code == 200
    rotated(app, rotated(app, renewed))
    assert_refused(renewed.for_itself(), "invalid_client")


def test_a_secret_is_sealed_for_its_client_and_for_no_other_method(app, client, sharing, posting):
    """C-60, C-61: a dump holds none, and seals that were swapped open for nobody."""
    other = signers.share(app, client, client_name="Other")
    stored = str(rows(app))
    assert not any(each.secret in stored for each in (sharing, other, posting))
    with app.app_context():
        first, second = (db.session.get(Client, each.client_id) for each in (sharing, other))
        assert db.session.get(Client, posting.client_id).secret_sealed is None
        first.secret_sealed, second.secret_sealed = second.secret_sealed, first.secret_sealed
        key = current_key("client secrets")
        name = assertion_secrets.bound(first.client_id)
        with pytest.raises(ValueError, match="another row"):
            credentials.unseal(key, first.secret_sealed, name)


def test_the_secret_is_shown_once_and_the_algorithm_is_told(client):
    one = registrants.register(client, **SHARING, token_endpoint_auth_signing_alg="HS256")

    assert one.answer["token_endpoint_auth_signing_alg"] == "HS256"
    assert len(one.answer["client_secret"]) >= 43
    read = one.read().get_json()
    assert (read["token_endpoint_auth_method"], "client_secret" in read) == (METHOD, False)
    for algorithm in ("ES256", "HS512", "none", ["HS256"]):
        refused = registrants.post(client, **SHARING, token_endpoint_auth_signing_alg=algorithm)
        assert_refused(refused, "invalid_client_metadata")


def test_nobody_begins_to_sign_with_a_secret_by_an_update(app, client):
    """X-42: of the secret that there is, the server has a digest alone."""
    for number, method in enumerate(("none", "client_secret_basic", "client_secret_post")):
        one = registrants.register(
            client, client_name=f"Client {number}", token_endpoint_auth_method=method
        )
        assert_refused(one.update(**SHARING), "invalid_client_metadata")


def test_a_seal_ends_when_the_client_sends_its_secret_instead(app, client):
    operator = registrants.Operator(app)
    one = registrants.register(client, **SHARING)
    operator.approve(one)
    waiting = one.update(token_endpoint_auth_method="client_secret_post")
    assert waiting.get_json()["registration_status"] == "revision_pending"
    signer = signers.signer_of(one.machine)
    assert_refused(signer.refresh("rt_none"), "invalid_grant")

    operator.approve(one, waiting=True)

    assert_refused(signer.refresh("rt_none"), "invalid_client")
    sending = replace(one.machine, method="client_secret_post")
    assert_refused(sending.refresh("rt_none"), "invalid_grant")
    with app.app_context():
        row = clients.get(one.client_id)
        assert (row.secret_sealed, row.old_secret_sealed) == (None, None)


def test_a_deleted_client_leaves_no_seal(app, client, sharing):
    with app.app_context():
        row = clients.get(sharing.client_id)
        clients.delete(row, "over", by=SERVER)
        db.session.commit()
        assert row.secret_sealed is None
    assert_refused(sharing.for_itself(), "invalid_client")
