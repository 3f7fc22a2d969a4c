"""Owns what people prove beside their password: enrolling, proving once, removing and resetting."""

from app.domain import (
    audit,
    authenticators,
    errors,
    passkey_ceremonies,
    passkeys,
    recovery_codes,
    sessions,
    sign_in,
    users,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.passkey_ceremonies import FAILED, Registered, Site
from app.domain.users import User

ONE_TIME, KEY, MULTIPLE = "otp", "pop", "mfa"
"""Methods of a sign-in (RFC 8176 section 2)."""
LONGEST = 40
WRONG = "This code is wrong, was used already, or is too old."
UNPROVEN = "This is not the code that the app shows now; look at the app again."
NO_PASSKEY = "Your account has no such passkey."
TAKEN = "Your account has an authenticator app already; remove it first."
NONE = "The account has no second factor."
OWN = "Nobody resets their own second factor; ask another administrator of this server."


def has(user_id: str) -> bool:
    """Tell whether an account has a second factor."""
    return authenticators.find(user_id) is not None or passkeys.holds(user_id)


def prove(user: User, typed: str, key: bytes, *, by: Actor) -> None:
    """Use up a code of the app or a recovery code; raises AccessDenied and counts the failure.

    Failures count apart from those of the password, which a right password forgets.
    """
    who, throttles = users.acting(user, by), sign_in.factor_keys(user.id, by.address)
    wait = sign_in.seconds_to_wait(throttles.values())
    if wait:
        raise errors.TooManyRequests(
            "Too many wrong codes; wait before trying again.", retry_after=wait
        )
    if not spend(user.id, typed, key, by=who):
        sign_in.note_failure(throttles)
        audit.record(Tag.USER_FACTOR_FAILED, user.id, by=who)
        raise errors.AccessDenied(WRONG)
    sign_in.forget(throttles["account"])


def prove_by_passkey(site: Site, text: str, browser: str, half: User | None, *, by: Actor) -> User:
    """Return whose passkey signed an answer in this browser; raises AccessDenied, on record.

    A passkey proves its person as well, so it is enough alone. ``half`` is who proved a password.
    """
    try:
        passkey = passkeys.use(site, passkey_ceremonies.read(text), browser)
        user = users.get(passkey.user_id)
        if user.disabled_at is not None or half not in (None, user):
            raise errors.AccessDenied(FAILED, reason="disabled, or of somebody else")
    except errors.AccessDenied as refusal:
        audit.record(Tag.USER_SIGN_IN_FAILED, "", by=by, passkey=True, **refusal.facts)
        raise
    return user


def spend(user_id: str, typed: str, key: bytes, *, by: Actor) -> bool:
    """Use up what was typed: digits are of the app, anything else is a recovery code."""
    code = "".join(typed[:LONGEST].split())
    if code.isascii() and code.isdigit():
        return authenticators.spend(user_id, code, key)
    if not recovery_codes.spend(user_id, code, key):
        return False
    left = recovery_codes.number_left(user_id)
    audit.record(Tag.USER_RECOVERY_CODE_USED, user_id, by=by, left=left)
    return True


def enrol(user: User, sealed: bytes, typed: str, key: bytes, *, by: Actor) -> list[str]:
    """Add an authenticator app by its first code; return recovery codes as ``note_added`` does.

    Raises InvalidRequest for a wrong code, Conflict when there is an app already.
    """
    secret = authenticators.open_secret(user.id, sealed, key)
    step = authenticators.step_of(secret, "".join(typed[:LONGEST].split()))
    if step is None:
        raise errors.InvalidRequest(UNPROVEN)
    if not authenticators.add(user.id, sealed, step):
        raise errors.Conflict(TAKEN)
    return note_added(user, "authenticator", key, by=by)


def add_passkey(user: User, new: Registered, name: str, key: bytes, *, by: Actor) -> list[str]:
    """Add a passkey; return recovery codes as ``note_added`` does. Raises Conflict."""
    passkeys.add(user.id, new, name)
    return note_added(user, "passkey", key, by=by)


def note_added(user: User, factor: str, key: bytes, *, by: Actor) -> list[str]:
    """End all sessions for a new factor; return recovery codes if the account has none left."""
    audit.record(Tag.USER_FACTOR_ADDED, user.id, by=by, factor=factor)
    sessions.end_of_user(user.id)
    if recovery_codes.number_left(user.id):
        return []
    return recovery_codes.issue(user.id, key, by=by)


def remove(user: User, *, by: Actor) -> None:
    """Remove the authenticator app of an account; all sessions end."""
    if not authenticators.remove(user.id):
        raise errors.Conflict(NONE)
    note_removed(user, "authenticator", by=by)


def remove_passkey(user: User, passkey_id: str, *, by: Actor) -> None:
    """Remove one passkey of an account; all sessions end."""
    if not passkeys.remove(user.id, passkey_id):
        raise errors.Conflict(NO_PASSKEY)
    note_removed(user, "passkey", by=by)


def note_removed(user: User, factor: str, *, by: Actor) -> None:
    """End all sessions for a factor less, and with the last one the recovery codes."""
    if not has(user.id):
        recovery_codes.withdraw(user.id)
    sessions.end_of_user(user.id)
    audit.record(Tag.USER_FACTOR_REMOVED, user.id, by=by, factor=factor)


def reset(user: User, *, by: Actor) -> None:
    """Remove every second factor of somebody who lost them; all their sessions end."""
    if by.id == user.id:
        raise errors.Conflict(OWN)
    if not has(user.id):
        raise errors.Conflict(NONE)
    authenticators.remove(user.id)
    passkeys.remove(user.id)
    recovery_codes.withdraw(user.id)
    sessions.end_of_user(user.id)
    audit.record(Tag.USER_FACTORS_RESET, user.id, by=by, email=user.email)
