"""Software statements (RFC 7591 section 2.3): whose count, what they override, what is forged."""

import json
from contextlib import contextmanager

import pytest
from joserfc.jwk import OctKey

from app.domain import policy_versions, recycling, rules, signing_keys, statement_issuers, tokens
from app.domain.audit import SERVER
from app.domain.client_records import Client
from app.domain.software import Software
from app.extensions import db
from app.protocol.software_statements import UNFETCHED
from tests.conftest import ISSUER
from tests.protocol import vendors
from tests.protocol.machines import assert_refused
from tests.protocol.registrants import BODY, Operator, Registrant, bearer, post, register
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url
from tests.protocol.vendors import KEYS, KEYS_URI, SOFTWARE, STRANGER, VENDOR, jws, key_set

INVALID, UNAPPROVED = "invalid_software_statement", "unapproved_software_statement"
REGISTER = f"{ISSUER}/register"


@pytest.fixture(scope="module")
def trusting(standing):
    """Return the app that stands for all refusals; it trusts the vendor about one software."""
    vendors.trust(standing.app, software_ids=["vendor-editor"])
    return standing


@pytest.fixture
def outside(app, monkeypatch):
    """Return the outside of an app that trusts the vendor and fetches its keys."""
    vendors.trust(app, jwks=None, jwks_uri=KEYS_URI)
    found = vendors.Outside("ES256")
    monkeypatch.setattr(app.extensions["gatewright.key_sets"], "outbound", found)
    return found


@pytest.fixture
def put_in_force(app):
    """Return a function that puts one rule in force, written as in a policy file."""

    def save(outcome, **when):
        with app.app_context():
            rule = rules.from_json({"name": "vendor", "outcome": outcome, "when": when})
            policy_versions.save([rule], policy_versions.in_force().number, by=SERVER)
            db.session.commit()

    return save


@pytest.fixture
def own(app):
    """Return a function that signs anything with our own key."""

    def sign(kind, **changes):
        with app.app_context():
            keys = signing_keys.load(app.extensions["gatewright.keys"]["signing keys"])
        return signing_keys.sign(keys, kind, vendors.claims(iss=ISSUER) | changes)

    return sign


def send(http, statement, **changes):
    """Register with a statement and, next to it, what a stranger would say."""
    return post(http, changes, software_statement=statement)


def sent(http, statement, **changes):
    """Register with a statement that must be taken."""
    answer = send(http, statement, **changes)
    assert answer.status_code == 201, answer.text
    return Registrant(http, answer.get_json())


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
    for token in (access, own(tokens.ID_TOKEN), own(tokens.ACCESS_TOKEN), own("logout+jwt")):
        assert_refused(send(client, token), INVALID)

    statement = own("software-statement+jwt")
    one = sent(client, statement)
    assert one.answer["client_name"] == SOFTWARE["client_name"]
    assert resource_server.introspect(statement).get_json() == {"active": False}
    answer = client.get(one.path, headers=bearer(statement))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")


def test_a_rule_admits_by_issuer_what_the_statement_says_and_nothing_else(
    app, client, put_in_force
):
    """A statement is no secret: it vouches for no redirect URI or grant that it does not name."""
    vendors.trust(app)
    put_in_force("admit", statement_issuer=[VENDOR])
    silent = vendors.statement(redirect_uris=None)
    modest = vendors.statement(grant_types=None)
    alone = {
        "grant_types": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_method": "client_secret_post",
    }

    def status(answer):
        return answer.get_json()["registration_status"]

    assert status(send(client, silent, **BODY)) == "pending"
    assert status(send(client, vendors.statement(**alone | {"grant_types": None}), **alone)) == (
        "pending"
    )
    assert status(post(client, SOFTWARE)) == "pending"
    assert status(send(client, modest)) == "approved"
    assert status(send(client, vendors.statement())) == "approved"
    assert status(send(client, vendors.statement(**alone))) == "approved"
    assert status(post(client, SOFTWARE)) == "pending", "who has no statement is somebody else"

    put_in_force("refuse", statement_issuer=[VENDOR])
    assert send(client, vendors.statement(redirect_uris=None), **BODY).status_code == 403


def test_an_update_is_vouched_for_anew_or_waits(app, client, put_in_force):
    vendors.trust(app)
    put_in_force("admit", statement_issuer=[VENDOR])
    one = sent(client, vendors.statement())
    more = ["https://vendor.example/cb", "https://vendor.example/more"]

    answer = one.update(software_statement=None, redirect_uris=more).get_json()
    assert answer["registration_status"] == "revision_pending"
    assert answer["redirect_uris"] == SOFTWARE["redirect_uris"]
    assert "software_statement" not in answer

    wider = vendors.statement(redirect_uris=more)
    answer = one.update(software_statement=wider, client_name="Mine").get_json()
    assert (answer["registration_status"], answer["redirect_uris"]) == ("approved", more)
    assert (answer["client_name"], answer["software_statement"]) == ("Vendor Editor", wider)

    assert_refused(one.update(software_statement=vendors.statement(exp=-70)), INVALID)
    assert one.read().get_json() == answer


def test_a_statement_that_comes_later_leaves_those_without_one_waiting(app, client, put_in_force):
    vendors.trust(app)
    put_in_force("admit", statement_issuer=[VENDOR])
    one, other = register(client, **SOFTWARE), register(client, **SOFTWARE)

    for _ in range(2):
        answer = one.update(software_statement=vendors.statement()).get_json()
        assert answer["registration_status"] == "approved"
    assert other.read().get_json()["registration_status"] == "pending"


def test_keys_are_fetched_once_and_again_for_a_key_that_is_new(client, outside, clock):
    one = sent(client, vendors.statement())
    sent(client, vendors.statement())
    assert len(outside.asked) == 1

    outside.publish("RS256")
    assert_refused(send(client, vendors.statement("RS256")), INVALID)
    clock.advance(60)
    sent(client, vendors.statement("RS256"))
    assert_refused(send(client, vendors.statement()), INVALID)
    assert len(outside.asked) == 2

    clock.advance(600)
    assert one.update(software_statement=vendors.statement("RS256")).status_code == 200
    assert len(outside.asked) == 3


def test_keys_that_cannot_be_had_are_told_apart_and_nothing_is_kept(app, client, outside, audited):
    outside.answer = None

    refused = send(client, vendors.statement())

    assert_refused(refused, INVALID)
    assert refused.get_json()["error_description"] == UNFETCHED
    (event,) = audited("registration.refused")
    assert (event.detail["reason"], event.detail["statement_issuer"]) == ("timeout", VENDOR)
    with app.app_context():
        assert db.session.scalars(db.select(Client)).all() == []


def test_an_algorithm_that_is_not_allowed_costs_no_fetch(client, outside):
    assert_refused(send(client, vendors.statement("ES384")), INVALID)
    assert outside.asked == []


def test_an_issuer_that_is_removed_while_its_keys_are_fetched_counts_no_more(app, client, outside):
    @contextmanager
    def removing():
        statement_issuers.remove(statement_issuers.trusted(VENDOR).id, by=SERVER)
        db.session.commit()
        yield

    outside.meanwhile = removing
    assert_refused(send(client, vendors.statement()), UNAPPROVED)


def test_registrations_by_statement_are_recycled_like_others(app, client, monkeypatch):
    monkeypatch.setattr(recycling, "UNUSED_PER_ADDRESS", 2)
    vendors.trust(app)

    made = [sent(client, vendors.statement()) for _ in range(4)]

    assert [each.read().status_code for each in made] == [401, 401, 200, 200]


def test_an_approver_is_told_what_the_statement_leaves_open(app, client):
    vendors.trust(app, jwks=key_set("ES256"))
    one = sent(client, vendors.statement(redirect_uris=None), redirect_uris=BODY["redirect_uris"])

    operator = Operator(app)
    notes = operator.look(operator.software_id(one)).notes
    assert any("not said by the statement" in note for note in notes)
