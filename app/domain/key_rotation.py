"""Owns how signing keys follow each other: each is published, then signs, then only verifies."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, select, update

from app import clock
from app.domain import audit, errors, generations, signing_keys
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.signing_keys import JWKS_SECONDS, SigningKey
from app.extensions import db

PUBLISHED_SECONDS = JWKS_SECONDS + 60
"""A key is in the JWKS so long before it signs: their age, and what clocks of nodes may differ."""
MISSING = "There is no next key that could sign; gatewright serve makes one when it starts."
YOUNG = (
    "A key signs only after it was published for as long as others may cache the JWKS; rotate"
    " later, or run gatewright keys rotate --now and accept that caches meet an unknown kid."
)
SEALED = (
    "The secret key does not open the next key; run this with the secret key of the server, or with"
    " --compromised if that key is lost."
)
CONSEQUENCES = (
    "What the ended keys signed counts no more here: access and ID tokens, and software statements"
    " of this server. Servers that check tokens themselves go on accepting the old ones until they"
    f" fetch the JWKS again, which they may cache for {JWKS_SECONDS // 60} minutes; restart them to"
    " be sure. Refresh tokens and consents stay."
)
"""What follows when keys are compromised."""


def rotate(sealing_key: bytes, *, by: Actor, early: bool = False) -> str:
    """Sign with the next key from now on and make a new next one; return what signs.

    Raises Conflict while some caches may lack the key, unless ``early`` accepts that.
    """
    generations.bump("keys")  # its row is the lock: rotations follow one another
    row = find_next()
    if row is None:
        raise errors.Conflict(MISSING)
    if not early and clock.epoch() < ripe_at(row):
        raise errors.Conflict(YOUNG, possible_from=clock.instant(ripe_at(row)))
    check_opens(sealing_key, row)
    before = end(SigningKey.state == "active", "retired")
    row.state = "active"
    audit.record(Tag.KEY_ROTATED, row.kid, by=by, before=before, early=early)
    signing_keys.ensure(sealing_key, by=by)
    return row.kid


def replace_compromised(sealing_key: bytes, *, by: Actor) -> list[str]:
    """End every key at once, with all that it signed, and make new ones; return what ended.

    The next key ends too: it was kept where the others were.
    """
    generations.bump("keys")
    ended = end(signing_keys.published(clock.epoch()), "compromised")
    for kid in ended:
        audit.record(Tag.KEY_COMPROMISED, kid, by=by)
    signing_keys.ensure(sealing_key, by=by)
    return ended


def end(which: ColumnElement[bool], state: str) -> list[str]:
    """Let keys sign no more, and forget the private halves of all that do not."""
    ended = update(SigningKey).where(which).values(state=state, retired_at=clock.epoch())
    kids = list(db.session.scalars(ended.returning(SigningKey.kid)))
    db.session.execute(
        update(SigningKey)
        .where(SigningKey.state.in_(("retired", "compromised")))
        .values(private_sealed=b"")
    )
    return kids


def check_opens(sealing_key: bytes, row: SigningKey) -> None:
    """Refuse to sign with a key that the server could not open."""
    try:
        signing_keys.open_private(sealing_key, row)
    except ValueError:
        raise errors.Conflict(SEALED) from None


def find_next() -> SigningKey | None:
    """Return the key that signs after the active one."""
    query = select(SigningKey).where(SigningKey.state == "next")
    return db.session.scalar(query.order_by(SigningKey.created_at).limit(1))


def ripe_at(row: SigningKey) -> int:
    """Return when a next key is known to everybody who caches the JWKS."""
    return row.created_at + PUBLISHED_SECONDS


def standing(key: SigningKey) -> str:
    """Return the state of a key, or ``expired`` for a retired one that has left the JWKS."""
    if key.state == "retired" and key.until is not None and key.until <= clock.epoch():
        return "expired"
    return key.state


def since(key: SigningKey, keys: Iterable[SigningKey]) -> int:
    """Return since when a key is in its state; the active one began when the one before ended."""
    if key.state == "active":
        return max(other.retired_at or key.created_at for other in keys)
    return key.retired_at or key.created_at
