"""Owns authenticator apps: one sealed secret for each account, one use of each code (RFC 6238)."""

from pyotp import HOTP
from sqlalchemy import BigInteger, ForeignKey, LargeBinary, delete, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials
from app.extensions import Base, db, insert_once

STEP_SECONDS = 30
WINDOW = (0, -1, 1)
"""Steps whose codes are taken: clocks differ and people are slow (RFC 6238 section 5.2)."""


class Authenticator(Base):
    """The authenticator app of one account; ``last_step`` is of the code that was used last."""

    __tablename__ = "authenticators"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)


def propose(user_id: str, sealing_key: bytes) -> bytes:
    """Return a new sealed secret, which counts once a code of it was typed."""
    secret = credentials.new_authenticator_secret()
    return credentials.seal(sealing_key, secret.encode(), bound(user_id))


def open_secret(user_id: str, sealed: bytes, sealing_key: bytes) -> str:
    """Return a secret in base32; raises ValueError for that of another account."""
    return credentials.unseal(sealing_key, sealed, bound(user_id)).decode()


def find(user_id: str) -> Authenticator | None:
    """Return the authenticator app of an account."""
    return db.session.get(Authenticator, user_id)


def add(user_id: str, sealed: bytes, step: int) -> bool:
    """Store a proven secret unless the account has one; the code that proved it is used up."""
    return insert_once(
        Authenticator,
        user_id=user_id,
        secret_sealed=sealed,
        last_step=step,
        created_at=clock.epoch(),
    )


def step_of(secret: str, code: str) -> int | None:
    """Return the step that a code is of, None for a wrong one."""
    now, codes = clock.epoch() // STEP_SECONDS, HOTP(secret)
    steps = (now + distance for distance in WINDOW)
    return next((step for step in steps if credentials.equal(codes.at(step), code)), None)


def spend(user_id: str, code: str, sealing_key: bytes) -> bool:
    """Use a code up; tell whether it was right and newer than the last one used.

    The one conditional UPDATE decides which of several at once is first.
    """
    row = find(user_id)
    secret = open_secret(user_id, row.secret_sealed, sealing_key) if row is not None else None
    step = step_of(secret, code) if secret is not None else None
    if step is None:
        return False
    used = db.session.execute(
        update(Authenticator)
        .where(Authenticator.user_id == user_id, Authenticator.last_step < step)
        .values(last_step=step)
        .returning(Authenticator.user_id)
        .execution_options(synchronize_session=False)
    ).first()
    return used is not None


def remove(user_id: str) -> bool:
    """Forget the authenticator app of an account; tell whether there was one."""
    gone = db.session.execute(
        delete(Authenticator)
        .where(Authenticator.user_id == user_id)
        .returning(Authenticator.user_id)
        .execution_options(synchronize_session=False)
    ).first()
    return gone is not None


def bound(user_id: str) -> str:
    """Name the account that a secret is sealed for."""
    return f"authenticators:{user_id}:secret"
