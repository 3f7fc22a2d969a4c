"""Authorization requests that clients sign (RFC 9101), brought by browsers or pushed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import OctKey

from app.domain import signing_keys
from app.domain.pushed_requests import PushedRequest
from app.domain.request_objects import AUDIENCE, DATES, INSIDE, NAMES, SHAPE, VALUES
from app.extensions import db
from app.protocol.caller import UNFETCHED
from app.protocol.request_objects import DIFFERENT, TWO, UNSIGNED
from tests.conftest import ISSUER
from tests.protocol import registrants, signers, vendors
from tests.protocol.forgeries import encode
from tests.protocol.machines import RESOURCE, assert_refused, form
from tests.protocol.persons import answer_of, new_http
from tests.protocol.signers import KEYS_URI
from tests.protocol.vendors import KEYS, STRANGER, jws, key_set

EVIL = "https://attacker.example/"
TYPE = "oauth-authz-req+jwt"
P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the curve."""


@pytest.fixture
def signer(app, client):
    """Return an active client with keys."""
    return signers.register(app, client)


def signed(one, header=None, key=None, **changes):
    """Return the request object of a client; keywords change its claims, None leaves one out."""
    head = {"alg": one.algorithm, "kid": one.algorithm, "typ": TYPE} | (header or {})
    kept = {name: value for name, value in head.items() if value is not None}
    claims = one.claims(**{"sub": None} | one.wanted() | changes)
    return jws(kept, claims, key or KEYS[one.algorithm], head["alg"])


def bringing(one, text, **beside):
    """Return the path by which a browser brings a request object."""
    return f"/authorize?{form({'client_id': one.client_id, 'request': text} | beside)}"


def rows(app):
    """Return how many requests are kept."""
    with app.app_context():
        return db.session.scalar(db.select(db.func.count()).select_from(PushedRequest))


def allowed(person, path):
    """Open a path, allow what it asks for, and return what the client is told."""
    return answer_of(person.decide(person.open(person.open(path).location)))


def test_a_signed_request_is_answered_once_and_nothing_beside_it_counts(app, signer, person):
    """N-001, N-022: whatever a stranger adds to the address."""
    person.sign_in()
    beside = {
        "redirect_uri": EVIL,
        "state": "evil",
        "prompt": "none",
        "code_challenge": "e" * 43,
        "resource": "https://nowhere.example/",
        "response_type": "code",
        "scope": "mcp:read",
    }
    inside = {"scope": "mcp:read", "max_age": 1000, "claims": {"userinfo": {}}}
    path = bringing(signer, signed(signer, **inside, resource=[RESOURCE]), **beside)
    kept = person.open(path)
    brought = parse_qs(urlsplit(kept.location).query)
    assert (kept.status_code, brought.keys()) == (303, {"client_id", "request_uri"})
    page = person.open(kept.location)
    told = answer_of(person.decide(page))

    assert told["state"] == "a state"
    assert signer.redeem(told["code"]).get_json()["scope"] == "mcp:read"
    for browser in (person, person.elsewhere()):
        again = browser.open(browser.open(path).location)
        assert (again.status_code, again.location) == (400, None)
    assert rows(app) == 1


def test_every_kind_of_key_signs_and_both_ways_lead_to_a_code(signer, person, subtests):
    person.sign_in()
    for algorithm in ("ES256", "PS256", "EdDSA"):
        with subtests.test(algorithm):
            one = signer.signing(algorithm)
            assert "code" in allowed(person, bringing(one, signed(one, prompt="consent")))
            pushed = one.post("/par", request=signed(one, prompt="consent")).get_json()
            told = person.decide(person.open(f"/authorize?{form(pushed | alone(one))}"))
            assert one.redeem(answer_of(told)["code"]).status_code == 200
    with subtests.test("by a form"):
        sent = alone(signer) | {"request": signed(signer, {"typ": None}, prompt="consent")}
        path = signer.http.post("/authorize", data=sent).location
        assert "code" in allowed(person, path)


def alone(one):
    """Return the client_id."""
    return {"client_id": one.client_id}


def unsigned(one):
    """Return a request object that nobody signed."""
    none = encode(b'{"alg":"none"}')
    return f"{none}.{signed(one).split('.')[1]}."


def header(**changes):
    """Return what signs a request object with another header."""
    return lambda one: signed(one, changes)


def changed(**changes):
    """Return what signs a request object with other claims."""
    return lambda one: signed(one, **changes)


def by_password(one):
    """Return a request object for which a public key served as a password."""
    key = OctKey.import_key(KEYS["ES256"].as_dict(private=False)["x"])
    return signed(one, {"alg": "HS256"}, key)


def altered(one):
    """Return a request object whose redirect URI was exchanged after it was signed."""
    head, _, signature = signed(one).split(".")
    return f"{head}.{signed(one, redirect_uri=EVIL).split('.')[1]}.{signature}"


HOSTILE = {
    "unsigned": (unsigned, SHAPE),
    "our idea of its key as a password": (by_password, SHAPE),
    "encrypted": (lambda _: "e30.e30.e30.e30.e30", SHAPE),
    "not a JWT": (lambda _: "x", SHAPE),
    "too long": (changed(nonce="n" * 20_000), SHAPE),
    "a key of the sender's": (header(jwk=STRANGER.as_dict(private=False)), SHAPE),
    "a key set of the sender's": (header(jku=f"{EVIL}jwks"), SHAPE),
    "critical": (header(crit=["x"], x=1), SHAPE),
    "an assertion by type": (header(typ="client-authentication+jwt"), SHAPE),
    "an access token by type": (header(typ="at+jwt"), SHAPE),
    "of a stranger": (lambda one: signed(one, key=STRANGER), UNSIGNED),
    "of a stranger without a kid": (lambda one: signed(one, {"kid": None}, STRANGER), UNSIGNED),
    "altered": (altered, UNSIGNED),
    "an unknown kid": (header(kid="other"), UNSIGNED),
    "a key for encryption": (lambda one: signed(one, {"kid": "enc"}, KEYS["enc"]), UNSIGNED),
    "another issuer": (changed(iss="somebody"), NAMES),
    "no issuer": (changed(iss=None), NAMES),
    "another client": (changed(client_id="somebody"), NAMES),
    "no client": (changed(client_id=None), NAMES),
    "an assertion too": (lambda one: signed(one, sub=one.client_id), NAMES),
    "a mere assertion": (lambda one: one.assertion(), NAMES),
    "for another server": (changed(aud="https://elsewhere.example"), AUDIENCE),
    "for an endpoint": (changed(aud=f"{ISSUER}/authorize"), AUDIENCE),
    "for nobody": (changed(aud=None), AUDIENCE),
    "expired": (changed(exp=-30), DATES),
    "of ever": (changed(exp=None), DATES),
    "of a day": (changed(exp=86400), DATES),
    "of tomorrow": (changed(iat=60), DATES),
    "not before": (changed(nbf=60), DATES),
    "an object inside": (changed(request="a.b.c"), INSIDE),
    "a reference inside": (changed(request_uri=f"{EVIL}request"), INSIDE),
    "a registration inside": (changed(registration={}), INSIDE),
    "a list as scope": (changed(scope=["mcp:read"]), VALUES),
    "a number as state": (changed(state=1), VALUES),
    "a truth as age": (changed(max_age=True), VALUES),
    "NUL": (changed(state="a\0b"), VALUES),
    "numbers as resources": (changed(resource=[1]), VALUES),
}


def test_what_is_not_proven_sends_nobody_anywhere(app, signer, person, subtests):
    """N-021, N-022, N-061: by browser on a page of ours, pushed as JSON; nothing is kept."""
    for name, (make, sentence) in HOSTILE.items():
        with subtests.test(name):
            pushed = signer.post("/par", request=make(signer), redirect_uri=signer.redirect_uri)
            assert_refused(pushed, "invalid_request_object")
            assert pushed.get_json()["error_description"] == sentence
            if name != "too long":
                brought = person.open(signer.asking(request=make(signer)))
                assert (brought.status_code, brought.location) == (400, None)
                assert "invalid_request_object" in brought.text
    assert rows(app) == 0


# What is wrong, what stands beside the object, what is said of it.
BESIDE = [
    ("another type", {"response_type": "token"}, "invalid_request_object", DIFFERENT),
    ("another scope", {"scope": "mcp:write"}, "invalid_request_object", DIFFERENT),
    ("an address outside", {"request_uri": f"{EVIL}request"}, "invalid_request", TWO),
]


def test_what_stands_beside_must_agree_with_what_is_inside(signer, person, subtests):
    """OpenID Connect Core section 6.1."""
    for name, beside, error, sentence in BESIDE:
        with subtests.test(name):
            path = bringing(signer, signed(signer, scope="mcp:read"), **beside)
            brought = person.open(path)
            assert (brought.status_code, brought.location) == (400, None)
            said = " ".join(brought.text.split())
            assert error in said
            assert sentence in said


# What a signed request asks for, the error code that the client is told.
REFUSED = [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": None}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"scope": "unknown"}, "invalid_scope"),
    ({"resource": "https://nowhere.example/"}, "invalid_target"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"max_age": -1}, "invalid_request"),
    ({"claims": {"id_token": 1}}, "invalid_request"),
    ({"response_mode": "fragment"}, "invalid_request"),
]


def test_a_proven_object_is_checked_like_any_request(app, signer, person, subtests):
    for change, error in REFUSED:
        with subtests.test(error, change=change):
            told = answer_of(person.open(bringing(signer, signed(signer, **change))))
            assert (told["error"], told["state"]) == (error, "a state")
            assert_refused(signer.post("/par", request=signed(signer, **change)), error)
    for uri in (EVIL, f"{signer.redirect_uri}/x"):
        with subtests.test(uri):
            brought = person.open(bringing(signer, signed(signer, redirect_uri=uri)))
            assert (brought.status_code, brought.location) == (400, None)
    assert rows(app) == 0


def twin(text):
    """Return a request object with the other signature that its key could have made."""
    content, _, signature = text.rpartition(".")
    raw = signing_keys.decode(signature.encode())
    other = P256 - int.from_bytes(raw[32:])
    return f"{content}.{encode(raw[:32] + other.to_bytes(32))}"


def test_an_object_and_its_twin_are_one_request_however_often_they_are_brought(app, signer):
    """F-06: nobody gets two codes by one object."""
    text = signed(signer)
    paths = [bringing(signer, each) for each in (text, twin(text)) * 4]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda path: new_http(app).get(path), paths))

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    assert rows(app) == 1


def test_a_demand_inside_to_sign_in_again_is_met_once(signer, person, clock):
    person.sign_in()
    clock.advance(1)
    page = person.open(person.open(bringing(signer, signed(signer, prompt="login"))).location)
    assert 'name="password"' in page.text

    back = person.sign_in(page).location
    assert "code" in answer_of(person.decide(person.open(back)))


def test_a_request_object_is_no_assertion(signer):
    """RFC 9101 section 10.8"""
    for text in (signed(signer), signed(signer, {"typ": None})):
        assert_refused(signer.for_itself(**signer.proof(text)), "invalid_client")


def test_a_client_signs_with_the_algorithm_that_it_registered_and_nothing_else(app, client, person):
    narrow = signers.register(app, client, request_object_signing_alg="PS256")
    wrong, right = signed(narrow), signed(narrow.signing("PS256"))

    assert person.open(bringing(narrow, wrong)).status_code == 400
    assert_refused(narrow.post("/par", request=wrong), "invalid_request_object")
    assert person.open(bringing(narrow, right)).status_code == 303
    assert narrow.post("/par", request=right).status_code == 201


def test_a_client_that_signs_all_its_requests_sends_no_other(app, client, person):
    """RFC 9101 section 10.5: and only approval lets it again."""
    member = "require_signed_request_object"
    operator = registrants.Operator(app)
    one = registrants.register(client, jwks=key_set("ES256"), **{member: True})
    operator.approve(one)
    signer = signers.signer_of(one.machine)
    machine, wanted = one.machine, {"scope": "mcp:read", "resource": None}

    told = answer_of(person.open(machine.asking(**wanted)))
    assert told["error"] == "invalid_request"
    assert_refused(machine.push(**wanted), "invalid_request")
    text = signed(signer, **wanted)
    person.sign_in()
    assert "code" in allowed(person, bringing(signer, text))
    assert machine.post("/par", request=text).status_code == 201
    freed = one.update(**{member: False}).get_json()
    assert (freed["registration_status"], freed[member]) == ("revision_pending", True)


UNABLE = {
    "no keys": {"require_signed_request_object": True, "jwks": None},
    "no key for signatures": {"require_signed_request_object": True, "jwks": key_set("enc")},
    "no key for its algorithm": {"request_object_signing_alg": "RS256"},
    "a password": {"request_object_signing_alg": "HS256"},
    "no algorithm": {"request_object_signing_alg": "none"},
    "a list": {"request_object_signing_alg": ["ES256"]},
    "no truth": {"require_signed_request_object": "true"},
}


def test_a_client_that_could_not_sign_as_it_says_is_not_registered(client, subtests):
    for name, change in UNABLE.items():
        with subtests.test(name):
            answer = registrants.post(client, **{"jwks": key_set("ES256")} | change)
            assert_refused(answer, "invalid_client_metadata")
    able = registrants.register(
        client, jwks=key_set("ES256"), request_object_signing_alg="ES256"
    ).answer
    assert able["request_object_signing_alg"] == "ES256"


def test_only_an_active_client_with_keys_has_its_objects_opened(app, client, public, person):
    """N-026, X-40."""
    waiting = signers.register(app, client, approve=False, client_name="Waiting")
    keyless = signers.signer_of(public)
    for one, said in (
        (waiting, "access_denied"),
        (keyless, "invalid_request_object"),
        (replace(waiting, client_id="nobody"), "invalid_request"),
    ):
        brought = person.open(bringing(one, signed(one)))
        assert (brought.status_code, brought.location) == (400, None)
        assert said in brought.text
    assert rows(app) == 0


def test_published_keys_are_fetched_for_the_active_and_replaced_in_time(
    app, client, person, clock, monkeypatch
):
    """X-33, N-143 of a client: what it withdrew opens nothing."""
    outside = vendors.Outside("ES256")
    monkeypatch.setattr(app.extensions["gatewright.key_sets"], "outbound", outside)
    published = {"jwks": None, "jwks_uri": KEYS_URI}
    waiting = signers.register(app, client, approve=False, client_name="Waiting", **published)
    assert person.open(bringing(waiting, signed(waiting))).status_code == 400
    assert outside.asked == []
    one = signers.register(app, client, **published)
    assert person.open(bringing(one, signed(one))).status_code == 303

    outside.publish("EdDSA")
    clock.advance(60)
    other = one.signing("EdDSA")
    assert person.open(bringing(other, signed(other))).status_code == 303
    assert person.open(bringing(one, signed(one))).status_code == 400
    outside.answer = None
    clock.advance(600)
    unfetched = person.open(bringing(other, signed(other)))
    assert (unfetched.status_code, UNFETCHED in " ".join(unfetched.text.split())) == (400, True)


@pytest.mark.parametrize(
    "overrides", [{"rate_limit_enabled": True, "token_rate_limit": "2 per hour"}]
)
def test_one_address_cannot_fill_the_table_with_objects_of_a_public_client(app, client, person):
    """N-046."""
    public = registrants.register(client, jwks=key_set("ES256"))
    registrants.Operator(app).approve(public)
    one, wanted = signers.signer_of(public.machine), {"scope": "mcp:read", "resource": None}
    paths = [bringing(one, signed(one, **wanted)) for _ in range(3)]

    assert [person.open(path).status_code for path in paths] == [303, 303, 429]
    assert rows(app) == 2
