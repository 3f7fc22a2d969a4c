"""Owns how signing keys follow each other: each is published, then signs, then only verifies."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, select, update

from app import clock
from app.domain import audit, errors, generations, signing_keys
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.key_algorithms import GENERATE
from app.domain.signing_keys import JWKS_SECONDS, SigningKey
from app.extensions import db

PUBLISHED_SECONDS = JWKS_SECONDS + 60
"""A key is in the JWKS so long before it signs: their age, and what clocks of nodes may differ."""
DAY = 86400
MISSING = "There are no next keys that could sign; gatewright serve makes them when it starts."
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


def rotate(sealing_key: bytes, *, by: Actor, early: bool = False) -> dict[str, str]:
    """Sign with the next keys from now on and make new next ones; return what signs.

    Raises Conflict while some caches may lack a key, unless ``early`` accepts that.
    """
    generations.bump("keys")  # its row is the lock: rotations follow one another
    rows = find_next()
    if len(rows) < len(GENERATE):
        raise errors.Conflict(MISSING)
    if not early and clock.epoch() < ripe_at(rows):
        raise errors.Conflict(YOUNG, possible_from=clock.instant(ripe_at(rows)))
    for row in rows:
        check_opens(sealing_key, row)
        before = end(
            (SigningKey.state == "active") & (SigningKey.algorithm == row.algorithm), "retired"
        )
        row.state = "active"
        audit.record(Tag.KEY_ROTATED, row.kid, by=by, before=before, early=early)
    signing_keys.ensure(sealing_key, by=by)
    return {row.algorithm: row.kid for row in rows}


def rotate_when_due(sealing_key: bytes, days: int, *, by: Actor) -> dict[str, str]:
    """Rotate once the keys have signed for so many days; return what signs, nothing before.

    Raises Conflict as ``rotate`` does.
    """
    if not is_due(days):
        return {}
    generations.bump("keys")  # its row is the lock: whoever was faster has rotated by now
    return rotate(sealing_key, by=by) if is_due(days) else {}


def is_due(days: int) -> bool:
    """Tell whether the keys have signed for so many days, and the next ones may."""
    at = turns_at(days)
    return at is not None and at <= clock.epoch()


def turns_at(days: int) -> int | None:
    """Return when the keys rotate by themselves, every so many days; None when they do not.

    That is never before everybody who caches the JWKS has the next ones.
    """
    keys = signing_keys.find_all()
    began = [since(key, keys) for key in keys if key.state == "active"]
    following = [key for key in keys if key.state == "next"]
    if not (days and began and following):
        return None
    return max(min(began) + days * DAY, ripe_at(following))


def replace_compromised(sealing_key: bytes, *, by: Actor) -> list[str]:
    """End every key at once, with all that it signed, and make new ones; return what ended.

    The next key ends too: it was kept where the others were. So do those that left the JWKS: what
    they signed may count for longer, and nobody knows since when others had them.
    """
    generations.bump("keys")
    ended = end(SigningKey.state != "compromised", "compromised")
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


def find_next() -> list[SigningKey]:
    """Return the keys that sign after the active ones, one of each algorithm."""
    query = select(SigningKey).where(SigningKey.state == "next")
    rows = db.session.scalars(query.order_by(SigningKey.created_at.desc(), SigningKey.kid.desc()))
    oldest = {row.algorithm: row for row in rows}
    return [oldest[algorithm] for algorithm in GENERATE if algorithm in oldest]


def ripe_at(rows: Iterable[SigningKey]) -> int:
    """Return when next keys are known to everybody who caches the JWKS."""
    return max(row.created_at for row in rows) + PUBLISHED_SECONDS


def standing(key: SigningKey) -> str:
    """Return the state of a key, or ``expired`` for a retired one that has left the JWKS."""
    if key.state == "retired" and key.until is not None and key.until <= clock.epoch():
        return "expired"
    return key.state


def since(key: SigningKey, keys: Iterable[SigningKey]) -> int:
    """Return since when a key is in its state; the active one began when the one before ended."""
    if key.state == "active":
        family = (other for other in keys if other.algorithm == key.algorithm)
        return max(other.retired_at or key.created_at for other in family)
    return key.retired_at or key.created_at
