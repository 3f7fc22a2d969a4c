"""Owns what clients say about signed assertions: must they, may they, with what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import errors, foreign_jwts
from app.domain.foreign_jwts import ALGORITHMS, ForeignJwt

METHOD = "private_key_jwt"
BY_SECRET = "client_secret_jwt"
HMAC = "HS256"
"""What secrets sign with: they are too short for the longer ones (RFC 7518 section 3.2)."""
CHOICE = "token_endpoint_auth_methods_supported"
ALGORITHM = "token_endpoint_auth_signing_alg"
MEMBERS = (CHOICE, ALGORITHM)
NO_KEYS = "private_key_jwt needs jwks or jwks_uri."
NO_ALGORITHM = (
    "token_endpoint_auth_signing_alg must be an asymmetric algorithm that the server metadata"
    " lists."
)
NO_HMAC = "token_endpoint_auth_signing_alg must be HS256 for client_secret_jwt."
NO_USABLE_KEY = "jwks must hold a public key for signatures that fits the signing algorithm."


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the keys are that a client signs with; exactly one of the two is there."""

    jwks: Sequence[Mapping[str, Any]] | None
    jwks_uri: str | None
    algorithm: str | None
    """The only algorithm of this client; None means any of ours."""

    def takes(self, jwt: ForeignJwt) -> bool:
        """Tell whether a JWT is signed with an algorithm of this client."""
        return self.algorithm is None or self.algorithm == jwt.algorithm


def said(asked: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members about signing that count, given the checked other members.

    A client without a secret may sign if it says so and is able to; for others they mean nothing.
    Raises InvalidClientMetadata when a client that has to sign could not.
    """
    method, algorithm = metadata["token_endpoint_auth_method"], asked.get(ALGORITHM)
    kept = {} if algorithm is None else {ALGORITHM: algorithm}
    if method == BY_SECRET:
        if algorithm not in (None, HMAC):
            raise errors.InvalidClientMetadata(NO_HMAC)
        return kept
    fault = fault_of(algorithm, metadata)
    if method == METHOD:
        if fault:
            raise errors.InvalidClientMetadata(fault)
        return kept
    listed = asked.get(CHOICE)
    if method == "none" and isinstance(listed, list) and METHOD in listed and not fault:
        return kept | {CHOICE: ["none", METHOD]}
    return {}


def fault_of(algorithm: object, metadata: Mapping[str, Any]) -> str:
    """Return what keeps a client from signing; empty when nothing does."""
    if not metadata.keys() & {"jwks", "jwks_uri"}:
        return NO_KEYS
    if algorithm is not None and algorithm not in ALGORITHMS:
        return NO_ALGORITHM
    if "jwks" not in metadata:
        return ""
    wanted = ALGORITHMS if algorithm is None else (algorithm,)
    keys = metadata["jwks"]["keys"]
    usable = any(foreign_jwts.fits(key, str(name)) for key in keys for name in wanted)
    return "" if usable else NO_USABLE_KEY


def of_metadata(metadata: Mapping[str, Any]) -> KeySource | None:
    """Return the keys of a client that has to or may sign; None for every other client."""
    if metadata["token_endpoint_auth_method"] != METHOD and CHOICE not in metadata:
        return None
    return source_of(metadata, ALGORITHM)


def source_of(metadata: Mapping[str, Any], algorithm: str) -> KeySource:
    """Return the keys that a client has registered; ``algorithm`` is the member that binds it."""
    keys = metadata.get("jwks", {}).get("keys")
    return KeySource(keys, metadata.get("jwks_uri"), metadata.get(algorithm))
