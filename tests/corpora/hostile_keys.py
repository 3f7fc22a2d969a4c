"""Key sets and software statements that must be refused."""

import base64
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.corpora.registration_rows import (
    METADATA,
    NO_STATEMENT,
    Hostile,
    good,
    rows,
    values,
)


def encoded(number: int, octets: int | None = None) -> str:
    """Return a number as base64url without padding (RFC 7518 section 6)."""
    length = octets or (number.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(number.to_bytes(length)).rstrip(b"=").decode()


def _ec_key() -> dict[str, Any]:
    point = ec.derive_private_key(7, ec.SECP256R1()).public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": encoded(point.x, 32), "y": encoded(point.y, 32)}


def key_sets(rule: str, *sets: Iterable[dict[str, Any]]) -> list[Hostile]:
    return values(rule, "jwks", *({"keys": list(keys)} for keys in sets))


RSA_N = (
    "ulPNAwmHAprpivt5Pe_hfaKWtXNrStQwTPYqzSH4oI44jFvBhqd-eSILWZWNUlg7N0R68602olI6tO2MRxrbZS"
    "DipZ1kN_azzrpJye0MJRs35KZZ0KXVmnEHHnq2Ji0Jc3UVm9lEGdaxsvZACaVjakTEDxHCKR-ortTGce3oXk8o"
    "cf9v35nz4a29Sh6g8WZ7MwsWcSjT6pVEe4VX6w9-U7wnZUfTy6cxCysinV1KAvi9MR7ETIkYI4IbrIo69Jx6N-"
    "UvqHrFhmxpoagP9JWrMjyQkTsnkIj5bdilcaOq1qr-ZTvlIPLoyNgjXO3NV6oyjcyBluqaHbK35ZNR6ETDNQ"
)

EC_KEY = _ec_key()
RSA_KEY = {"kty": "RSA", "n": RSA_N, "e": "AQAB"}
OKP_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
PRIVATE_EC_KEY = {**EC_KEY, "d": encoded(7, 32)}
RSA_MODULUS = int.from_bytes(base64.urlsafe_b64decode(RSA_N + "=="))

KEYS = [
    *values("M-05", "jwks", "x", 5, {"keys": 5}, {}, {"keys": []}, {"keys": None}, [[]], [5], True),
    *values("M-05", "jwks", {"keys": [5]}, {"keys": [None]}, {"keys": [[]]}, {"keys": [{}]}),
    *key_sets(
        "M-08",
        [{"kty": "oct", "k": "c2VjcmV0"}],
        [{"kty": "oct"}],
        [PRIVATE_EC_KEY],
        [{**RSA_KEY, "d": "AQAB"}],
        [{**RSA_KEY, "p": "AQAB"}],
        [{**OKP_KEY, "d": OKP_KEY["x"]}],
        [{**EC_KEY, "k": None}],
    ),
    *key_sets(
        "X-34",
        [{**EC_KEY, "kid": str(n)} for n in range(11)],
        [{"kty": "RSA", "n": encoded((1 << 65535) + 1), "e": "AQAB"}],
        [{"kty": "RSA", "n": encoded((1 << 8192) + 1), "e": "AQAB"}],
        [{"kty": "RSA", "n": encoded((1 << 1023) + 1), "e": "AQAB"}],
        [{**RSA_KEY, "n": encoded(RSA_MODULUS - 1)}],
        [{**RSA_KEY, "n": ""}],
        [{**RSA_KEY, "n": RSA_KEY["n"] + "="}],
        [{**RSA_KEY, "n": 5}],
        [{"kty": "RSA", "e": "AQAB"}],
        [{**RSA_KEY, "e": "AQ"}],
        [{**RSA_KEY, "e": "AA"}],
        [{**RSA_KEY, "e": "Ag"}],
        [{**RSA_KEY, "e": encoded((1 << 1024) + 1)}],
        [{**RSA_KEY, "e": 65537}],
        [{**EC_KEY, "y": EC_KEY["x"]}],
        [{**EC_KEY, "x": encoded(0, 32), "y": encoded(0, 32)}],
        [{**EC_KEY, "x": "_" * 43}],
        [{**EC_KEY, "x": EC_KEY["x"][:-4]}],
        [{**EC_KEY, "x": "A"}],
        [{**EC_KEY, "x": "!!!!"}],
        [{**EC_KEY, "crv": "P-384"}],
        [{**EC_KEY, "crv": "secp256k1"}],
        [{**EC_KEY, "crv": ["P-256"]}],
        [{**EC_KEY, "kty": "OKP"}],
        [{**EC_KEY, "kty": ["EC"]}],
        [{**EC_KEY, "kty": {}}],
        [{**OKP_KEY, "x": "AAAA"}],
        [{**OKP_KEY, "crv": "X25519"}],
        [{**EC_KEY, "alg": "none"}],
        [{**EC_KEY, "alg": "HS256"}],
        [{**EC_KEY, "alg": "RS256"}],
        [{**EC_KEY, "alg": 5}],
        [{**EC_KEY, "use": "all"}],
        [{**EC_KEY, "kid": 5}],
        [{**EC_KEY, "kid": ""}],
        [{**EC_KEY, "kid": "a\nb"}],
        [{**EC_KEY, "kid": "a" * 256}],
        [{**EC_KEY, "kid": "a"}, {**RSA_KEY, "kid": "a"}],
        [{**EC_KEY, "x5u": "http://169.254.169.254/"}],
    ),
    Hostile(
        "N-156 jwks and jwks_uri",
        good(jwks={"keys": [EC_KEY]}, jwks_uri="https://client.example/jwks"),
        METADATA,
    ),
]

STATEMENTS = [
    *rows(
        "X-36 no statement",
        "software_statement",
        NO_STATEMENT,
        "x",
        "..",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "a.b.c\n",
        " a.b.c",
        "a.b.c=",
        "a.\u0431.c",
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhdHRhY2tlciJ9.",
        5,
        True,
        {},
        {"payload": "e30", "signatures": []},
        ["x"],
        "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhdHRhY2tlciJ9.c2lnbmF0dXJl",
        "eyJhbGciOiJSUzI1NiIsImprdSI6Imh0dHA6Ly8xNjkuMjU0LjE2OS4yNTQvIn0.e30.c2ln",
    ),
]
