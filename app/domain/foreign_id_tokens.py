"""Owns the checks of ID tokens that others issue (OpenID Connect Core section 3.1.3.7)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app import clock
from app.domain import credentials, errors, foreign_jwts

TYPES = ("jwt",)
LEEWAY_SECONDS = 60
"""So far may the clocks differ."""
FAILED = (
    "The sign-in at the other server did not work; try again, and ask the operators of this server"
    " if it happens twice."
)

MALFORMED = "There is no ID token, or it is no JWT that is signed with an asymmetric algorithm."
UNSIGNED = "No key that the provider publishes has made the signature of the ID token."
OTHER_ISSUER = "The ID token names another issuer."
OTHER_AUDIENCE = "The ID token is for another client."
OTHER_PARTY = "The ID token was issued to another client (azp)."
EXPIRED = "The ID token has expired, is not valid yet, or lacks exp or iat."
OLD = "The ID token was issued before this sign-in began."
OTHER_NONCE = "The nonce of the ID token is not the one of this sign-in."
OTHER_ACCESS_TOKEN = "The at_hash of the ID token belongs to another access token."
NO_SUBJECT = "The ID token has no sub of 1 to 255 printable ASCII characters."

BITS = {"256": 256, "384": 384}
"""Of the hash of an algorithm by the end of its name; of all others it has 512."""

_IDENTIFIER = re.compile(r"[\x20-\x7e]{1,255}")

FindKeys = Callable[[str | None], Iterable[Mapping[str, Any]]]
"""Returns the published keys that a ``kid`` may mean."""


def check(
    text: object,
    find_keys: FindKeys,
    *,
    issuer: str,
    client_id: str,
    nonce_digest: str,
    access_token: str,
    begun_at: int,
) -> Mapping[str, Any]:
    """Return the claims of an ID token that was issued for this sign-in; raises AccessDenied.

    The reason that goes with the refusal is for operators.
    """
    jwt = foreign_jwts.read(text, TYPES)
    if jwt is None:
        raise refused(MALFORMED)
    if not foreign_jwts.is_signed_by(jwt, find_keys(jwt.kid)):
        raise refused(UNSIGNED)
    claims, at_hash = jwt.claims, jwt.claims.get("at_hash")
    check_parties(claims, issuer, client_id)
    check_moment(claims, begun_at)
    if not credentials.matches(text_of(claims.get("nonce")), nonce_digest):
        raise refused(OTHER_NONCE)
    if at_hash is not None and at_hash != hash_of(access_token, jwt.algorithm):
        raise refused(OTHER_ACCESS_TOKEN)
    if not is_identifier(claims.get("sub")):
        raise refused(NO_SUBJECT)
    return claims


def check_parties(claims: Mapping[str, Any], issuer: str, client_id: str) -> None:
    """Refuse a token of another issuer or for another client."""
    audience, party = claims.get("aud"), claims.get("azp")
    if claims.get("iss") != issuer:
        raise refused(OTHER_ISSUER)
    if not foreign_jwts.is_for(audience, [client_id]):
        raise refused(OTHER_AUDIENCE)
    if party is None and isinstance(audience, list) and len(audience) > 1:
        raise refused(OTHER_PARTY)
    if party not in (None, client_id):
        raise refused(OTHER_PARTY)


def check_moment(claims: Mapping[str, Any], begun_at: int) -> None:
    """Refuse a token that is not of this moment."""
    dated = "exp" in claims and "iat" in claims
    if not dated or not foreign_jwts.are_in_time(claims, clock.epoch(), LEEWAY_SECONDS):
        raise refused(EXPIRED)
    if claims["iat"] < begun_at - LEEWAY_SECONDS:
        raise refused(OLD)


def hash_of(access_token: str, algorithm: str) -> str:
    """Return the ``at_hash`` that belongs to an access token."""
    return credentials.half_digest(access_token, BITS.get(algorithm[-3:], 512))


def is_identifier(value: object) -> bool:
    """Tell whether something names a person, a session or a token of an issuer."""
    return _IDENTIFIER.fullmatch(text_of(value)) is not None


def text_of(value: object) -> str:
    """Return a text, empty for anything else."""
    return value if isinstance(value, str) else ""


def refused(reason: str) -> errors.AccessDenied:
    """Return the refusal that people read, with the reason for operators."""
    return errors.AccessDenied(FAILED, reason=reason)
