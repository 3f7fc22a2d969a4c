"""Rotating keys as clients and resource servers live through it (N-142 to N-144)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from joserfc.jws import extract_compact

from app import create_app, worker
from app.domain import key_rotation, signing_keys, software_statements
from app.domain.audit import SERVER
from app.domain.key_rotation import PUBLISHED_SECONDS
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol.persons import answer_of, new_http
from tests.protocol.verifiers import Verifier

ROTATIONS = 4
HOUR = 3600


def sealing_key(app):
    """Return the key that the private halves are sealed with."""
    return app.extensions["gatewright.keys"]["signing keys"]


@pytest.fixture
def rotate(app):
    """Return a function that rotates as an operator would."""

    def rotate_key(**options):
        with app.app_context():
            kids = key_rotation.rotate(sealing_key(app), by=SERVER, **options)
            db.session.commit()
        return kids["ES256"]

    return rotate_key


@pytest.fixture
def replace_compromised(app):
    """Return a function that ends all keys."""

    def end_all():
        with app.app_context():
            key_rotation.replace_compromised(sealing_key(app), by=SERVER)
            db.session.commit()

    return end_all


@pytest.fixture
def mint(confidential):
    """Return a function that gets an access token."""

    def get_token(http=None):
        machine = confidential if http is None else replace(confidential, http=http)
        return machine.post("/token", grant_type="client_credentials").get_json()["access_token"]

    return get_token


def kid(token):
    """Return the key identifier in the header of a token."""
    return extract_compact(token.encode()).headers()["kid"]


def test_who_fetches_again_for_an_unknown_key_accepts_every_token_under_load(
    app, client, mint, rotate
):
    """N-143; section 7, key rotation: even when no rotation waits for the caches."""
    first, ended = kid(mint()), threading.Event()
    unverified, seen = [], set()

    def work():
        http, is_last = new_http(app), False
        verifier = Verifier(new_http(app), refetches=True)
        while not is_last:
            is_last = ended.is_set()
            token = mint(http)
            seen.add(kid(token))
            if not verifier.accepts(token):
                unverified.append(token)

    with ThreadPoolExecutor(2) as threads:
        working = [threads.submit(work) for _ in range(2)]
        made = [rotate(early=True) for _ in range(ROTATIONS)]
        ended.set()
        for each in working:
            each.result()

    assert unverified == []
    assert made[-1] in seen <= {first, *made}


def test_who_never_fetches_again_knows_the_key_of_an_ordinary_rotation(clock, client, mint, rotate):
    """N-142: that is what the next key is published for."""
    before = mint()
    for _ in range(2):
        clock.advance(PUBLISHED_SECONDS - HOUR + 1)
        verifier = Verifier(client, refetches=False)
        assert verifier.accepts(before)
        clock.advance(HOUR - 1)
        rotate()
        after = mint()

        assert kid(after) != kid(before)
        assert verifier.accepts(after), "the cached JWKS lacks the key that signs"
        assert verifier.accepts(before)
        before = after


def test_nobody_misses_a_key_while_the_schedule_rotates(app, clock, client, mint, settings):
    """N-142, N-143, F-50: by caches an hour old, and by who holds tokens of the key before."""
    held, seen = mint(), set()
    for _ in range(10):
        clock.advance(6 * HOUR - HOUR + 1)
        verifier = Verifier(client, refetches=False)
        assert verifier.accepts(held)
        clock.advance(HOUR - 1)
        with app.app_context():
            worker.rotate_keys(settings.model_copy(update={"key_rotation_days": 1}))

        after = mint()
        seen.add(kid(after))
        assert verifier.accepts(after), "the cached JWKS lacks the key that signs"
        assert Verifier(client, refetches=False).accepts(held), "the key before left too early"
        held = after

    assert len(seen) == 3


def test_an_id_token_is_a_hint_although_its_key_has_left_the_jwks(clock, person, relying, rotate):
    """OpenID Connect Core section 3.1.2.1: apps keep one for longer than keys sign."""
    hint = person.tokens(relying, scope="openid")["id_token"]
    for _ in range(2):
        clock.advance(signing_keys.KEPT_SECONDS)
        rotate()
    person.sign_in()

    asked = relying.asking(scope="openid", prompt="none", id_token_hint=hint)
    assert answer_of(person.open(asked))["error"] == "consent_required"


def test_who_rotates_too_early_locks_out_who_never_fetches_again(clock, client, mint, rotate):
    """So the verifier of the test above would notice."""
    verifier = Verifier(client, refetches=False)
    assert verifier.accepts(mint())
    rotate(early=True)
    assert verifier.accepts(mint())

    rotate(early=True)

    assert not verifier.accepts(mint())


def test_tokens_under_compromised_keys_are_inactive_at_once(
    client, confidential, person, audited, rotate, replace_compromised
):
    """N-144: with the next request; refresh tokens go on."""
    tokens = [person.tokens(confidential)]
    rotate(early=True)
    tokens.append(person.tokens(confidential))
    published = {key["kid"] for key in client.get("/.well-known/jwks.json").get_json()["keys"]}

    replace_compromised()

    for each in tokens:
        assert confidential.introspect(each["access_token"]).get_json() == {"active": False}
    now = {key["kid"] for key in client.get("/.well-known/jwks.json").get_json()["keys"]}
    assert len(now) == 4
    assert now.isdisjoint(published)
    assert {event.subject for event in audited("key.compromised")} == published
    renewed = confidential.refresh(tokens[0]["refresh_token"]).get_json()
    assert confidential.introspect(renewed["access_token"]).get_json()["active"] is True


def test_another_node_forgets_compromised_keys_with_its_next_request(
    settings, client, confidential, mint, replace_compromised
):
    """N-144: the counter is read with every request."""
    other = create_app(settings)
    there = replace(confidential, http=new_http(other))
    token = mint()
    assert there.introspect(token).get_json()["active"] is True

    replace_compromised()

    assert there.introspect(token).get_json() == {"active": False}
    with other.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("rotations", [0, 2], ids=["in the JWKS", "left the JWKS"])
def test_a_statement_outlives_rotations_and_registers_nothing_once_its_key_is_compromised(
    app, client, clock, rotate, replace_compromised, rotations
):
    """N-144: whoever holds the key could have made one; a rotation on schedule tells nobody."""
    said = {"client_name": "Ours", "redirect_uris": ["http://127.0.0.1/cb"]}
    with app.app_context():
        keys = signing_keys.load(sealing_key(app))
        _, statement = software_statements.issue(keys, ISSUER, said, seconds=10**7, by=SERVER)
    body = {"software_statement": statement}
    for _ in range(rotations):
        clock.advance(signing_keys.KEPT_SECONDS)
        rotate()
    assert client.post("/register", json=body).status_code == 201

    replace_compromised()

    refused = client.post("/register", json=body)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_software_statement")
