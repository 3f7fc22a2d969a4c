"""Owns initial access tokens: who may register when registration needs a token (RFC 7591 §3)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Integer, String, and_, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors, obligations, rule_comparisons
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.obligations import NO_TERMS, Obligations, Terms, TokenVerdict
from app.extensions import Base, JSONValue, db

REFUSED = (
    "The initial access token is unknown, used up, expired, revoked or not for your network;"
    " ask the operators of this server for a new one."
)
NAME_LENGTH, TEXT_LENGTH = 100, 200
STATIC = "static"
"""Identifier of the token that comes from the environment."""


class InitialAccessToken(Base):
    """One initial access token; its value is shown once and only its digest is kept."""

    __tablename__ = "initial_access_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    uses_left: Mapped[int | None] = mapped_column(Integer)
    """None means any number of uses."""
    used_count: Mapped[int] = mapped_column(Integer, default=0)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(255))
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    purpose: Mapped[str] = mapped_column(String(TEXT_LENGTH))
    owner: Mapped[str] = mapped_column(String(TEXT_LENGTH))
    """Who answers for it, in the operators' own words."""
    networks: Mapped[list[str]] = mapped_column(JSONValue)
    """Where it may come from; an empty list means from anywhere."""
    verdict: Mapped[TokenVerdict] = mapped_column(String(8))
    scopes: Mapped[list[str] | None] = mapped_column(JSONValue)
    resources: Mapped[list[str] | None] = mapped_column(JSONValue)
    access_token_seconds: Mapped[int | None] = mapped_column(Integer)
    approve_days: Mapped[int | None] = mapped_column(Integer)


def create(
    name: str,
    *,
    by: Actor,
    uses: int | None = None,
    expires_at: int | None = None,
    purpose: str = "",
    owner: str = "",
    networks: Sequence[str] = (),
    terms: Terms = NO_TERMS,
) -> tuple[InitialAccessToken, str]:
    """Make a token; return its row and its value, which nobody can read again.

    ``networks`` and the bounds of ``terms`` are read by the caller's door as those of rules.
    """
    value = credentials.new_secret(credentials.PREFIXES["initial"])
    row = InitialAccessToken(
        id=credentials.new_id(),
        name=name,
        purpose=purpose,
        owner=owner,
        networks=list(networks),
        verdict=terms.verdict,
        **stored(terms.bounds),
        token_digest=credentials.digest(value),
        uses_left=uses,
        used_count=0,
        expires_at=expires_at,
        created_at=clock.epoch(),
        created_by=by.name or by.kind,
    )
    db.session.add(row)
    audit.record(Tag.INITIAL_TOKEN_CREATED, row.id, by=by, uses=uses, **facts(row))
    return row, value


def stored(bounds: Obligations) -> dict[str, Any]:
    """Return bounds as columns; those that do not bound are left out and become NULL."""
    return {name: value for name, value in asdict(bounds).items() if value is not None}


def facts(row: InitialAccessToken) -> dict[str, Any]:
    """Return what was laid down about a token when it was made; nothing of its value."""
    return {
        "name": row.name,
        "purpose": row.purpose,
        "owner": row.owner,
        "expires_at": row.expires_at,
        "networks": row.networks,
        "verdict": row.verdict,
        **asdict(bounds_of(row)),
    }


def find_all() -> Sequence[InitialAccessToken]:
    """Return all tokens, newest first."""
    return db.session.scalars(
        select(InitialAccessToken).order_by(InitialAccessToken.id.desc())
    ).all()


def count_ending(now: int, within_seconds: int) -> int:
    """Return how many tokens are used up, or expire within so many seconds."""
    row = InitialAccessToken
    used_up = and_(row.uses_left <= 0, or_(row.expires_at.is_(None), row.expires_at > now))
    expiring = and_(row.expires_at > now, row.expires_at <= now + within_seconds)
    query = select(func.count()).where(row.revoked_at.is_(None), or_(used_up, expiring))
    return int(db.session.scalar(query) or 0)


def find(token_id: str) -> InitialAccessToken | None:
    """Return one token."""
    return None if "\0" in token_id else db.session.get(InitialAccessToken, token_id)


def get(token_id: str) -> InitialAccessToken:
    """Return one token; raises NotFound."""
    row = find(token_id)
    if row is None:
        raise errors.NotFound("There is no initial access token with this identifier.")
    return row


def check(value: str, static_token: str, address: str = "") -> str:
    """Return the identifier of a token that is usable from an address, without using it.

    Raises InvalidToken with the same sentence whatever is wrong; the audit trail says what is.
    """
    if static_token and credentials.matches(value, credentials.digest(static_token)):
        return STATIC
    row = find_by_value(value)
    if row is None:
        raise errors.InvalidToken(REFUSED, reason="unknown token")
    found = state(row, clock.epoch())
    if found == "usable" and not comes_from(row, address):
        found = "outside its networks"
    if found != "usable":
        raise errors.InvalidToken(REFUSED, reason=found, initial_access_token=row.id)
    return row.id


def comes_from(row: InitialAccessToken, address: str) -> bool:
    """Tell whether a token may be used from an address."""
    if not row.networks:
        return True
    return any(rule_comparisons.is_in_network(address, network) for network in row.networks)


def terms(token_id: str | None, came_with: str | None = None) -> Terms | None:
    """Return the terms of a token, or without one what holds on of that a client came with."""
    row = find(token_id or came_with or "")
    if row is None:
        return None
    said = Terms(row.verdict, bounds_of(row))
    return said if token_id else said.afterwards()


def actor(token_id: str) -> Actor:
    """Return a token as who lets something in; raises NotFound."""
    row = get(token_id)
    return Actor("initial_token", row.id, f"initial access token {row.name}")


def bounds_of(row: InitialAccessToken) -> Obligations:
    """Return what bounds everything that registers with a token."""
    return Obligations(
        obligations.as_ceiling(row.scopes),
        obligations.as_ceiling(row.resources),
        row.access_token_seconds,
        row.approve_days,
    )


def redeem(token_id: str, *, by: Actor) -> None:
    """Use a token once; raises InvalidToken when another registration took the last use."""
    if token_id == STATIC:
        audit.record(Tag.INITIAL_TOKEN_USED, STATIC, by=by)
        return
    now = clock.epoch()
    row = InitialAccessToken
    taken = db.session.execute(
        update(row)
        .where(row.id == token_id, row.revoked_at.is_(None))
        .where(or_(row.uses_left.is_(None), row.uses_left > 0))
        .where(or_(row.expires_at.is_(None), row.expires_at > now))
        .values(uses_left=row.uses_left - 1, used_count=row.used_count + 1, last_used_at=now)
        .returning(row.uses_left)
        .execution_options(synchronize_session=False)
    ).all()
    if not taken:
        raise errors.InvalidToken(REFUSED)
    audit.record(Tag.INITIAL_TOKEN_USED, token_id, by=by, uses_left=taken[0][0])


def revoke(token_id: str, *, by: Actor) -> InitialAccessToken:
    """End a token; clients that it made stay."""
    row = get(token_id)
    if row.revoked_at is None:
        row.revoked_at = clock.epoch()
        audit.record(Tag.INITIAL_TOKEN_REVOKED, row.id, by=by, name=row.name)
    return row


def find_by_value(value: str) -> InitialAccessToken | None:
    """Look a token up by the digest of its value."""
    return db.session.scalar(
        select(InitialAccessToken).where(
            InitialAccessToken.token_digest == credentials.digest(value)
        )
    )


def state(row: InitialAccessToken, now: int) -> str:
    """Return ``usable``, or why a token cannot register a client at this moment."""
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "usable" if row.uses_left is None or row.uses_left > 0 else "used up"
