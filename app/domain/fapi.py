"""Owns what the profile FAPI 2.0 demands of a client beyond what is demanded of all of them."""

from collections.abc import Mapping
from typing import Any

from app import clock
from app.domain import errors, foreign_jwts
from app.domain.assertion_keys import ALGORITHM, METHOD
from app.domain.foreign_jwts import Demands, ForeignJwt

DEMANDS = Demands(("PS256", "ES256", "EdDSA", "Ed25519"), leeway_seconds=10)
CODE_SECONDS = 60
"""No code lives longer."""
UNABLE = (
    "The profile fapi2 is only for clients whose token_endpoint_auth_method is private_key_jwt and"
    " whose token_endpoint_auth_signing_alg, if there is one, is PS256, ES256 or EdDSA."
)
ASSERTION = (
    "The client_assertion of this client must be signed with PS256, ES256 or EdDSA, its aud must be"
    " the issuer of this server alone, and the clocks may differ by 10 seconds."
)


def is_able(metadata: Mapping[str, Any]) -> bool:
    """Tell whether a client could meet the profile: it always signs, and as it has to."""
    signs = metadata["token_endpoint_auth_method"] == METHOD
    return bool(signs and metadata.get(ALGORITHM) in (None, *DEMANDS.algorithms))


def check_client(metadata: Mapping[str, Any]) -> None:
    """Raise InvalidClientMetadata for a client that could not meet the profile."""
    if not is_able(metadata):
        raise errors.InvalidClientMetadata(UNABLE)


def check_assertion(jwt: ForeignJwt, issuer: str) -> None:
    """Raise InvalidClient for an assertion that would do for others only."""
    in_time = foreign_jwts.are_in_time(jwt.claims, clock.epoch(), DEMANDS.leeway_seconds)
    known = jwt.algorithm in DEMANDS.algorithms
    if not in_time or not known or jwt.claims["aud"] != issuer:
        raise errors.InvalidClient(ASSERTION, client_id=jwt.claims["sub"][:200], method=METHOD)
