"""Software statements (RFC 7591 section 2.3): whose count, what they override, what is forged."""

import json

import pytest
from joserfc.jwk import OctKey

from app.domain import id_tokens, signing_keys, tokens
from app.domain.software import Software
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol import vendors
from tests.protocol.machines import assert_refused
from tests.protocol.registrants import bearer
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url
from tests.protocol.statements import INVALID, UNAPPROVED, send, sent
from tests.protocol.statements import outside as outside
from tests.protocol.vendors import KEYS, KEYS_URI, SOFTWARE, STRANGER, VENDOR, jws

REGISTER = f"{ISSUER}/register"


@pytest.fixture(scope="module")
def trusting(standing):
    """Return the app that stands for all refusals; it trusts the vendor about one software."""
    vendors.trust(standing.app, software_ids=["vendor-editor"])
    return standing


@pytest.fixture
def own(app):
    """Return a function that signs anything with our own key."""

    def sign(kind, **changes):
        with app.app_context():
            keys = signing_keys.load(app.extensions["gatewright.keys"]["signing keys"])
        return signing_keys.sign(keys, kind, vendors.claims(iss=ISSUER) | changes)

    return sign


def test_what_a_statement_says_overrides_the_body_and_is_echoed(app, client, audited, outside):
    statement = vendors.statement(jti="1", sub="x", client_secret="s", software_statement="a.b.c")
    said = {
        "client_name": "Stranger",
        "client_name#de": "Fremder",
        "redirect_uris": ["https://stranger.example/cb"],
        "scope": "mcp:write",
        "software_version": "2",
    }

    one = sent(client, statement, **said)

    for answer in (one.answer, one.read().get_json()):
        assert answer["software_statement"] == statement
        assert {name: answer[name] for name in SOFTWARE} == SOFTWARE
        assert answer["software_version"] == "2"
        assert not answer.keys() & {"client_name#de", "iss", "jti", "sub", "client_secret"}
    (event,) = audited("client.registered")
    evidence = event.detail["evidence"]
    assert (evidence["source"], evidence["statement_issuer"]) == ("statement", VENDOR)
    assert evidence["statement_lacks"] == ["response_types", "software_version"]
    assert statement not in json.dumps(event.detail)
    assert outside.asked == [KEYS_URI]
    with app.app_context():
        (row,) = db.session.scalars(db.select(Software))
        assert f"A software statement of {VENDOR} vouches for it." in row.notes


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "Ed25519", "RS256", "PS256"])
def test_a_statement_may_be_signed_with_any_algorithm_that_is_allowed(trusting, algorithm):
    assert sent(trusting.http, vendors.statement(algorithm))


GOOD = {
    "no type": ({"typ": None}, {}),
    "its own type": ({"typ": "application/software-statement+JWT"}, {}),
    "no kid": ({"kid": None}, {}),
    "no dates": ({}, {"iat": None, "exp": None}),
    "just expired": ({}, {"exp": -50}),
    "about to begin": ({}, {"nbf": 50}),
    "for our issuer": ({}, {"aud": ISSUER}),
    "for our endpoint among others": ({}, {"aud": ["https://other.example", REGISTER]}),
}


@pytest.mark.parametrize("header, claims", GOOD.values(), ids=GOOD)
def test_what_a_statement_may_leave_open_is_accepted(trusting, header, claims):
    assert sent(trusting.http, vendors.statement(header=header, **claims))


def good(**changes):
    """Return a statement with claims changed."""
    return vendors.statement(**changes)


def headed(**changes):
    """Return a statement with members of its header changed."""
    return vendors.statement(header=changes)


HEAD = {"alg": "ES256", "kid": "ES256"}
PUBLIC = json.dumps(KEYS["ES256"].as_dict(private=False)).encode()
BAD = {
    "unsigned": (lambda: headed(alg="none"), INVALID),
    "unsigned, cut off": (lambda: headed(alg="none").rpartition(".")[0] + ".", INVALID),
    "signed with our copy of its key as a secret": (
        lambda: vendors.statement("HS256", key=OctKey.import_key(PUBLIC)),
        INVALID,
    ),
    "signed by a stranger": (lambda: vendors.statement(key=STRANGER), INVALID),
    "signed with an algorithm that is not allowed": (lambda: vendors.statement("ES384"), INVALID),
    "signed with a key for encryption": (
        lambda: vendors.statement(header={"kid": "enc"}, key=KEYS["enc"]),
        INVALID,
    ),
    "signed with a key of another type": (lambda: headed(kid="RS256"), INVALID),
    "an unknown key": (lambda: headed(kid="other"), INVALID),
    "changed": (lambda: ".".join([*good().split(".")[:2], good(jti="2").split(".")[2]]), INVALID),
    "cut off": (lambda: good()[:-2], INVALID),
    "an access token": (lambda: headed(typ="at+jwt"), INVALID),
    "a logout token": (lambda: headed(typ="logout+jwt"), INVALID),
    "a type that is no text": (lambda: headed(typ=["JWT"]), INVALID),
    "an extension": (lambda: headed(crit=["exp"]), INVALID),
    "a key of its own": (lambda: headed(jwk=STRANGER.as_dict(private=False)), INVALID),
    "an address of keys": (lambda: headed(jku="https://stranger.example/"), INVALID),
    "a kid that is no text": (lambda: headed(kid=5), INVALID),
    "a name twice": (lambda: jws(HEAD, b'{"iss":"a","iss":"b"}', KEYS["ES256"], "ES256"), INVALID),
    "a list of claims": (lambda: jws(HEAD, [vendors.claims()], KEYS["ES256"], "ES256"), INVALID),
    "too long": (lambda: good(contacts=["a" * 16_384]), INVALID),
    "expired": (lambda: good(exp=-70), INVALID),
    "not valid yet": (lambda: good(nbf=70), INVALID),
    "from the future": (lambda: good(iat=70), INVALID),
    "dates in words": (lambda: good(exp="tomorrow"), INVALID),
    "a date that is true": (lambda: good(nbf=True), INVALID),
    "for somebody else": (lambda: good(aud="https://other.example"), INVALID),
    "for nobody": (lambda: good(aud=[]), INVALID),
    "no issuer": (lambda: good(iss=None), INVALID),
    "an issuer that cannot be": (lambda: good(iss="https://vendor.example\0"), INVALID),
    "nothing about software": (
        lambda: jws(HEAD, {"iss": VENDOR, "scope": ""}, KEYS["ES256"], "ES256"),
        INVALID,
    ),
    "an issuer nobody trusts": (lambda: good(iss=f"{VENDOR}/"), UNAPPROVED),
    "other software": (lambda: good(software_id="other"), UNAPPROVED),
    "software without an id": (lambda: good(software_id=None), UNAPPROVED),
    "a redirect that is hostile": (
        lambda: good(redirect_uris=["javascript:alert(1)"]),
        "invalid_redirect_uri",
    ),
    "a name that is hostile": (lambda: good(client_name="a\u202eb"), "invalid_client_metadata"),
}


@pytest.mark.parametrize("make, error", BAD.values(), ids=BAD)
def test_a_statement_that_does_not_hold_is_refused(trusting, make, error):
    """X-36."""
    assert_refused(send(trusting.http, make()), error)


def test_no_other_token_of_ours_is_a_statement_and_no_statement_is_another_token(
    app, client, confidential, own, resource_server
):
    access = confidential.post("/token", grant_type="client_credentials").get_json()["access_token"]
    for token in (access, own(id_tokens.TYPE), own(tokens.ACCESS_TOKEN), own("logout+jwt")):
        assert_refused(send(client, token), INVALID)

    statement = own("software-statement+jwt")
    one = sent(client, statement)
    assert one.answer["client_name"] == SOFTWARE["client_name"]
    assert resource_server.introspect(statement).get_json() == {"active": False}
    answer = client.get(one.path, headers=bearer(statement))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")
