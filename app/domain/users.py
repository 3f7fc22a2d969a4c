"""Owns the accounts of people: end-users and operators alike."""

import re
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import BigInteger, String, false, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import (
    audit,
    connection_grants,
    connections,
    consents,
    credentials,
    errors,
    federated_identities,
    grants,
    passwords,
    sessions,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.connections import Remains
from app.domain.passwords import Passwords
from app.extensions import Base, db, insert_once

ROLES = ("member", "viewer", "approver", "admin")
"""Each role may do what the ones before it may."""
EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}\Z")
OWN = "Nobody changes the role of their own account or disables it; ask another administrator."
LAST = "This is the last administrator; make somebody else an administrator first."


class User(Base):
    """One account; its ``id`` is the ``sub`` of tokens and never looks like a client_id."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str | None] = mapped_column(String(200))
    """What people call them; apps read it that may read the profile."""
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[int] = mapped_column(BigInteger)
    disabled_at: Mapped[int | None] = mapped_column(BigInteger)
    last_sign_in_at: Mapped[int | None] = mapped_column(BigInteger)


HAS_WAY = User.password_hash.is_not(None) | federated_identities.belong_to(User.id)
"""The condition of accounts that somebody can sign in to unless they are disabled."""


def may(user: User, role: str) -> bool:
    """Tell whether a user's role includes ``role``."""
    return ROLES.index(user.role) >= ROLES.index(role)


def create(email: str, role: str, password: str, hasher: Passwords, *, by: Actor) -> User:
    """Create an account; ``email`` is compared without case."""
    address = check(email, role)
    passwords.check(password, address)
    return add(address, role, hasher.hash(password), by=by)


def invite(email: str, role: str, *, by: Actor) -> User:
    """Create an account without a password, which nobody can sign in to until it has one."""
    return add(check(email, role), role, None, by=by)


def check(email: str, role: str) -> str:
    """Return an e-mail address as accounts have it; raises InvalidRequest."""
    address = email.strip().casefold()
    if not EMAIL.match(address):
        raise errors.InvalidRequest("This is not an e-mail address.")
    if role not in ROLES:
        raise errors.InvalidRequest("The role must be member, viewer, approver or admin.")
    return address


def add(address: str, role: str, password_hash: str | None, *, by: Actor) -> User:
    """Store an account; raises Conflict for an address that has one."""
    user_id = f"u-{credentials.new_id()}"
    fresh = insert_once(
        User,
        id=user_id,
        email=address,
        role=role,
        password_hash=password_hash,
        created_at=clock.epoch(),
    )
    if not fresh:
        raise errors.Conflict("There is an account with this e-mail address already.")
    audit.record(Tag.USER_CREATED, user_id, by=by, email=address, role=role)
    return db.session.get_one(User, user_id)


def find(user_id: str) -> User | None:
    """Return one account."""
    return db.session.get(User, user_id)


def get(user_id: str) -> User:
    """Return one account; raises NotFound."""
    user = None if "\0" in user_id else find(user_id)
    if user is None:
        raise errors.NotFound("There is no account with this identifier.")
    return user


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


def has_admin() -> bool:
    """Tell whether somebody can administer this server."""
    query = select(func.count()).where(User.role == "admin", User.disabled_at.is_(None))
    return bool(db.session.scalar(query))


def note_sign_in(user: User, methods: Iterable[str], *, by: Actor) -> None:
    """Record that somebody has proved all that was asked for, by which methods (RFC 8176)."""
    user.last_sign_in_at = clock.epoch()
    who, told = acting(user, by), list(methods)
    audit.record(Tag.USER_SIGNED_IN, user.id, by=who, email=user.email, methods=told)


def acting(user: User, by: Actor) -> Actor:
    """Return the actor of a request that somebody proved to be this user in."""
    return replace(by, kind="user", id=user.id, name=user.email)


def change_role(user: User, role: str, *, by: Actor) -> None:
    """Give a user another role; takes effect with the next request."""
    if role not in ROLES:
        raise errors.InvalidRequest("The role must be member, viewer, approver or admin.")
    admins = govern(user, by=by)
    if user.role == role:
        raise errors.Conflict("The account has this role already.")
    if admins == {user.id}:
        raise errors.Conflict(LAST)
    audit.record(Tag.USER_ROLE_CHANGED, user.id, by=by, before=user.role, after=role)
    user.role = role
    sessions.end_of_user(user.id)


def disable(user: User, *, by: Actor) -> list[Remains]:
    """Lock an account and end its sessions, grants, codes and consents.

    Returns what is left of it at other servers, to be ended there after the commit.
    """
    admins = govern(user, by=by)
    if user.disabled_at is not None:
        raise errors.Conflict("The account is disabled already.")
    if admins == {user.id}:
        raise errors.Conflict(LAST)
    user.disabled_at = clock.epoch()
    sessions.end_of_user(user.id)
    grants.revoke_of_user(user.id, "user disabled", by=by)
    consents.revoke(user_id=user.id, by=by)
    left = connection_grants.forget_of_user(user.id, "user disabled", by=by)
    audit.record(Tag.USER_DISABLED, user.id, by=by, email=user.email)
    return connections.remains(left)


def enable(user: User, *, by: Actor) -> None:
    """Let somebody who was disabled sign in again; what had ended stays ended."""
    if user.disabled_at is None:
        raise errors.Conflict("The account is not disabled.")
    user.disabled_at = None
    audit.record(Tag.USER_ENABLED, user.id, by=by, email=user.email)


def hold(user: User) -> bool:
    """Let nobody change an account until this transaction ends; tell whether nobody has lately.

    That is since ``user`` was read: its password and whether it is disabled.
    """
    proven = user.password_hash, user.disabled_at
    db.session.execute(update(User).where(false()).values(role=User.role))  # SQLite waits here
    db.session.refresh(user, with_for_update={"key_share": True})
    return (user.password_hash, user.disabled_at) == proven


def govern(user: User, *, by: Actor) -> set[str]:
    """Read an account anew that is about to change; return which administrators can sign in.

    They stay administrators until this transaction ends. Raises Conflict for the own account.
    """
    if by.id == user.id:
        raise errors.Conflict(OWN)
    db.session.execute(update(User).where(false()).values(role=User.role))  # SQLite waits here
    active = select(User.id).where(User.disabled_at.is_(None), HAS_WAY)
    admins = active.where(User.role == "admin").order_by(User.id)
    found = set(db.session.scalars(admins.with_for_update(key_share=True)))
    db.session.refresh(user)
    return found


def set_password(user: User, password_hash: str, *, by: Actor) -> int:
    """Give an account another password; its sessions and grants end (N-096). Returns how many."""
    user.password_hash = password_hash
    sessions.end_of_user(user.id)
    ended = grants.revoke_of_user(user.id, "password changed", by=by)
    audit.record(Tag.USER_PASSWORD_CHANGED, user.id, by=by, email=user.email, grants=ended)
    return ended
