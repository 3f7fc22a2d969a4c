"""Signing keys: sealed at rest, understood by another library."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet

from app.domain import key_algorithms, signing_keys
from app.domain.audit import SERVER
from app.domain.signing_keys import SigningKey, load, sign, verify
from app.extensions import db

SEALING = b"s" * 32
CLAIMS = {"iss": "https://gatewright.example", "sub": "u-1", "exp": 1, "scope": "a b"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.fixture
def context(app):
    """Open a context for verbs that are tried without a door."""
    with app.app_context():
        yield


@pytest.fixture
def keys(context):
    """Return the keys after the first start."""
    signing_keys.ensure(SEALING, by=SERVER)
    db.session.commit()
    return load(SEALING)


def kid_of(keys):
    """Return the name of the key that signs access tokens."""
    return keys.signers["ES256"].kid


def private_of(keys):
    """Return the private half of that key."""
    return keys.signers["ES256"].private


def row(kid):
    """Return the row of a key."""
    return db.session.get(SigningKey, kid)


def next_row():
    """Return the row of the key that does not sign yet."""
    following = db.select(SigningKey).where(SigningKey.state == "next")
    return db.session.scalars(following.where(SigningKey.algorithm == "ES256")).one()


def test_another_library_verifies_what_was_signed(keys):
    """N-140."""
    token = sign(keys, "at+jwt", CLAIMS)
    public = KeySet.import_key_set(json.loads(keys.jwks))
    decoded = jwt.decode(token, public, algorithms=["ES256"])

    assert decoded.header == {"alg": "ES256", "typ": "at+jwt", "kid": kid_of(keys)}
    assert decoded.claims == CLAIMS


def test_another_library_verifies_what_was_signed_by_rsa(keys):
    """N-141: and only under the algorithm of the key."""
    token = sign(keys, "JWT", CLAIMS, "RS256")
    public = KeySet.import_key_set(json.loads(keys.jwks))
    decoded = jwt.decode(token, public, algorithms=["RS256"])
    head, payload, signature = token.split(".")
    claimed = json.dumps(decoded.header | {"alg": "ES256"}).encode()

    assert decoded.header == {"alg": "RS256", "typ": "JWT", "kid": keys.signers["RS256"].kid}
    assert decoded.claims == CLAIMS == verify(keys, "JWT", token)
    assert verify(keys, "JWT", f"{head}.{payload}.{signature[::-1]}") is None
    assert verify(keys, "JWT", f"{head}.e30.{signature}") is None
    other = base64.urlsafe_b64encode(claimed).rstrip(b"=").decode()
    assert verify(keys, "JWT", f"{other}.{payload}.{signature}") is None


def test_every_signature_has_its_full_length_and_verifies(keys):
    """A leading zero byte of r or s must not be lost; it comes once in 128 signatures."""
    public = KeySet.import_key_set(json.loads(keys.jwks))
    for number in range(400):
        token = sign(keys, "JWT", {"n": number})

        assert len(token.split(".")[2]) == 86
        assert jws.deserialize_compact(token, public, algorithms=["ES256"]).payload == (
            b'{"n":%d}' % number
        )


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_any_claims_come_back_as_they_were(claims):
    private = ECKey.generate_key("P-256", private=True)
    made = signing_keys.Keys(
        {"ES256": signing_keys.Signer("k", private.private_key)},
        KeySet([ECKey.import_key(private.as_dict(private=False) | {"kid": "k"})]),
        b"",
    )
    assert jwt.decode(sign(made, "JWT", claims), made.public, algorithms=["ES256"]).claims == claims


def test_what_was_signed_is_verified_for_its_type_only(keys):
    token = sign(keys, "at+jwt", CLAIMS)

    assert verify(keys, "at+jwt", token) == CLAIMS
    assert verify(keys, "JWT", token) is None
    assert verify(keys, "AT+JWT", token) is None


def forged(header, payload="e30", signature="AAAA"):
    """Return a token with a header of an attacker."""
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{encoded}.{payload}.{signature}"


def test_nothing_that_we_did_not_sign_is_verified(keys):
    """Algorithms, keys and shapes of an attacker: None, never an exception."""
    good = sign(keys, "at+jwt", CLAIMS)
    head, payload, signature = good.split(".")
    stranger = ECKey.generate_key("P-256", private=True)
    own = {"alg": "ES256", "typ": "at+jwt", "kid": kid_of(keys)}
    tokens = [
        "",
        ".",
        "..",
        "a.b.c",
        good[:-1],
        good + "A",
        good + ".x",
        f"{head}.{payload}.",
        f"{head}.{payload}x.{signature}",
        f"{head}.{payload}.{signature[::-1]}",
        forged({"alg": "none", "typ": "at+jwt", "kid": kid_of(keys)}, signature=""),
        forged({"alg": "HS256", "typ": "at+jwt", "kid": kid_of(keys)}),
        forged({**own, "kid": "other"}),
        forged({**own, "kid": ["x"]}),
        forged({**own, "kid": None}),
        forged({**own, "crit": ["b64"], "b64": False}),
        forged([]),
        forged(None),
        jwt.encode(own, CLAIMS, stranger),
        jwt.encode({**own, "jwk": stranger.as_dict(private=False)}, CLAIMS, stranger),
        "\u00e9.\u00e9.\u00e9",
        "\ud800.a.b",
        "a" * 100_000,
        "." * 100_000,
        f"{base64.urlsafe_b64encode(b'[' * 50_000).decode()}.e30.AAAA",
    ]

    assert [token for token in tokens if verify(keys, "at+jwt", token) is not None] == []


def test_a_token_without_a_key_identifier_is_not_verified(keys):
    with_ours = ECKey.import_key(private_of(keys))
    token = jwt.encode({"alg": "ES256", "typ": "at+jwt"}, CLAIMS, with_ours)

    assert verify(keys, "at+jwt", token) is None


def test_nothing_private_is_readable_in_the_database_or_published(keys):
    stored = row(kid_of(keys))
    numbers = private_of(keys).private_numbers().private_value.to_bytes(32)

    assert b"PRIVATE" not in stored.private_sealed
    assert numbers not in stored.private_sealed
    assert stored.public_jwk.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert [stored.public_jwk, next_row().public_jwk] == json.loads(keys.jwks)["keys"][::2]


def test_two_seals_of_one_key_differ(keys):
    stored = row(kid_of(keys))
    opened = signing_keys.credentials.unseal(
        SEALING, stored.private_sealed, signing_keys.seal_name(kid_of(keys))
    )
    again = signing_keys.credentials.seal(SEALING, opened, signing_keys.seal_name(kid_of(keys)))

    assert opened == key_algorithms.pem(private_of(keys))
    assert again != stored.private_sealed


def test_the_private_halves_of_two_rows_cannot_be_swapped(keys):
    """The seal names its row."""
    one, other = row(kid_of(keys)), next_row()
    one.private_sealed, other.private_sealed = other.private_sealed, one.private_sealed
    db.session.commit()

    with pytest.raises(ValueError, match="another row"):
        load(SEALING)


@pytest.mark.parametrize("spoil", ["another key", "a changed byte", "cut off", "empty"])
def test_a_seal_that_does_not_open_stops_the_signing(keys, spoil):
    stored = row(kid_of(keys))
    sealed = stored.private_sealed
    stored.private_sealed = {
        "another key": sealed,
        "a changed byte": bytes([*sealed[:-1], sealed[-1] ^ 1]),
        "cut off": sealed[:20],
        "empty": b"",
    }[spoil]
    db.session.commit()

    with pytest.raises(ValueError):  # noqa: PT011 - what does not open says so in many ways
        load(b"t" * 32 if spoil == "another key" else SEALING)
