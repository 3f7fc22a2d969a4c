"""Whoever meddles with what this server says is found out: strict clients have what they need."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import OctKey
from joserfc.jws import extract_compact

from tests.flows.driver import TypescriptError
from tests.flows.meddler import Meddler, meddling
from tests.flows.person import Browser
from tests.flows.relying_party import RelyingParty, running_relying_party, sign_in_and_allow
from tests.flows.world import add_person
from tests.services.gunicorn import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
OTHER = "https://other.example"


def encode(raw: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True)
class Forgery:
    """An ID token made of a genuine one, signed by the meddler; None leaves a member out."""

    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)

    def of(self, token: str, meddler: Meddler, secret: str) -> str:
        """Return the forged token; by HS256 it is signed with the secret of the client."""
        genuine = json.loads(extract_compact(token.encode()).payload)
        said = {name: value for name, value in (genuine | self.claims).items() if value is not None}
        header = {"alg": "RS256", "kid": "meddler", "typ": "JWT"} | self.header
        if header["alg"] == "none":
            return f"{encode(json.dumps(header).encode())}.{encode(json.dumps(said).encode())}."
        key = OctKey.import_key(secret) if header["alg"] == "HS256" else meddler.key
        return jwt.encode(header, said, key, algorithms=[header["alg"]])


def tampered(token: str) -> str:
    """Return a token with another signature of the same length."""
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{signature[::-1]}"


CLAIM, FORM = "OAUTH_JWT_CLAIM_COMPARISON_FAILED", "OAUTH_INVALID_RESPONSE"
ALLOWED = {
    "nothing but the key": Forgery(),
    "no at_hash, which the code flow may leave out": Forgery(claims={"at_hash": None}),
}
FORGERIES = {
    "another issuer": (Forgery(claims={"iss": OTHER}), f'{CLAIM}: .*"iss"'),
    "another audience": (Forgery(claims={"aud": "another-client"}), f'{CLAIM}: .*"aud"'),
    "another nonce": (Forgery(claims={"nonce": "another"}), f'{CLAIM}: .*"nonce"'),
    "no nonce": (Forgery(claims={"nonce": None}), f'{FORM}: .*"nonce"'),
    "no subject": (Forgery(claims={"sub": None}), f'{FORM}: .*"sub"'),
    "an end long ago": (Forgery(claims={"exp": 1}), 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED: .*"exp"'),
    "no algorithm": (Forgery(header={"alg": "none"}), f'{FORM}: .*"alg"'),
    "the secret as a key": (Forgery(header={"alg": "HS256"}), f'{FORM}: .*"alg"'),
    "an unknown key": (Forgery(header={"kid": "unknown"}), "OAUTH_KEY_SELECTION_FAILED"),
}
ANSWERS = [
    ("iss=", f"iss={OTHER}&was=", '"iss"'),
    ("iss=", "was=", '"iss" .* missing'),
    ("state=", "state=x", '"state"'),
    ("state=", "was=", '"state" missing'),
    ("code=", "code=x&code=", '"code" parameter must be provided only once'),
]
"""What is replaced in the address that the browser is sent to, by what, and what is missed."""


@dataclass
class Stage:
    """A relying party that reaches the server through a meddler, and a browser that is let in."""

    meddler: Meddler
    party: RelyingParty
    browser: Browser
    secret: str

    def sign_in(self, **changes: Callable[[Any], Any]) -> dict[str, Any]:
        """Sign in without a page while something is changed on the way."""
        self.meddler.changes = changes
        self.party.send(self.browser, scope="openid", prompt="none")
        return self.party.finish()

    def forged(self, forgery: Forgery) -> Callable[[str], str]:
        """Return what puts a forgery into the place of each ID token."""
        return partial(forgery.of, meddler=self.meddler, secret=self.secret)

    def refuses(self, error: str, **changes: Callable[[Any], Any]) -> None:
        """Demand that the relying party refuses, with an error of its own."""
        with pytest.raises(TypescriptError, match=f"^ClientError: {error}"):
            self.sign_in(**changes)


@pytest.fixture
def stage(
    app: Flask, issuer: str, serve: Callable[..., Server], browser_of: Callable[[], Browser]
) -> Iterator[Stage]:
    person, browser = add_person(app, "pia@example.org", "member"), browser_of()
    server = serve(issuer=issuer).base_url
    with meddling(issuer, server) as meddler, running_relying_party(issuer) as party:
        secret = party.register(app)["client_secret"]
        party.send(browser, scope="openid")
        sign_in_and_allow(browser, person)
        party.finish()
        yield Stage(meddler, party, browser, secret)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("issuer", ["/tenant/one"], indirect=True)
def test_a_strict_relying_party_notices_whatever_is_changed_on_the_way(
    stage: Stage, issuer: str, subtests: pytest.Subtests
) -> None:
    for name, forgery in ALLOWED.items():
        with subtests.test(name):
            assert stage.sign_in(id_token=stage.forged(forgery))["claims"]["iss"] == issuer

    for name, (forgery, error) in FORGERIES.items():
        with subtests.test(name):
            stage.refuses(error, id_token=stage.forged(forgery))
    with subtests.test("another signature"):
        stage.refuses(f"{FORM}: .* signature verification failed", id_token=tampered)
    for before, after, error in ANSWERS:
        with subtests.test(after):
            stage.refuses(f"{FORM}: .*{error}", location=partial(re.sub, before, after))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("issuer", ["", "/tenant/one"], indirect=True)
def test_metadata_of_another_issuer_are_refused(stage: Stage, issuer: str) -> None:
    """In both places: that of OpenID Connect and that of RFC 8414."""
    others = (OTHER, f"{issuer}/x", f"{issuer}?x", issuer.replace("http:", "https:"))
    for algorithm in ("oidc", "oauth2"):
        stage.meddler.changes = {}
        assert stage.party.ask("discover", algorithm=algorithm)["issuer"] == issuer
        for other in others:
            stage.meddler.changes = {"metadata": lambda said, other=other: said | {"issuer": other}}
            with pytest.raises(TypescriptError, match=r"^ClientError: OAUTH_JSON_ATTRIBUTE_COMPA"):
                stage.party.ask("discover", algorithm=algorithm)
