"""Owns refresh tokens: rotated at each use, with a grace for racing clients (RFC 9700 §4.14)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors, grants
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.grants import Grant, TokenRules
from app.extensions import Base, db, insert_once

DEAD = "The refresh token is unknown, expired or revoked; start a new authorization request."
OTHER_KEY = (
    "The refresh token is bound to a key; send a DPoP proof of the key that it was given to."
)


class RefreshToken(Base):
    """One refresh token, by digest; spent ones stay so that a replay is recognised."""

    __tablename__ = "refresh_tokens"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("grants.id"), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    spent_at: Mapped[int | None] = mapped_column(BigInteger)


def issue(rules: TokenRules, grant: Mapping[str, Any], value: str | None = None) -> str:
    """Store a refresh token of a grant; return its value."""
    token = value or credentials.new_secret(credentials.PREFIXES["refresh"])
    now = clock.epoch()
    insert_once(
        RefreshToken,
        token_digest=credentials.digest(token),
        grant_id=grant["id"],
        created_at=now,
        expires_at=min(now + rules.refresh_idle_seconds, grant["expires_at"]),
    )
    return token


def find(value: str) -> dict[str, Any] | None:
    """Return the grant of a refresh token in whatever state, or None."""
    row = db.session.execute(
        select(*Grant.__table__.c)
        .join(RefreshToken, RefreshToken.grant_id == Grant.id)
        .where(RefreshToken.token_digest == credentials.digest(value))
    ).first()
    return None if row is None else dict(row._mapping)


def find_refreshable(
    value: str, client_id: str, jkt: str | None = None, *, by: Actor
) -> dict[str, Any]:
    """Return the grant of a refresh token of this client and key; raises InvalidGrant.

    A token of another client is refused alike and its family lives on. Without the key a living
    token is worth nothing; a spent one ends the family: who first proved the key may be a thief.
    """
    grant = find(value)
    if grant is None or grant["client_id"] != client_id:
        raise errors.InvalidGrant(DEAD, reason="unknown or of another client")
    if grant["dpop_jkt"] not in (None, jkt):
        if spent_at(value) is not None:
            raise replayed(grant, by=by)
        raise errors.InvalidGrant(OTHER_KEY, reason="DPoP key differs", grant_id=grant["id"])
    return grant


def prolong(rules: TokenRules, value: str, grant: Mapping[str, Any]) -> str:
    """Let a refresh token that is not rotated live on; return it; raises InvalidGrant."""
    now = clock.epoch()
    if not grants.use(grant["id"], now):
        raise errors.InvalidGrant(DEAD, reason="grant ended", grant_id=grant["id"])
    prolonged = db.session.execute(
        update(RefreshToken)
        .where(RefreshToken.token_digest == credentials.digest(value))
        .where(RefreshToken.spent_at.is_(None), RefreshToken.expires_at > now)
        .values(expires_at=min(now + rules.refresh_idle_seconds, grant["expires_at"]))
        .returning(RefreshToken.grant_id)
        .execution_options(synchronize_session=False)
    ).first()
    if prolonged is None:
        raise errors.InvalidGrant(DEAD, reason="used or expired", grant_id=grant["id"])
    return value


def rotate(
    rules: TokenRules,
    value: str,
    grant: Mapping[str, Any],
    *,
    by: Actor,
    dpop_jkt: str | None = None,
) -> str:
    """Spend a refresh token and return its successor, bound to a key; raises InvalidGrant.

    A replay by the same client within the grace gets the same successor and binds nothing; a later
    one is theft or a defect and ends the family (RFC 9700 section 4.14.2).
    """
    now = clock.epoch()
    successor = credentials.PREFIXES["refresh"] + credentials.derive(
        rules.successor_key, "refresh", value
    )
    if not grants.use(grant["id"], now, dpop_jkt):
        raise errors.InvalidGrant(DEAD, reason="grant ended", grant_id=grant["id"])
    spent = db.session.execute(
        update(RefreshToken)
        .where(RefreshToken.token_digest == credentials.digest(value))
        .where(RefreshToken.spent_at.is_(None), RefreshToken.expires_at > now)
        .values(spent_at=now)
        .returning(RefreshToken.grant_id)
        .execution_options(synchronize_session=False)
    ).first()
    if spent is not None:
        if dpop_jkt is not None and grant["dpop_jkt"] is None:
            grants.bind(grant["id"], dpop_jkt)
        return issue(rules, grant, successor)
    first = spent_at(value)
    if first is None:
        raise errors.InvalidGrant(DEAD, reason="expired", grant_id=grant["id"])
    if max(now - first, 0) < rules.refresh_grace_seconds:  # now may be older than the lock
        return successor
    raise replayed(grant, by=by)


def spent_at(value: str) -> int | None:
    """Return when a refresh token was used first, None for one that was not."""
    token_digest = credentials.digest(value)
    return db.session.scalar(
        select(RefreshToken.spent_at).where(RefreshToken.token_digest == token_digest)
    )


def replayed(grant: Mapping[str, Any], *, by: Actor) -> errors.InvalidGrant:
    """End the family of a token that was used twice; return what its bearer is told."""
    if grants.revoke(grant["id"], "replay", by=by):
        audit.record(Tag.TOKEN_REPLAYED, grant["id"], by=by, client_id=grant["client_id"])
    return errors.InvalidGrant(DEAD, reason="replayed", grant_id=grant["id"])


def find_live(value: str) -> Mapping[str, Any] | None:
    """Return grant and end of a refresh token that could be used now, or None."""
    now = clock.epoch()
    row = db.session.execute(
        select(*Grant.__table__.c, RefreshToken.expires_at.label("token_expires_at"))
        .join(RefreshToken, RefreshToken.grant_id == Grant.id)
        .where(RefreshToken.token_digest == credentials.digest(value))
        .where(RefreshToken.spent_at.is_(None), RefreshToken.expires_at > now)
        .where(Grant.revoked_at.is_(None), Grant.expires_at > now)
    ).first()
    return None if row is None else dict(row._mapping)
