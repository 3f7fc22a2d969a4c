"""Owns passkeys: public keys of people, each by the identifier that the authenticator gave it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    LargeBinary,
    String,
    Text,
    delete,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials, errors, passkey_ceremonies, passkey_challenges
from app.domain.passkey_ceremonies import FAILED, Registered, Site
from app.extensions import Base, db, insert_once

MOST = 20
TOO_MANY = "Your account has as many passkeys as it can have; remove one first."
KNOWN = "This passkey is known already."
LONGEST_NAME = 60


class Passkey(Base):
    """One passkey of one account."""

    __tablename__ = "passkeys"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Digest of the identifier of the credential."""
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    credential_id: Mapped[str] = mapped_column(Text)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    """0 for those that do not count."""
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    created_at: Mapped[int] = mapped_column(BigInteger)
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)


def of_user(user_id: str) -> Sequence[Passkey]:
    """Return the passkeys of an account, the oldest first."""
    query = select(Passkey).where(Passkey.user_id == user_id)
    return db.session.scalars(query.order_by(Passkey.created_at, Passkey.id)).all()


def holds(user_id: str) -> bool:
    """Tell whether an account has any."""
    return bool(db.session.scalar(select(exists().where(Passkey.user_id == user_id))))


def add(user_id: str, new: Registered, name: str) -> None:
    """Store a passkey; raises Conflict for one too many, or one that some account has."""
    if len(of_user(user_id)) >= MOST:
        raise errors.Conflict(TOO_MANY)
    fresh = insert_once(
        Passkey,
        id=credentials.digest(new.credential_id),
        user_id=user_id,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        name=name,
        created_at=clock.epoch(),
    )
    if not fresh:
        raise errors.Conflict(KNOWN)


def made(site: Site, answer: dict[str, Any], browser: str, user_id: str) -> Registered:
    """Return the passkey that a browser made for an account; raises AccessDenied.

    The challenge is used up before anything else of the answer counts.
    """
    challenge = passkey_ceremonies.challenge_of(answer)
    if not passkey_challenges.spend(challenge, browser, user_id):
        raise errors.AccessDenied(FAILED, reason="challenge")
    return passkey_ceremonies.prove_creation(site, challenge, answer)


def use(site: Site, answer: dict[str, Any], browser: str) -> Passkey:
    """Return the passkey that signed an answer in this browser; raises AccessDenied.

    A count that does not rise is that of a copy; the one conditional UPDATE compares.
    """
    challenge = passkey_ceremonies.challenge_of(answer)
    if not passkey_challenges.spend(challenge, browser):
        raise errors.AccessDenied(FAILED, reason="challenge")
    found = db.session.get(Passkey, credentials.digest(answer["id"]))
    if found is None or not passkey_ceremonies.names_owner(answer, found.user_id):
        raise errors.AccessDenied(FAILED, reason="unknown, or of another account")
    count = passkey_ceremonies.prove_use(site, challenge, answer, found.public_key)
    rises = or_(Passkey.sign_count < count, (Passkey.sign_count == 0) & (count == 0))
    used = db.session.execute(
        update(Passkey)
        .where(Passkey.id == found.id, rises)
        .values(sign_count=count, last_used_at=clock.epoch())
        .returning(Passkey.id)
        .execution_options(synchronize_session=False)
    ).first()
    if used is None:
        raise errors.AccessDenied(FAILED, reason="sign count", user_id=found.user_id)
    return found


def remove(user_id: str, passkey_id: str | None = None) -> int:
    """Forget one passkey of an account, or all; return how many."""
    mine = Passkey.user_id == user_id
    gone = db.session.execute(
        delete(Passkey)
        .where(mine if passkey_id is None else mine & (Passkey.id == passkey_id))
        .returning(Passkey.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
