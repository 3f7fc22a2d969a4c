"""Owns the challenges that passkeys sign: bound to a browser, answered once in time."""

from sqlalchemy import BigInteger, String, delete, insert
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials
from app.extensions import Base, db

LIFETIME_SECONDS = 300


class PasskeyChallenge(Base):
    """One challenge, by its digest; ``user_id`` is set when an account adds a passkey."""

    __tablename__ = "passkey_challenges"

    challenge_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser_digest: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[str | None] = mapped_column(String(40))
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


def issue(browser: str, user_id: str | None = None) -> str:
    """Store a challenge for a browser, which a secret of its own names."""
    challenge = credentials.new_secret()
    values = {
        "challenge_digest": credentials.digest(challenge),
        "browser_digest": credentials.digest(browser),
        "user_id": user_id,
        "expires_at": clock.epoch() + LIFETIME_SECONDS,
    }
    db.session.execute(insert(PasskeyChallenge), values)
    return challenge


def spend(challenge: str, browser: str, user_id: str | None = None) -> bool:
    """Use a challenge up; tell whether it was one of this browser, for this, and in time."""
    row = PasskeyChallenge
    mine = row.user_id.is_(None) if user_id is None else row.user_id == user_id
    spent = db.session.execute(
        delete(row)
        .where(row.challenge_digest == credentials.digest(challenge))
        .where(row.browser_digest == credentials.digest(browser), mine)
        .where(row.expires_at > clock.epoch())
        .returning(row.challenge_digest)
        .execution_options(synchronize_session=False)
    ).first()
    return spent is not None
