"""Owns grants: what one consent allowed one client; ending one ends its whole token family."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Row, String, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db


class Grant(Base):
    """What one consent allowed one client; all tokens of a grant form a family."""

    __tablename__ = "grants"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    scopes: Mapped[list[str]] = mapped_column(JSONValue)
    resources: Mapped[list[str]] = mapped_column(JSONValue)
    claims: Mapped[dict[str, list[str]] | None] = mapped_column(JSONValue)
    """What was asked for one by one, by place (OpenID Connect Core section 5.5)."""
    auth_time: Mapped[int] = mapped_column(BigInteger)
    methods: Mapped[str] = mapped_column(String(60), default="")
    """What the person had proven, in the words of RFC 8176 section 2."""
    sid: Mapped[str | None] = mapped_column(String(36), index=True)
    """What the client knows the session by in which the person signed in to it."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    last_used_at: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_reason: Mapped[str | None] = mapped_column(String(40))
    dpop_jkt: Mapped[str | None] = mapped_column(String(43))
    """The key without which its refresh tokens are worth nothing (RFC 9449 section 5)."""


SHORTEST_SECONDS, LONGEST_SECONDS = 30, 86400
"""Bounds of the lifetime of access tokens; retired signing keys outlive the longest."""


@dataclass(frozen=True, slots=True)
class TokenRules:
    """The settings that decide about tokens; durations in seconds."""

    issuer: str
    access_token_seconds: int
    refresh_idle_seconds: int
    refresh_absolute_seconds: int
    refresh_grace_seconds: int
    successor_key: bytes
    """Derives the successor of a refresh token, so that a replay can be answered alike."""


def open_new(
    rules: TokenRules,
    *,
    grant_id: str,
    client_id: str,
    user_id: str,
    scopes: Sequence[str],
    resources: Sequence[str],
    auth_time: int,
    methods: str = "",
    sid: str | None = None,
    claims: dict[str, list[str]] | None = None,
    dpop_jkt: str | None = None,
) -> dict[str, Any]:
    """Store a grant; return its values."""
    now = clock.epoch()
    values: dict[str, Any] = {
        "id": grant_id,
        "client_id": client_id,
        "user_id": user_id,
        "scopes": list(scopes),
        "resources": list(resources),
        "claims": claims,
        "auth_time": auth_time,
        "methods": methods,
        "sid": sid,
        "created_at": now,
        "expires_at": now + rules.refresh_absolute_seconds,
        "last_used_at": now,
        "dpop_jkt": dpop_jkt,
    }
    db.session.execute(insert(Grant), values)
    return values


def find(grant_id: str) -> Row[Any] | None:
    """Return one grant, which says whose it is: the subject of a token may be pairwise."""
    query = select(*Grant.__table__.c).where(Grant.id == grant_id)
    return db.session.execute(query).first()


def use(grant_id: str, now: int, dpop_jkt: str | None = None) -> bool:
    """Note the use of a grant that is alive; tell whether it is.

    A grant that is bound to another key is not alive for this one.
    """
    used = (
        update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None), Grant.expires_at > now)
        .values(last_used_at=now)
    )
    if dpop_jkt is not None:
        used = used.where(or_(Grant.dpop_jkt.is_(None), Grant.dpop_jkt == dpop_jkt))
    returned = used.returning(Grant.id).execution_options(synchronize_session=False)
    return db.session.execute(returned).first() is not None


def bind(grant_id: str, dpop_jkt: str) -> None:
    """Make the refresh tokens of a grant in use worth nothing without a key, for good."""
    db.session.execute(
        update(Grant)
        .where(Grant.id == grant_id)
        .values(dpop_jkt=dpop_jkt)
        .execution_options(synchronize_session=False)
    )


def revoke(grant_id: str, reason: str, *, by: Actor) -> bool:
    """End a grant and with it every token of its family; tell whether it was alive."""
    return bool(revoke_where(Grant.id == grant_id, reason, by=by))


def revoke_of_client(client_id: str, reason: str, *, by: Actor) -> int:
    """End all grants of a client; return how many."""
    return revoke_where(Grant.client_id == client_id, reason, by=by)


def revoke_of_user(user_id: str, reason: str, *, by: Actor, client_id: str | None = None) -> int:
    """End the grants of a user, all or those of one client; return how many."""
    condition = Grant.user_id == user_id
    if client_id is not None:
        condition = condition & (Grant.client_id == client_id)
    return revoke_where(condition, reason, by=by)


def revoke_where(condition: Any, reason: str, *, by: Actor) -> int:
    """End the live grants that meet a condition and record each."""
    ended = db.session.execute(
        update(Grant)
        .where(condition, Grant.revoked_at.is_(None))
        .values(revoked_at=clock.epoch(), revoked_reason=reason)
        .returning(Grant.id, Grant.client_id)
        .execution_options(synchronize_session=False)
    ).all()
    for grant_id, client_id in ended:
        audit.record(Tag.TOKEN_REVOKED, grant_id, by=by, client_id=client_id, reason=reason)
    return len(ended)


def find_latest(*, client_id: str | None = None, user_id: str | None = None) -> list[Grant]:
    """Return the latest 100 grants of a client or a user, newest first."""
    query = select(Grant).order_by(Grant.id.desc()).limit(100)
    if client_id is not None:
        query = query.where(Grant.client_id == client_id)
    if user_id is not None:
        query = query.where(Grant.user_id == user_id)
    return list(db.session.scalars(query))
