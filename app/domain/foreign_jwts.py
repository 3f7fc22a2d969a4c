"""Owns the reading of JWTs that others sign: strict shape first, then the signature (RFC 7515)."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry

from app.domain import client_keys, errors, json_objects, signing_keys

LONGEST = 16_384
ALGORITHMS = (
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
    "PS256",
    "PS384",
    "PS512",
    "RS256",
    "RS384",
    "RS512",
)
"""What others may sign with: asymmetric algorithms only."""
SAME = {"EdDSA": "Ed25519"}
"""An algorithm and the name that RFC 9864 gives it."""
REFUSED_MEMBERS = frozenset(("crit", "b64", "jku", "jwk", "x5u", "x5c"))
"""Of a header: what changes how it is read, and keys of the signer's own choice."""


class Demands(NamedTuple):
    """What has to be true of a signature beyond that it is one, and how far clocks may differ."""

    algorithms: tuple[str, ...] = ALGORITHMS
    leeway_seconds: int = 30


USUAL = Demands()
LONGEST_NAME = 2048

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class ForeignJwt:
    """A JWT in the right shape; until its signature is checked nothing in it may be believed."""

    text: str
    algorithm: str
    kid: str | None
    claims: Mapping[str, Any]
    jwk: object = None
    """The key that it brings along, unread; only proofs of possession may bring one."""


def read(
    value: object,
    types: Collection[str],
    algorithms: tuple[str, ...] = ALGORITHMS,
    *,
    brings_key: bool = False,
) -> ForeignJwt | None:
    """Return a JWT in compact form, or None for anything else.

    ``types`` are the values of ``typ`` that are accepted, in lower case; a header without one says
    ``jwt``. So a token made for another purpose is never taken for one of this.
    """
    if not isinstance(value, str) or len(value) > LONGEST or not _COMPACT.fullmatch(value):
        return None
    parts = [decoded(part) for part in value.split(".")]
    header, claims = (json_object(part) for part in parts[:2])
    if header is None or claims is None or parts[2] is None:
        return None
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "jwt")
    jwk = header.pop("jwk", None) if brings_key else None
    if algorithm not in algorithms or header.keys() & REFUSED_MEMBERS:
        return None
    if kid is not None and not client_keys.is_key_id(kid):
        return None
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
        return None
    return ForeignJwt(value, algorithm, kid, claims, jwk)


def is_name(value: object, longest: int = LONGEST_NAME) -> bool:
    """Tell whether a claim can be the name of a party or of the JWT itself."""
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def is_signed_by(jwt: ForeignJwt, keys: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether one of some checked public keys has made the signature."""
    signed, _, signature = jwt.text.rpartition(".")
    raw = signing_keys.decode(signature.encode())
    return any(verifies(jwt, key, signed.encode(), raw) for key in keys)


def verifies(
    jwt: ForeignJwt, public_jwk: Mapping[str, Any], signed: bytes, signature: bytes
) -> bool:
    """Tell whether a key is one for this JWT and has made the signature."""
    if jwt.kid is not None and public_jwk.get("kid", jwt.kid) != jwt.kid:
        return False
    if not fits(public_jwk, jwt.algorithm):
        return False
    model = JWSRegistry.algorithms[SAME.get(jwt.algorithm, jwt.algorithm)]
    return bool(model.verify(signed, signature, imported(**public_jwk)))


def fits(public_jwk: Mapping[str, Any], algorithm: str) -> bool:
    """Tell whether a checked public key is one for the signatures of an algorithm."""
    name = SAME.get(algorithm, algorithm)
    meant_for = public_jwk.get("alg", name)
    if public_jwk.get("use", "sig") != "sig" or SAME.get(meant_for, meant_for) != name:
        return False
    try:
        JWSRegistry.algorithms[name].check_key(imported(**public_jwk))
    except JoseError:
        return False  # a key of another type or on another curve
    return True


@lru_cache(maxsize=256)
def imported(**members: str) -> Any:
    """Return a checked public key as joserfc uses it."""
    return import_key({name: value for name, value in members.items() if name != "alg"})


def thumbprint(public_jwk: Mapping[str, Any]) -> str:
    """Return what names a checked public key (RFC 7638)."""
    return str(imported(**public_jwk).thumbprint())


def is_for(audience: object, audiences: Sequence[str]) -> bool:
    """Tell whether an ``aud`` names one of our addresses (RFC 7519 section 4.1.3)."""
    named = audience if isinstance(audience, list) else [audience]
    return any(isinstance(each, str) and each in audiences for each in named)


def are_in_time(claims: Mapping[str, Any], now: int, leeway: int) -> bool:
    """Tell whether the dates hold that claims have; they may have none (RFC 7519 section 4.1).

    Clocks may differ by so many seconds.
    """
    dates = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if any(type(date) not in (int, float) for date in dates.values()):
        return False
    begins = max(dates.get("nbf", now), dates.get("iat", now))
    return bool(dates.get("exp", now) > now - leeway and begins <= now + leeway)


def decoded(part: str) -> bytes | None:
    """Return the bytes of base64url in its one spelling, None for another."""
    try:
        raw = signing_keys.decode(part.encode())
    except ValueError:
        return None
    return raw if signing_keys.encode(raw) == part.encode() else None


def json_object(raw: bytes | None) -> dict[str, Any] | None:
    """Return a JSON object, None for anything else."""
    if raw is None:
        return None
    try:
        return json_objects.read(raw)
    except errors.Refusal:
        return None
