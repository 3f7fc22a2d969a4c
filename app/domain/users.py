"""Owns the accounts of people: end-users and operators alike."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import BigInteger, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import (
    audit,
    connection_grants,
    consents,
    credentials,
    errors,
    grants,
    passwords,
    sessions,
    sign_in,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.passwords import Passwords
from app.extensions import Base, db

ROLES = ("member", "viewer", "approver", "admin")
"""Each role may do what the ones before it may."""
EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}\Z")
WRONG = "The e-mail address or the password is wrong."


class User(Base):
    """One account; its ``id`` is the ``sub`` of tokens and never looks like a client_id."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[int] = mapped_column(BigInteger)
    disabled_at: Mapped[int | None] = mapped_column(BigInteger)
    last_sign_in_at: Mapped[int | None] = mapped_column(BigInteger)


def may(user: User, role: str) -> bool:
    """Tell whether a user's role includes ``role``."""
    return ROLES.index(user.role) >= ROLES.index(role)


def create(email: str, role: str, password: str, hasher: Passwords, *, by: Actor) -> User:
    """Create an account; ``email`` is compared without case."""
    address = email.strip().casefold()
    if not EMAIL.match(address):
        raise errors.InvalidRequest("This is not an e-mail address.")
    if role not in ROLES:
        raise errors.InvalidRequest("The role must be member, viewer, approver or admin.")
    passwords.check(password, address)
    if find_by_email(address) is not None:
        raise errors.Conflict("There is an account with this e-mail address already.")
    user = User(
        id=f"u-{credentials.new_id()}",
        email=address,
        role=role,
        password_hash=hasher.hash(password),
        created_at=clock.epoch(),
    )
    db.session.add(user)
    db.session.flush()
    audit.record(Tag.USER_CREATED, user.id, by=by, email=address, role=role)
    return user


def find(user_id: str) -> User | None:
    """Return one account."""
    return db.session.get(User, user_id)


def is_enabled(user_id: str) -> bool:
    """Tell whether an account may sign in; for the token path, which loads no account."""
    query = select(User.id).where(User.id == user_id, User.disabled_at.is_(None))
    return db.session.scalar(query) is not None


def emails(user_ids: Iterable[str]) -> dict[str, str]:
    """Return the e-mail addresses of some accounts by identifier."""
    query = select(User.id, User.email).where(User.id.in_(set(user_ids)))
    return {row.id: row.email for row in db.session.execute(query)}


def find_by_email(email: str) -> User | None:
    """Return the account with an e-mail address."""
    if "\0" in email:
        return None
    return db.session.scalar(select(User).where(User.email == email.strip().casefold()))


def find_all() -> Sequence[User]:
    """Return the first 500 accounts by e-mail address."""
    return db.session.scalars(select(User).order_by(User.email).limit(500)).all()


def has_admin() -> bool:
    """Tell whether somebody can administer this server."""
    query = select(func.count()).where(User.role == "admin", User.disabled_at.is_(None))
    return bool(db.session.scalar(query))


def authenticate(email: str, password: str, hasher: Passwords, *, by: Actor) -> User:
    """Return the user with this password and record the sign-in; raises AccessDenied.

    Unknown, disabled and wrong are answered alike and take the same time. No transaction is open
    while the password is hashed.
    """
    keys = sign_in.keys(email, by.address)
    wait = sign_in.seconds_to_wait(keys.values())
    user = find_by_email(email)
    encoded = user.password_hash if user is not None and user.disabled_at is None else None
    db.session.rollback()
    if wait:
        raise errors.TooManyRequests(
            "Too many failed attempts; wait before trying again.",
            retry_after=wait,
            account=keys["account"][:16],
        )
    if not hasher.verify(encoded, password):
        sign_in.note_failure(keys)
        audit.record(Tag.USER_SIGN_IN_FAILED, "", by=by, account=keys["account"][:16])
        raise errors.AccessDenied(WRONG)
    user = find_by_email(email)
    if user is None or user.disabled_at is not None:
        raise errors.AccessDenied(WRONG)
    if hasher.is_outdated(user.password_hash or ""):
        user.password_hash = hasher.hash(password)
    sign_in.forget(keys["account"])
    user.last_sign_in_at = clock.epoch()
    person = replace(by, kind="user", id=user.id, name=user.email)
    audit.record(Tag.USER_SIGNED_IN, user.id, by=person, email=user.email)
    return user


def change_role(user: User, role: str, *, by: Actor) -> None:
    """Give a user another role; takes effect with the next request."""
    if role not in ROLES:
        raise errors.InvalidRequest("The role must be member, viewer, approver or admin.")
    audit.record(Tag.USER_ROLE_CHANGED, user.id, by=by, before=user.role, after=role)
    user.role = role
    sessions.end_of_user(user.id)


def disable(user: User, *, by: Actor) -> None:
    """Lock an account and end its sessions, grants, codes and consents."""
    user.disabled_at = clock.epoch()
    sessions.end_of_user(user.id)
    grants.revoke_of_user(user.id, "user disabled", by=by)
    consents.revoke(user_id=user.id, by=by)
    connection_grants.forget_of_user(user.id, "user disabled", by=by)
    audit.record(Tag.USER_DISABLED, user.id, by=by, email=user.email)
