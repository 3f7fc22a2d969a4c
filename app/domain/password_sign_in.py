"""Owns proving who one is by a password, and counting those who cannot."""

from app.domain import audit, errors, sign_in, users
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.passwords import Passwords
from app.domain.users import User
from app.extensions import db

WRONG = "The e-mail address or the password is wrong."


def authenticate(email: str, password: str, hasher: Passwords, *, by: Actor) -> User:
    """Return the user with this password, hashed as is usual now; raises AccessDenied.

    Who changes the password waits for the session that begins now, and ends it.
    """
    user = prove(email, password, hasher, by=by)
    is_outdated = hasher.is_outdated(user.password_hash or "")
    renewed = hasher.hash(password) if is_outdated else None
    check_held(user)
    if renewed is not None:
        user.password_hash = renewed
    sign_in.forget(sign_in.keys(email, by.address)["account"])
    return user


def prove(email: str, password: str, hasher: Passwords, *, by: Actor) -> User:
    """Return the user with this password; raises AccessDenied, and counts the failure.

    Unknown, disabled and wrong are answered alike and take the same time. No transaction is open
    while the password is hashed, and a success has written nothing: whoever calls may hash more.
    """
    keys = sign_in.keys(email, by.address)
    wait = sign_in.seconds_to_wait(keys.values())
    user = users.find_by_email(email)
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
    user = users.find_by_email(email)
    if user is None or user.disabled_at is not None or user.password_hash != encoded:
        raise errors.AccessDenied(WRONG)
    return user


def check_held(user: User) -> None:
    """Raise AccessDenied when what a user has proven is no longer so; from now on it stays."""
    if not users.hold(user):
        raise errors.AccessDenied(WRONG)
