"""Owns taking the software statement of a request: by whom it is signed and with which keys."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.config import current_settings
from app.domain import errors, software_statements, statement_issuers
from app.domain.foreign_jwts import ForeignJwt
from app.domain.software_statements import NONE, Statement
from app.domain.statement_issuers import StatementIssuer
from app.outbound.errors import OutboundError
from app.protocol import published_keys

UNFETCHED = (
    "The keys of the issuer of the software statement cannot be fetched now; try again later."
)


def of_request(body: Mapping[str, Any]) -> Statement:
    """Return the verified statement in a request, ``NONE`` when there is none.

    Ends the transaction of the request before it fetches keys: rows read earlier have to be read
    again. Raises InvalidSoftwareStatement or UnapprovedSoftwareStatement.
    """
    sent, issuer = body.get("software_statement"), current_settings().issuer
    if sent in (None, "", []):
        return NONE
    jwt, audiences = software_statements.read(sent), (issuer, f"{issuer}/register")
    if jwt.claims["iss"] == issuer:
        return software_statements.verify_own(jwt, audiences)
    row = statement_issuers.trusted(jwt.claims["iss"])
    software_statements.check_algorithm(jwt, row)

    keys = keys_of(row, jwt)

    row = statement_issuers.trusted(jwt.claims["iss"])  # fetching took its time
    return software_statements.verify(jwt, row, keys, audiences)


def keys_of(row: StatementIssuer, jwt: ForeignJwt) -> Iterable[Mapping[str, Any]]:
    """Return the keys of an issuer that a statement may be signed with."""
    if row.jwks is not None:
        found: list[dict[str, Any]] = row.jwks["keys"]
        return found
    try:
        return published_keys.find(row.jwks_uri, jwt.kid)
    except OutboundError as error:
        raise errors.InvalidSoftwareStatement(
            UNFETCHED, statement_issuer=jwt.claims["iss"], reason=error.reason
        ) from None
