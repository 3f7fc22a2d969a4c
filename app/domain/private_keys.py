"""Owns the private keys that others gave this server: which can be one, and its one reading."""

from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from app.domain import client_keys, errors, foreign_jwts, json_objects

LONGEST = 16_384
KEPT_MEMBERS = (*client_keys.KEPT_MEMBERS, *client_keys.PRIVATE_MEMBERS)
SHAPE = "must be one private key as a JWK in JSON: P-256, or RSA of at least 2048 bits"


def read(text: str) -> dict[str, Any]:
    """Return a private JWK that can sign (RFC 7518 section 6); raises InvalidRequest.

    Its halves belong together, so that whoever knows the public one can verify what it signs.
    """
    refusal = errors.InvalidRequest(f"The private key {SHAPE}.")
    value = json_objects.pasted(text.encode("utf-8", "surrogatepass"), LONGEST, refusal)
    private: dict[str, Any] = {
        name: value[name] for name in KEPT_MEMBERS if value.get(name) is not None
    }
    try:
        check_public_half(private)
        signs = import_key(private).is_private
    except (errors.Refusal, JoseError, ValueError, TypeError):
        signs = False
    if not signs:
        raise refusal
    return private


def check_public_half(private: dict[str, Any]) -> None:
    """Refuse other kinds of keys, and those that are for encryption."""
    members = {name: private[name] for name in client_keys.KEPT_MEMBERS if name in private}
    public = client_keys.public_key(members)
    if public["kty"] != "RSA" and public.get("crv") != "P-256":
        raise ValueError("this server signs with P-256 and RSA only")
    use, algorithm = public.get("use", "sig"), public.get("alg", "ES256")
    if use != "sig" or algorithm not in foreign_jwts.ALGORITHMS:
        raise ValueError("a key for encryption does not sign")


def is_key(text: str) -> bool:
    """Tell whether a text is such a key."""
    try:
        read(text)
    except errors.InvalidRequest:
        return False
    return True


def sign(key: Mapping[str, Any], token_type: str, claims: dict[str, Any]) -> str:
    """Return a compact JWS with such a key, and with its ``alg`` and ``kid`` if it has them."""
    algorithm = key.get("alg", "RS256" if key["kty"] == "RSA" else "ES256")
    header = {"alg": algorithm, "typ": token_type}
    if "kid" in key:
        header["kid"] = key["kid"]
    return jwt.encode(header, claims, import_key(dict(key)), algorithms=[algorithm])
