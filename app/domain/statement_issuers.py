"""Owns the issuers of software statements that operators trust, and what each may vouch for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import (
    audit,
    client_keys,
    client_texts,
    credentials,
    errors,
    foreign_jwts,
    json_objects,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db, insert_once

ISSUER_LENGTH, NOTE_LENGTH = 500, 500
SOFTWARE_IDS = 100
JWKS_BYTES = 65_536
UNTRUSTED = (
    "This server does not trust the issuer of the software statement;"
    " register without one or ask the operators of this server."
)

_ISSUER = re.compile(rf"[\x21-\x7e]{{1,{ISSUER_LENGTH}}}")


class StatementIssuer(Base):
    """Somebody whose signed statements about software count."""

    __tablename__ = "statement_issuers"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(ISSUER_LENGTH), unique=True)
    """The ``iss`` of its statements, character by character."""
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSONValue)
    """Its public keys; None when they are fetched."""
    jwks_uri: Mapped[str] = mapped_column(String(2048))
    """Where its public keys are fetched; empty when they are kept here."""
    algorithms: Mapped[list[str]] = mapped_column(JSONValue)
    software_ids: Mapped[list[str]] = mapped_column(JSONValue)
    """The software it may vouch for; an empty list is all software."""
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(255))


def create(
    issuer: str,
    *,
    by: Actor,
    ours: str,
    algorithms: Iterable[str],
    jwks: object = None,
    jwks_uri: str = "",
    software_ids: Iterable[str] = (),
    note: str = "",
) -> StatementIssuer:
    """Trust an issuer from now on; ``ours`` is this server's own.

    Raises InvalidRequest or InvalidClientMetadata for what cannot be, Conflict for an issuer that
    is trusted already.
    """
    check_issuer(issuer, ours)
    keys, uri = read_keys(jwks, jwks_uri)
    fresh = insert_once(
        StatementIssuer,
        id=credentials.new_id(),
        issuer=issuer,
        jwks=keys,
        jwks_uri=uri,
        algorithms=read_algorithms(algorithms),
        software_ids=read_software_ids(software_ids),
        note=note,
        created_at=clock.epoch(),
        created_by=by.name or by.kind,
    )
    if not fresh:
        raise errors.Conflict("This issuer is trusted already; remove it first to change it.")
    row = trusted(issuer)
    audit.record(Tag.STATEMENT_ISSUER_CREATED, row.id, by=by, **facts(row))
    return row


def remove(issuer_id: str, *, by: Actor) -> StatementIssuer:
    """Trust an issuer no longer; clients that came with its statements stay."""
    row = get(issuer_id)
    gone = db.session.execute(
        delete(StatementIssuer)
        .where(StatementIssuer.id == row.id)
        .returning(StatementIssuer.id)
        .execution_options(synchronize_session=False)
    ).first()
    if gone is None:
        raise not_found()
    audit.record(Tag.STATEMENT_ISSUER_REMOVED, row.id, by=by, **facts(row))
    return row


def find_all() -> Sequence[StatementIssuer]:
    """Return all trusted issuers in alphabetical order."""
    return db.session.scalars(select(StatementIssuer).order_by(StatementIssuer.issuer)).all()


def get(issuer_id: str) -> StatementIssuer:
    """Return one issuer by its identifier; raises NotFound."""
    row = db.session.get(StatementIssuer, issuer_id)
    if row is None:
        raise not_found()
    return row


def find(issuer: str) -> StatementIssuer | None:
    """Return a trusted issuer by the ``iss`` of its statements."""
    return db.session.scalar(select(StatementIssuer).where(StatementIssuer.issuer == issuer))


def trusted(issuer: str) -> StatementIssuer:
    """Return a trusted issuer; raises UnapprovedSoftwareStatement for any other."""
    row = find(issuer)
    if row is None:
        raise errors.UnapprovedSoftwareStatement(UNTRUSTED, statement_issuer=issuer)
    return row


def not_found() -> errors.NotFound:
    """Return the refusal for an issuer that is not there."""
    return errors.NotFound("There is no trusted issuer with this identifier.")


def is_issuer(value: object) -> bool:
    """Tell whether something can be the ``iss`` of a statement."""
    return isinstance(value, str) and _ISSUER.fullmatch(value) is not None


def check_issuer(issuer: str, ours: str) -> None:
    """Refuse what no statement can name, and this server itself, which needs no row."""
    if not is_issuer(issuer):
        raise errors.InvalidRequest(
            "An issuer has 1 to 500 printable ASCII characters without spaces; usually it is a URL."
        )
    if issuer == ours:
        raise errors.InvalidRequest("Statements of this server itself are trusted already.")


def read_keys(jwks: object, jwks_uri: str) -> tuple[dict[str, Any] | None, str]:
    """Return the keys, or else the URL where they are fetched."""
    if (jwks is None) == (not jwks_uri):
        raise errors.InvalidRequest("Give either the keys or the URL where they are, not both.")
    if jwks is None:
        return None, client_texts.https_url("jwks_uri", jwks_uri)
    return client_keys.key_set("jwks", jwks), ""


def pasted_keys(content: bytes) -> dict[str, object]:
    """Return the JWK set that an operator gives by hand, not yet checked as one."""
    refusal = errors.InvalidRequest(
        "The keys must be a JWK set in JSON: an object whose keys member lists public keys."
    )
    return json_objects.pasted(content, JWKS_BYTES, refusal)


def read_algorithms(algorithms: Iterable[str]) -> list[str]:
    """Return the algorithms that its statements may be signed with."""
    wanted = set(algorithms)
    if not wanted or not wanted <= set(foreign_jwts.ALGORITHMS):
        raise errors.InvalidRequest(
            "Name at least one algorithm, and only asymmetric ones such as ES256 or RS256."
        )
    return [name for name in foreign_jwts.ALGORITHMS if name in wanted]


def read_software_ids(software_ids: Iterable[str]) -> list[str]:
    """Return the software that it may vouch for."""
    read = [client_texts.label("software_id", each) for each in software_ids]
    found = list(dict.fromkeys(each for each in read if each))
    if len(found) > SOFTWARE_IDS:
        raise errors.InvalidRequest("An issuer may list at most 100 software ids.")
    return found


def facts(row: StatementIssuer) -> Mapping[str, Any]:
    """Return what is told of an issuer; its keys are public."""
    return {
        "issuer": row.issuer,
        "jwks_uri": row.jwks_uri,
        "jwks": row.jwks,
        "algorithms": list(row.algorithms),
        "software_ids": list(row.software_ids),
        "note": row.note,
    }
