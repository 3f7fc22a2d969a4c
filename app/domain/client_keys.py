"""Owns the public keys that a client registers by value (RFC 7591 section 2, RFC 7517)."""

import base64
import re
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from app.domain import errors

KEYS = 10
RSA_BITS = range(2048, 8193)
PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
KEPT_MEMBERS = ("kty", "kid", "use", "alg", "crv", "x", "y", "n", "e")


class Curve(NamedTuple):
    """One curve of RFC 7518 or RFC 8037: how long its coordinates are, what signs with it."""

    kty: str
    octets: int
    algorithms: frozenset[str]
    curve: type[ec.EllipticCurve] | None = None


_AGREEMENT = frozenset(("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"))
CURVES = {
    "P-256": Curve("EC", 32, _AGREEMENT | {"ES256"}, ec.SECP256R1),
    "P-384": Curve("EC", 48, _AGREEMENT | {"ES384"}, ec.SECP384R1),
    "P-521": Curve("EC", 66, _AGREEMENT | {"ES512"}, ec.SECP521R1),
    "Ed25519": Curve("OKP", 32, frozenset(("EdDSA", "Ed25519"))),
    "Ed448": Curve("OKP", 57, frozenset(("EdDSA", "Ed448"))),
}
RSA_ALGORITHMS = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "RSA-OAEP", "RSA-OAEP-256")
)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_KEY_ID = re.compile(r"[\x20-\x7e]{1,255}")


def key_set(member: str, value: object) -> dict[str, object]:
    """Return the JWK set with only public members, or raise InvalidClientMetadata."""
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= KEYS:
        raise _refuse(f"{member} must be an object whose keys member lists 1 to 10 keys.")
    public = [public_key(each) for each in keys]
    ids = [each["kid"] for each in public if "kid" in each]
    if len(set(ids)) < len(ids):
        raise _refuse("Every key in jwks must have a kid of its own.")
    return {"keys": public}


def public_key(value: object) -> dict[str, str]:
    """Return one checked public key (RFC 7518 section 6, RFC 8037 section 2)."""
    if not isinstance(value, dict):
        raise _refuse("Every key in jwks must be an object.")
    if any(each in value for each in PRIVATE_MEMBERS) or value.get("kty") == "oct":
        raise _refuse("jwks must hold public keys only; replace the key that you have sent.")
    if "x5u" in value:
        raise _refuse("A key in jwks must not refer to a certificate by x5u; leave it out.")
    key = {name: _text(value, name) for name in KEPT_MEMBERS if value.get(name) is not None}
    _check_labels(key)
    _check_algorithm(key, _check_material(key))
    return key


def is_key_id(value: object) -> bool:
    """Tell whether something can be a ``kid``."""
    return isinstance(value, str) and _KEY_ID.fullmatch(value) is not None


def _text(value: dict[str, object], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise _refuse("The members of a key in jwks must be strings.")
    return text


def _check_labels(key: dict[str, str]) -> None:
    if "kid" in key and not is_key_id(key["kid"]):
        raise _refuse("A kid in jwks must be 1 to 255 printable ASCII characters.")
    if key.get("use", "sig") not in ("sig", "enc"):
        raise _refuse("The use of a key in jwks must be sig or enc.")


def _check_material(key: dict[str, str]) -> frozenset[str]:
    """Check the numbers of a key and return the algorithms it is good for."""
    if key.get("kty") == "RSA":
        _check_rsa(key)
        return RSA_ALGORITHMS
    curve = CURVES.get(key.get("crv", ""))
    if not curve or curve.kty != key.get("kty"):
        raise _refuse("A key in jwks must be RSA, P-256, P-384, P-521, Ed25519 or Ed448.")
    _check_point(key, curve)
    return curve.algorithms


def _check_algorithm(key: dict[str, str], algorithms: frozenset[str]) -> None:
    if "alg" in key and key["alg"] not in algorithms:
        raise _refuse("The alg of a key in jwks must be an asymmetric one that fits its type.")


def _check_rsa(key: dict[str, str]) -> None:
    modulus = int.from_bytes(_octets(key, "n", 1025))
    exponent = int.from_bytes(_octets(key, "e", 9))
    if modulus.bit_length() not in RSA_BITS or modulus % 2 == 0:
        raise _refuse("An RSA key in jwks must have an odd modulus of 2048 to 8192 bits.")
    if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > 64:
        raise _refuse("An RSA key in jwks must have an odd exponent of at least 3; use 65537.")


def _check_point(key: dict[str, str], curve: Curve) -> None:
    x = _octets(key, "x", curve.octets)
    y = _octets(key, "y", curve.octets) if curve.curve else x
    if len(x) != curve.octets or len(y) != curve.octets:
        raise _refuse("The coordinates of a key in jwks must have the full length of its curve.")
    if curve.curve:
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve.curve())
        try:
            numbers.public_key()
        except ValueError:
            raise _refuse("An EC key in jwks must be a point on its curve.") from None


def _octets(key: dict[str, str], name: str, most: int) -> bytes:
    """Decode base64url without padding, after its length is known to be harmless."""
    text = key.get(name, "")
    if len(text) * 3 > most * 4 + 6 or len(text) % 4 == 1 or not _BASE64URL.fullmatch(text):
        raise _refuse("The numbers of a key in jwks must be base64url of the size of its type.")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _refuse(sentence: str) -> errors.Refusal:
    return errors.InvalidClientMetadata(sentence)
