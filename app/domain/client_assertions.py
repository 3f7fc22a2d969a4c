"""Owns signed assertions of clients: their shape, for whom, how long, each only once (RFC 7523)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials, errors, foreign_jwts
from app.domain.assertion_keys import BY_SECRET, HMAC, METHOD
from app.domain.foreign_jwts import ForeignJwt
from app.extensions import Base, write_row

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TYPE = "client-authentication+jwt"
TYPES = ("jwt", TYPE)
ALGORITHMS = (*foreign_jwts.ALGORITHMS, HMAC)
LIFE_SECONDS = 600
"""An assertion may end so long from now at most."""
LEEWAY_SECONDS = 30
"""What the clocks of clients may differ from ours."""
SHAPE = (
    "client_assertion must be one JWT in compact form with iss and sub the client_id, aud, exp and"
    " jti, signed as the client registered, with a key that its header does not bring along;"
    " client_assertion_type must say jwt-bearer."
)
AUDIENCE = "The aud of the client_assertion must be the issuer of this server or this endpoint."
DATES = "The client_assertion must be valid now and end within 10 minutes; make a new one."
REPLAYED = "The client_assertion was used before; make a new one, with a jti of its own."


class ClientAssertionId(Base):
    """An assertion that was used; the digest is of who made it and its ``jti``."""

    __tablename__ = "client_assertion_ids"

    id_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


def read(kind: str, text: str, audiences: Sequence[str]) -> ForeignJwt:
    """Return an assertion whose signature is still to be checked; ``sub`` is who claims it.

    Raises InvalidClient with a sentence that depends on nothing but the assertion.
    """
    jwt = foreign_jwts.read(text, TYPES, ALGORITHMS)
    if kind != KIND or jwt is None or not names_one_client(jwt.claims):
        raise errors.InvalidClient(SHAPE, method="assertion")
    if not foreign_jwts.is_for(jwt.claims.get("aud"), audiences):
        raise errors.InvalidClient(AUDIENCE, **facts_of(jwt))
    if not is_in_time(jwt.claims, clock.epoch()):
        raise errors.InvalidClient(DATES, **facts_of(jwt))
    return jwt


def facts_of(jwt: ForeignJwt) -> dict[str, str]:
    """Return who is claimed to have signed an assertion, and by which method."""
    method = BY_SECRET if jwt.algorithm == HMAC else METHOD
    return {"client_id": jwt.claims["sub"][:200], "method": method}


def names_one_client(claims: Mapping[str, Any]) -> bool:
    """Tell whether claims name one client, by which it speaks for itself, and a ``jti``."""
    names = [claims.get(name) for name in ("iss", "sub", "jti")]
    return all(map(foreign_jwts.is_name, names)) and names[0] == names[1]


def is_in_time(claims: Mapping[str, Any], now: int) -> bool:
    """Tell whether the dates hold; ``exp`` must be there (RFC 7523 section 3)."""
    if "exp" not in claims or not foreign_jwts.are_in_time(claims, now, LEEWAY_SECONDS):
        return False
    return bool(claims["exp"] <= now + LIFE_SECONDS + LEEWAY_SECONDS)


def spend(jwt: ForeignJwt) -> None:
    """Use up an assertion whose signature was proven; raises InvalidClient for the second use.

    A transaction of its own: what was used stays used, whatever becomes of the request.
    """
    client_id, ends = jwt.claims["sub"], int(jwt.claims["exp"])
    digest = credentials.digest(f"{client_id}\0{jwt.claims['jti']}")
    # kept longer than it is accepted, for clocks of other nodes that are behind
    if not write_row(INSERT, digest, ends + 2 * LEEWAY_SECONDS):
        raise errors.InvalidClient(REPLAYED, **facts_of(jwt))


INSERT = (
    "INSERT INTO client_assertion_ids (id_digest, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING"
)
