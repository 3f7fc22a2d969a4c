"""Owns the one-time link with which the first administrator is created."""

from sqlalchemy import BigInteger, String, delete
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors, users
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.passwords import Passwords
from app.domain.users import User
from app.extensions import Base, db

LIFETIME_SECONDS = 3600


class SetupLink(Base):
    """The token of the link, by digest; there is at most one."""

    __tablename__ = "setup_links"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger)


def issue(*, by: Actor) -> str:
    """Make a new token, ending the one before; raises Conflict once there is an administrator."""
    if users.has_admin():
        raise errors.Conflict("There is an administrator already; sign in as one.")
    value = credentials.new_secret()
    db.session.execute(delete(SetupLink))
    db.session.add(
        SetupLink(
            token_digest=credentials.digest(value),
            expires_at=clock.epoch() + LIFETIME_SECONDS,
        )
    )
    audit.record(Tag.SETUP_LINK_MADE, "", by=by)
    return value


def redeem(value: str, email: str, password: str, hasher: Passwords, *, by: Actor) -> User:
    """Create the first administrator with the token, which is used up by it."""
    spent = db.session.execute(
        delete(SetupLink)
        .where(SetupLink.token_digest == credentials.digest(value))
        .where(SetupLink.expires_at > clock.epoch())
        .returning(SetupLink.token_digest)
        .execution_options(synchronize_session=False)
    ).first()
    if spent is None or users.has_admin():
        raise errors.AccessDenied(
            "The setup link was used or is too old; make a new one with gatewright user setup-link."
        )
    return users.create(email, "admin", password, hasher, by=by)
