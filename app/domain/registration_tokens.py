"""Owns initial access tokens: who may register when registration needs a token (RFC 7591 §3)."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Integer, String, and_, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, db

REFUSED = (
    "The initial access token is unknown, used up, expired or revoked;"
    " ask the operators of this server for a new one."
)
STATIC = "static"
"""Identifier of the token that comes from the environment."""


class InitialAccessToken(Base):
    """One initial access token; its value is shown once and only its digest is kept."""

    __tablename__ = "initial_access_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    uses_left: Mapped[int | None] = mapped_column(Integer)
    """None means any number of uses."""
    used_count: Mapped[int] = mapped_column(Integer, default=0)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(255))
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)


def create(
    name: str, *, by: Actor, uses: int | None = None, expires_at: int | None = None
) -> tuple[InitialAccessToken, str]:
    """Make a token; return its row and its value, which nobody can read again."""
    value = credentials.new_secret(credentials.PREFIXES["initial"])
    row = InitialAccessToken(
        id=credentials.new_id(),
        name=name,
        token_digest=credentials.digest(value),
        uses_left=uses,
        used_count=0,
        expires_at=expires_at,
        created_at=clock.epoch(),
        created_by=by.name or by.kind,
    )
    db.session.add(row)
    audit.record(
        Tag.INITIAL_TOKEN_CREATED, row.id, by=by, name=name, uses=uses, expires_at=expires_at
    )
    return row, value


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


def get(token_id: str) -> InitialAccessToken:
    """Return one token; raises NotFound."""
    row = db.session.get(InitialAccessToken, token_id)
    if row is None:
        raise errors.NotFound("There is no initial access token with this identifier.")
    return row


def check(value: str, static_token: str) -> str:
    """Return the identifier of a usable token without using it; raises InvalidToken."""
    if static_token and credentials.matches(value, credentials.digest(static_token)):
        return STATIC
    row = find_by_value(value)
    if row is None or not usable(row, clock.epoch()):
        raise errors.InvalidToken(REFUSED)
    return row.id


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


def usable(row: InitialAccessToken, now: int) -> bool:
    """Tell whether a token could register a client at this moment."""
    return (
        row.revoked_at is None
        and (row.uses_left is None or row.uses_left > 0)
        and (row.expires_at is None or row.expires_at > now)
    )
