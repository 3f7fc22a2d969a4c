"""Owns access tokens of ours as credentials: borne, or bound to a key that must be proven."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import request

from app.domain import credentials, errors, foreign_jwts
from app.domain.dpop_refusals import InvalidDpopProof
from app.domain.errors import Refusal
from app.domain.signing_keys import LONGEST_TOKEN
from app.extensions import commit
from app.protocol import caller, dpop, introspect

BEARER, DPOP = "bearer", "dpop"
BOUND = (
    "The access token is bound to a key; send it by the scheme DPoP, with a proof of that key in"
    " the DPoP header."
)
UNBOUND = "The access token is bound to no key; send it as a bearer token."
OTHER_KEY = "The DPoP proof is not of the key that the access token is bound to."


class Presented(NamedTuple):
    """An access token, and by which scheme it came."""

    token: str
    scheme: str = BEARER


def in_header() -> Presented | None:
    """Return the access token of the Authorization header, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in (BEARER, DPOP):
        return None
    return Presented(token.strip()[: LONGEST_TOKEN + 1], scheme.lower())


def claims_of(presented: Presented) -> dict[str, Any] | None:
    """Return the claims of a token that counts and whose key was proven; None for any other.

    Raises InvalidToken and InvalidDpopProof with the challenge of RFC 9449 section 7.1.
    """
    claims = introspect.claims_of(presented.token)
    if claims is None:
        return None
    try:
        check_key(presented, claims)
    except Refusal as refusal:
        raise challenged(refusal) from None
    return claims


def check_key(presented: Presented, claims: Mapping[str, Any]) -> None:
    """Refuse a token that came by the wrong scheme, or without its key (section 7.1)."""
    bound = "cnf" in claims
    if bound != (presented.scheme == DPOP):
        raise errors.InvalidToken(BOUND if bound else UNBOUND, client_id=claims["client_id"])
    if not bound:
        return
    client = caller.look_up(claims["client_id"])
    proof = None if client is None else dpop.read(client, presented.token)
    if proof is None:
        raise InvalidDpopProof(BOUND, client_id=claims["client_id"])
    if not credentials.equal(proof.jkt, claims["cnf"]["jkt"]):
        raise InvalidDpopProof(OTHER_KEY, client_id=claims["client_id"])
    dpop.spend(proof)
    commit()


def challenged(refusal: Refusal) -> Refusal:
    """Return a refusal as a resource gives it: 401, with what would do."""
    refusal.status_code = errors.InvalidToken.status
    algorithms = " ".join(foreign_jwts.ALGORITHMS)
    refusal.challenge = f'DPoP error="{refusal.error}", algs="{algorithms}"'
    return refusal
