"""Which DPoP proofs hold, and by which rule others are refused (RFC 9449 section 4.3, N-201)."""

from joserfc.jwk import ECKey, OctKey

from app.domain import dpop_proofs, foreign_jwts
from tests.conftest import ISSUER
from tests.corpora import hostile_keys
from tests.protocol.forgeries import encode
from tests.protocol.machines import RESOURCE, assert_refused
from tests.protocol.proofs import proof, proving
from tests.protocol.vendors import KEYS, STRANGER, key_set

OWN = {"grant_type": "client_credentials", "resource": RESOURCE}


def test_a_key_has_the_name_that_the_standard_gives_it():
    """RFC 9449 section 6.1."""
    key = {
        "kty": "EC",
        "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    }

    named = key | {"kid": "other", "use": "sig", "alg": "ES256"}

    assert foreign_jwts.thumbprint(key) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    assert foreign_jwts.thumbprint(named) == foreign_jwts.thumbprint(key)


PRIVATE = KEYS["ES256"].as_dict(private=True)
RSA = KEYS["RS256"].as_dict(private=False)
PUBLIC = KEYS["ES256"].as_dict(private=False)
BAD = {
    dpop_proofs.SHAPE: [
        lambda: "",
        lambda: "x",
        lambda: "a.b.c",
        lambda: f"{proof()}, {proof()}",
        lambda: f"{proof()} {proof()}",
        lambda: proof().rpartition(".")[0] + ".",
        lambda: proof(padding="x" * 4000),
        lambda: proof(header={"typ": "JWT"}),
        lambda: proof(header={"typ": "at+jwt"}),
        lambda: proof(header={"typ": None}),
        lambda: proof(header={"alg": "none"}),
        lambda: proof(header={"alg": "HS256"}),
        lambda: proof(header={"alg": None}),
        lambda: proof(header={"crit": ["exp"]}),
        lambda: proof(header={"jku": "https://evil.example/jwks"}),
        lambda: proof(header={"x5c": ["x"]}),
        lambda: proof(jti=None),
        lambda: proof(jti=""),
        lambda: proof(jti=7),
        lambda: proof(jti="x" * 257),
        lambda: proof(jti="line\nbreak"),
    ],
    dpop_proofs.KEY: [
        lambda: proof(header={"jwk": None}),
        lambda: proof(header={"jwk": "x"}),
        lambda: proof(header={"jwk": []}),
        lambda: proof(header={"jwk": {}}),
        lambda: proof(header={"jwk": PRIVATE}),
        lambda: proof(header={"jwk": OctKey.generate_key(256).as_dict()}),
        lambda: proof(header={"jwk": key_set("ES256")}),
        lambda: proof(header={"jwk": PUBLIC | {"use": "enc"}}),
        lambda: proof(header={"jwk": PUBLIC | {"alg": "ES384"}}),
        lambda: proof(header={"jwk": PUBLIC | {"x5u": "https://evil.example/cert"}}),
        lambda: proof(header={"jwk": RSA}),
        lambda: proof(header={"jwk": KEYS["ES384"].as_dict(private=False)}),
        lambda: proof(name="RS256", header={"jwk": RSA | {"n": RSA["n"][:171]}}),
    ],
    dpop_proofs.SIGNATURE: [
        lambda: proof(key=STRANGER),
        lambda: proof(header={"jwk": STRANGER.as_dict(private=False)}),
        lambda: ".".join((*proof().split(".")[:2], encode(b"\0" * 64))),
        lambda: ".".join((*proof().split(".")[:2], proof().split(".")[2])),
        lambda: proof(header={"kid": "another"}),
    ],
    dpop_proofs.REQUEST: [
        lambda: proof(htm="GET"),
        lambda: proof(htm="post"),
        lambda: proof(htm=None),
        lambda: proof(htm=["POST"]),
        lambda: proof(htu=None),
        lambda: proof(htu=[f"{ISSUER}/token"]),
        lambda: proof("/par"),
        lambda: proof("/token/"),
        lambda: proof("/Token"),
        lambda: proof(htu="/token"),
        lambda: proof(htu=f"{ISSUER}:8443/token"),
        lambda: proof(htu=f"{ISSUER}.evil.example/token"),
        lambda: proof(htu=f"https://user@{ISSUER.removeprefix('https://')}/token"),
        lambda: proof(htu=f"http://{ISSUER.removeprefix('https://')}/token"),
        lambda: proof(htu="https://[/token"),
        lambda: proof(htu=f"{ISSUER}/to\nken"),
        lambda: proof(htu="\ud83d\ude00"),
    ],
    dpop_proofs.DATES: [
        lambda: proof(iat=None),
        lambda: proof(iat="now"),
        lambda: proof(iat=True),
        lambda: proof(iat=-91),
        lambda: proof(iat=31),
        lambda: proof(iat=10**18),
        lambda: proof(iat=-(10**18)),
        lambda: proof(exp=1),
        lambda: proof(nbf=2**60),
    ],
}
"""What is refused, by the sentence that refuses it."""


def test_a_proof_that_does_not_hold_is_refused_with_the_rule_that_it_breaks(
    confidential, clock, subtests
):
    for sentence, bad in BAD.items():
        for number, make in enumerate(bad):
            with subtests.test(f"{sentence[:30]} {number}"):
                answer = confidential.post("/token", {"DPoP": make()}, **OWN)
                assert_refused(answer, "invalid_dpop_proof")
                assert answer.get_json()["error_description"] == sentence


def test_whatever_the_key_of_a_proof_is_the_answer_is_no_fault_of_ours(app, confidential, subtests):
    """Promise 5; the keys are those that no registration may bring."""
    keys = [key for row in hostile_keys.KEYS for key in keys_in(row.body)]
    assert len(keys) > 20

    for number, key in enumerate(keys):
        with subtests.test(str(number)):
            bad = proof(header={"jwk": key})
            if len(bad) <= dpop_proofs.LONGEST:
                answer = confidential.post("/token", {"DPoP": bad}, **OWN)
                assert_refused(answer, "invalid_dpop_proof")


def keys_in(metadata):
    """Return the keys of a hostile registration."""
    found = metadata.get("jwks")
    listed = found.get("keys") if isinstance(found, dict) else None
    return listed if isinstance(listed, list) else []


def test_the_metadata_lists_the_algorithms_of_proofs_and_no_symmetric_one(client):
    for name in ("oauth-authorization-server", "openid-configuration"):
        told = client.get(f"/.well-known/{name}").get_json()["dpop_signing_alg_values_supported"]
        assert told == list(foreign_jwts.ALGORITHMS)
        assert not [each for each in told if each.startswith(("HS", "none"))]


GOOD = {
    "every kind of key": [{"name": name} for name in ("ES256", "ES384", "EdDSA", "PS256", "RS256")],
    "an old clock": [{"iat": -90}, {"iat": 30}],
    "one address in other words": [
        {"htu": f"{ISSUER}/token?a=b#c"},
        {"htu": f"{ISSUER}:443/token"},
        {"htu": f"{ISSUER.upper()}/token"},
    ],
    "a nonce that nobody wants": [{"nonce": "x"}],
    "more than is needed": [{"header": {"kid": "ES256"}}, {"header": {"typ": "DPoP+JWT"}}],
}


def test_proofs_may_differ_in_what_does_not_matter(confidential, clock, subtests):
    for name, changes in GOOD.items():
        for number, change in enumerate(changes):
            with subtests.test(f"{name} {number}"):
                answer = confidential.post("/token", proving(**change), **OWN)
                assert answer.status_code == 200, answer.text


def test_a_curve_that_no_algorithm_of_ours_has_is_refused(confidential):
    strange = ECKey.generate_key("secp256k1").as_dict(private=False)

    assert_refused(
        confidential.post("/token", proving(header={"jwk": strange}), **OWN), "invalid_dpop_proof"
    )
