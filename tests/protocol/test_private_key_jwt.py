"""private_key_jwt (RFC 7523 section 2.2): who signs is who it says, once, here and now."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc.jwk import OctKey

from app.domain import client_assertions, clients, generations, retention, signing_keys, tokens
from app.domain.audit import SERVER
from app.domain.client_assertions import AUDIENCE, DATES, REPLAYED, SHAPE, ClientAssertionId
from app.extensions import db
from app.outbound import logins
from app.protocol.caller import FAILED, UNFETCHED
from tests.conftest import ISSUER
from tests.protocol import registrants, signers, vendors
from tests.protocol.documents import CHATGPT
from tests.protocol.machines import assert_refused, send
from tests.protocol.machines import register as register_machine
from tests.protocol.persons import new_http
from tests.protocol.signers import KEYS_URI, KIND
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url
from tests.protocol.vendors import KEYS, STRANGER, jws, key_set


@pytest.fixture
def signer(app, client):
    """Return an active client whose keys are registered with it."""
    return signers.register(app, client)


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


@pytest.fixture(scope="module")
def lasting(standing):
    """Return a client that stands for all refusals."""
    return signers.register(standing.app, standing.http)


def test_a_client_with_registered_keys_signs_wherever_it_calls(signer, person):
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


def test_a_client_that_publishes_its_keys_costs_one_fetch(publishing, outside, clock):
    for _ in range(2):
        assert publishing.for_itself().status_code == 200
    assert outside.asked == [KEYS_URI]

    outside.publish("EdDSA")
    assert_refused(publishing.signing("EdDSA").for_itself(), "invalid_client")
    clock.advance(60)
    assert publishing.signing("EdDSA").for_itself().status_code == 200
    assert_refused(publishing.for_itself(), "invalid_client")
    assert len(outside.asked) == 2


@pytest.mark.parametrize(
    "path, audience",
    [
        ("/token", f"{ISSUER}/token"),
        ("/revoke", f"{ISSUER}/token"),
        ("/revoke", f"{ISSUER}/revoke"),
        ("/introspect", ["https://elsewhere.example", ISSUER]),
    ],
)
def test_the_audience_is_the_issuer_or_where_it_is_sent(lasting, path, audience):
    proof = lasting.proof(lasting.assertion(aud=audience))
    answer = lasting.post(path, token="x", grant_type="client_credentials", **proof)
    assert answer.status_code == 200, answer.text


def confused(one):
    """Return an assertion for which our idea of the public key served as a password."""
    public = json.dumps(KEYS["ES256"].as_dict(private=False)).encode()
    key = OctKey.import_key(public)
    return jws({"alg": "HS256", "kid": "ES256"}, one.claims(), key, "HS256")


def unsigned(one):
    """Return an assertion that nobody signed."""
    _head, claims, _ = one.assertion(header={"kid": None}).split(".")
    none = vendors.encode(b'{"alg":"none"}')
    return f"{none}.{claims}."


def changed(**changes):
    """Return what signs an assertion with other claims."""
    return lambda one: one.assertion(**changes)


def header(**changes):
    """Return what signs an assertion with another header."""
    return lambda one: one.assertion(header=changes)


BAD_ASSERTIONS = {
    "for another server": (changed(aud="https://elsewhere.example"), AUDIENCE),
    "for another endpoint": (changed(aud=f"{ISSUER}/introspect"), AUDIENCE),
    "for the issuer with a slash": (changed(aud=f"{ISSUER}/"), AUDIENCE),
    "for nobody": (changed(aud=None), AUDIENCE),
    "for an object": (changed(aud={"a": ISSUER}), AUDIENCE),
    "expired": (changed(exp=-30), DATES),
    "of a day": (changed(exp=86400), DATES),
    "of ever": (changed(exp=None), DATES),
    "an end that is text": (changed(exp="9999999999"), DATES),
    "an end that is a truth": (changed(exp=True), DATES),
    "of tomorrow": (changed(iat=60), DATES),
    "not before": (changed(nbf=60), DATES),
    "no jti": (changed(jti=None), SHAPE),
    "an empty jti": (changed(jti=""), SHAPE),
    "a number as jti": (changed(jti=1), SHAPE),
    "NUL in the jti": (changed(jti="a\0b"), SHAPE),
    "no iss": (changed(iss=None), SHAPE),
    "no sub": (changed(sub=None), SHAPE),
    "another sub": (changed(sub="somebody"), SHAPE),
    "our issuer": (changed(iss=ISSUER), SHAPE),
    "another client": (changed(iss="somebody", sub="somebody"), FAILED),
    "no algorithm": (unsigned, SHAPE),
    "our public key as a password": (confused, SHAPE),
    "an unknown kid": (header(kid="other"), FAILED),
    "the kid of another key": (header(kid="PS256"), FAILED),
    "a key of the sender's": (header(jwk=STRANGER.as_dict(private=False)), SHAPE),
    "a key set of the sender's": (header(jku="https://attacker.example/jwks"), SHAPE),
    "critical": (header(crit=["x"], x=1), SHAPE),
    "an access token by type": (header(typ="at+jwt"), SHAPE),
    "a statement by type": (header(typ="software-statement+jwt"), SHAPE),
    "of a stranger": (lambda one: one.assertion(key=STRANGER), FAILED),
    "of a stranger without a kid": (lambda one: one.assertion({"kid": None}, STRANGER), FAILED),
    "of a key for encryption": (lambda one: one.assertion({"kid": "enc"}, KEYS["enc"]), FAILED),
    "not a JWT": (lambda _: "x", SHAPE),
    "too long": (lambda one: one.assertion(jti="x" * 20_000), SHAPE),
}


@pytest.mark.parametrize("make, sentence", BAD_ASSERTIONS.values(), ids=BAD_ASSERTIONS.keys())
def test_a_bad_assertion_proves_nothing(lasting, make, sentence):
    """N-061."""
    refused = lasting.for_itself(**lasting.proof(make(lasting)))

    assert_refused(refused, "invalid_client")
    assert refused.get_json()["error_description"] == sentence


def test_no_token_of_ours_proves_a_client(standing, lasting):
    with standing.app.app_context():
        keys = signing_keys.load(standing.app.extensions["gatewright.keys"]["signing keys"])
    for kind in (tokens.ACCESS_TOKEN, tokens.ID_TOKEN, "client-authentication+jwt"):
        token = signing_keys.sign(keys, kind, lasting.claims())
        assert_refused(lasting.for_itself(**lasting.proof(token)), "invalid_client")


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
