"""Owns how people come to a new password: by the one they have, or by a one-time link."""

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors, password_sign_in, passwords, sign_in, users
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.passwords import Passwords
from app.domain.users import User
from app.extensions import Base, db

LIFETIME_SECONDS = 3600
WRONG = "This is not the password you have now."
DEAD = (
    "The link was used, replaced or is too old; ask an administrator of this server for a new one."
)
DISABLED = "The account is disabled; enable it first."


class PasswordLink(Base):
    """The token of one link, by digest; whoever has it may set the password of one account."""

    __tablename__ = "password_links"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


def change(user: User, old: str, new: str, hasher: Passwords, *, by: Actor) -> int:
    """Change a password by the one before; return how many grants ended with the sessions.

    Raises InvalidRequest for a weak new one, AccessDenied for a wrong old one, which counts like a
    failed sign-in, and TooManyRequests.
    """
    passwords.check(new, user.email)
    try:
        proven = password_sign_in.prove(user.email, old, hasher, by=by)
        password_hash = hasher.hash(new)  # before anything is written: others would wait for it
        password_sign_in.check_held(proven)
    except errors.AccessDenied:
        raise errors.AccessDenied(WRONG) from None
    sign_in.forget(sign_in.keys(user.email, by.address)["account"])
    withdraw(proven.id)
    return users.set_password(proven, password_hash, by=by)


def issue(user: User, *, by: Actor) -> str:
    """Make a link for an account, ending the one before; return its token."""
    if user.disabled_at is not None:
        raise errors.Conflict(DISABLED)
    withdraw(user.id)
    value, expires_at = credentials.new_secret(), clock.epoch() + LIFETIME_SECONDS
    token_digest = credentials.digest(value)
    db.session.add(PasswordLink(token_digest=token_digest, user_id=user.id, expires_at=expires_at))
    audit.record(Tag.USER_PASSWORD_LINK_MADE, user.id, by=by, email=user.email)
    return value


def link_of(issuer: str, token: str) -> str:
    """Return a link; the token stands behind the #, where no log of a server sees it."""
    return f"{issuer}/account/new-password#token={token}"


def redeem(value: str, password: str, hasher: Passwords, *, by: Actor) -> User:
    """Set the password of an account with a token, which is used up by it; raises AccessDenied.

    A password that is refused, with InvalidRequest, leaves the token as it is.
    """
    user = owner(value)
    passwords.check(password, user.email)
    password_hash = hasher.hash(password)
    spend(value)
    withdraw(user.id)
    users.set_password(user, password_hash, by=users.acting(user, by))
    return user


def owner(value: str) -> User:
    """Return the enabled account that a token is for; raises AccessDenied."""
    query = select(User).join(PasswordLink).where(usable(value), User.disabled_at.is_(None))
    user = db.session.scalar(query)
    if user is None:
        raise errors.AccessDenied(DEAD)
    return user


def spend(value: str) -> None:
    """Use a token up; raises AccessDenied when somebody else did."""
    spent = db.session.execute(
        delete(PasswordLink)
        .where(usable(value))
        .returning(PasswordLink.token_digest)
        .execution_options(synchronize_session=False)
    ).first()
    if spent is None:
        raise errors.AccessDenied(DEAD)


def usable(value: str) -> ColumnElement[bool]:
    """Return the condition of the link with a token, while it counts."""
    digest = credentials.digest(value)
    return (PasswordLink.token_digest == digest) & (PasswordLink.expires_at > clock.epoch())


def withdraw(user_id: str) -> None:
    """End the links of an account."""
    db.session.execute(
        delete(PasswordLink)
        .where(PasswordLink.user_id == user_id)
        .execution_options(synchronize_session=False)
    )
