"""Owns software statements: what issuers sign about software, when it counts (RFC 7591 §2.3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import clock
from app.domain import (
    audit,
    client_metadata,
    credentials,
    errors,
    foreign_jwts,
    signing_keys,
    statement_issuers,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.foreign_jwts import ForeignJwt
from app.domain.signing_keys import Keys
from app.domain.statement_issuers import StatementIssuer

TYPE = "software-statement+jwt"
TYPES = ("jwt", TYPE)
LEEWAY_SECONDS = 60
"""What the clocks of issuers may differ from ours."""
SHAPE = (
    "software_statement must be one JWT in compact form of type JWT or software-statement+jwt,"
    " signed asymmetrically with a key that its header does not bring along, and name its issuer."
)
FORGED = "The software statement is not signed by a key and an algorithm that its issuer has here."
DATES = "The software statement is expired or not valid yet; ask its issuer for a new one."
AUDIENCE = "The software statement is made for another server; ask its issuer for one for this."
EMPTY = "The software statement says nothing about the software; it must hold client metadata."
NOT_ITS_SOFTWARE = (
    "The issuer of the software statement does not vouch for this software_id here;"
    " ask the operators of this server."
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a verified statement says."""

    text: str
    """As it was sent."""
    issuer: str
    metadata: Mapping[str, Any]
    """The client metadata that it fixes, not yet checked as metadata."""

    @property
    def source(self) -> str:
        """Return how the software arrives."""
        return "statement" if self.issuer else "dcr"

    def over(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request in which the statement takes precedence (RFC 7591 section 3.1.1).

        A name that it fixes is not to be had in another language either.
        """
        own = {
            name: value
            for name, value in body.items()
            if name != "software_statement" and name.partition("#")[0] not in self.metadata
        }
        return own | dict(self.metadata)

    def lacks(self, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the members of client metadata that it leaves to who registers."""
        return tuple(name for name in metadata if self.issuer and name not in self.metadata)

    def facts(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return what evidence holds of it."""
        return {"statement_issuer": self.issuer, "statement_lacks": self.lacks(metadata)}

    def notes(self, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what an approver should know of it."""
        if not self.issuer:
            return ()
        found = f"A software statement of {self.issuer} vouches for it."
        if "redirect_uris" not in self.lacks(metadata):
            return (found,)
        return (found, "Where its codes go is not said by the statement but by who registered.")


NONE = Statement("", "", {})
"""The statement of a request that has none."""


def read(value: object) -> ForeignJwt:
    """Return a statement whose signature is still to be checked.

    Raises InvalidSoftwareStatement for anything else, tokens made for another purpose included.
    """
    jwt = foreign_jwts.read(value, TYPES)
    if jwt is None or not statement_issuers.is_issuer(jwt.claims.get("iss")):
        raise errors.InvalidSoftwareStatement(SHAPE)
    return jwt


def check_algorithm(jwt: ForeignJwt, row: StatementIssuer) -> None:
    """Refuse an algorithm that the issuer does not use, before its keys are fetched."""
    if jwt.algorithm not in row.algorithms:
        raise forged(jwt)


def verify(
    jwt: ForeignJwt,
    row: StatementIssuer,
    keys: Iterable[Mapping[str, Any]],
    audiences: Sequence[str],
) -> Statement:
    """Return what a statement of a trusted issuer says.

    Raises InvalidSoftwareStatement when it does not hold, and UnapprovedSoftwareStatement when the
    issuer may not vouch for this software.
    """
    check_algorithm(jwt, row)
    if not foreign_jwts.is_signed_by(jwt, keys):
        raise forged(jwt)
    said = accepted(jwt, audiences)
    if row.software_ids and jwt.claims.get("software_id") not in row.software_ids:
        raise errors.UnapprovedSoftwareStatement(NOT_ITS_SOFTWARE, statement_issuer=row.issuer)
    return said


def verify_own(jwt: ForeignJwt, audiences: Sequence[str]) -> Statement:
    """Return what a statement of this server says; no other token of ours is taken for one.

    It outlives the rotations of keys, because it is shipped with software.
    """
    if signing_keys.verify_kept(TYPE, jwt.text) is None:
        raise forged(jwt)
    return accepted(jwt, audiences)


def accepted(jwt: ForeignJwt, audiences: Sequence[str]) -> Statement:
    """Return what a signed statement says, once its dates and its audience fit."""
    claims = jwt.claims
    if not foreign_jwts.are_in_time(claims, clock.epoch(), LEEWAY_SECONDS):
        raise errors.InvalidSoftwareStatement(DATES, statement_issuer=claims["iss"])
    if "aud" in claims and not foreign_jwts.is_for(claims["aud"], audiences):
        raise errors.InvalidSoftwareStatement(AUDIENCE, statement_issuer=claims["iss"])
    said = {
        name: value
        for name, value in claims.items()
        if name.partition("#")[0] in client_metadata.MEMBERS and value not in (None, "", [])
    }
    if not said:
        raise errors.InvalidSoftwareStatement(EMPTY, statement_issuer=claims["iss"])
    return Statement(jwt.text, claims["iss"], said)


def forged(jwt: ForeignJwt) -> errors.Refusal:
    """Return the refusal of a statement that its issuer has not signed."""
    return errors.InvalidSoftwareStatement(FORGED, statement_issuer=jwt.claims["iss"])


def issue(
    keys: Keys, issuer: str, metadata: Mapping[str, Any], *, seconds: int, by: Actor
) -> tuple[str, str]:
    """Sign a statement of our own about checked client metadata; return its ``jti`` and itself."""
    now, identifier = clock.epoch(), credentials.new_id()
    claims = {"iss": issuer, "iat": now, "exp": now + seconds, "jti": identifier} | dict(metadata)
    audit.record(
        Tag.STATEMENT_ISSUED, identifier, by=by, metadata=dict(metadata), expires_at=now + seconds
    )
    return identifier, signing_keys.sign(keys, TYPE, claims)
