"""Owns assertions of identity providers about people at apps: ID-JAG, a profile of RFC 7523."""

import re
from collections.abc import Mapping
from typing import Any

from app import clock
from app.domain import credentials, errors, foreign_jwts
from app.domain.client_assertions import ClientAssertionId
from app.domain.foreign_jwts import ForeignJwt
from app.extensions import insert_once

PROFILE = "urn:ietf:params:oauth:grant-profile:id-jag"
TYPE = "oauth-id-jag+jwt"
LIFE_SECONDS = 3600
"""An assertion lives so long at most."""
LEEWAY_SECONDS = 60
"""So far may the clocks differ."""
UNREAD = frozenset(("cnf", "tenant"))
"""Members that bind an assertion to a key or a tenant, of which this server knows nothing."""
SHAPE = (
    "The assertion must be one JWT of type oauth-id-jag+jwt with iss, sub, aud, client_id, exp, iat"
    " and jti, signed asymmetrically with a key that its header does not bring along, and not bound"
    " to a key or a tenant."
)
AUDIENCE = "The aud of the assertion must be the issuer of this server and nothing else."
OTHER_CLIENT = "The assertion was issued to another client; get one that names yours as client_id."
DATES = "The assertion must be valid now, and end within an hour; get a new one."
REPLAYED = "The assertion was used before; get a new one, with a jti of its own."

_SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")


def read(text: str, *, issuer: str, client_id: str) -> ForeignJwt:
    """Return an assertion for a client at this server, whose signature is still to be checked.

    Raises InvalidGrant with a sentence that depends on nothing but the assertion and the client.
    """
    jwt = foreign_jwts.read(text, (TYPE,))
    if jwt is None or not is_whole(jwt.claims):
        raise errors.InvalidGrant(SHAPE)
    said = {"assertion_issuer": jwt.claims["iss"][:200]}
    if jwt.claims["aud"] not in (issuer, [issuer]):
        raise errors.InvalidGrant(AUDIENCE, **said)
    if jwt.claims["client_id"] != client_id:
        raise errors.InvalidGrant(OTHER_CLIENT, **said)
    if not is_in_time(jwt.claims, clock.epoch()):
        raise errors.InvalidGrant(DATES, **said)
    return jwt


def is_whole(claims: Mapping[str, Any]) -> bool:
    """Tell whether claims have all that an assertion needs, in the right shape."""
    subject, scope = claims.get("sub"), claims.get("scope", "-")
    return (
        all(foreign_jwts.is_name(claims.get(name)) for name in ("iss", "client_id", "jti"))
        and {"aud", "exp", "iat"} <= claims.keys()
        and not UNREAD & claims.keys()
        and isinstance(subject, str)
        and _SUBJECT.fullmatch(subject) is not None
        and isinstance(scope, str)
        and scope != ""
        and all(isinstance(each, str) for each in resources(claims))
    )


def resources(claims: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the resources that an assertion is about; none means the one of this server."""
    found = claims.get("resource", ())
    return tuple(found) if isinstance(found, list | tuple) else (found,)


def is_in_time(claims: Mapping[str, Any], now: int) -> bool:
    """Tell whether an assertion is valid now and lives no longer than it may."""
    longest = LIFE_SECONDS + LEEWAY_SECONDS
    if not foreign_jwts.are_in_time(claims, now, LEEWAY_SECONDS):
        return False
    return bool(claims["iat"] >= now - longest and claims["exp"] <= now + longest)


def auth_time(claims: Mapping[str, Any], now: int) -> int:
    """Return when the person signed in at the provider, 0 if it does not say so."""
    said = claims.get("auth_time")
    return min(said, now) if type(said) is int and said > 0 else 0


def spend(jwt: ForeignJwt) -> None:
    """Use up a proven assertion in the transaction of its token; raises InvalidGrant if it was."""
    claims = jwt.claims
    unused = insert_once(
        ClientAssertionId,
        id_digest=credentials.digest(f"{TYPE}\0{claims['iss']}\0{claims['jti']}"),
        expires_at=int(claims["exp"]) + 2 * LEEWAY_SECONDS,
    )
    if not unused:
        raise errors.InvalidGrant(REPLAYED, assertion_issuer=claims["iss"][:200])
