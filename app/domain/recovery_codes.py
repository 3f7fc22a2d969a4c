"""Owns recovery codes: each opens an account once when its other second factors are lost."""

from sqlalchemy import ForeignKey, String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from app.domain import audit, credentials
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, db

NUMBER = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody takes for each other."""
GROUPS, LETTERS = 4, 4


class RecoveryCode(Base):
    """One unused code, by its digest under a key, which is therefore short enough to type."""

    __tablename__ = "recovery_codes"

    code_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)


def issue(user_id: str, key: bytes, *, by: Actor) -> list[str]:
    """Make new codes; those before end."""
    withdraw(user_id)
    codes = [new_code() for _ in range(NUMBER)]
    db.session.add_all(
        RecoveryCode(code_digest=digest(user_id, code, key), user_id=user_id) for code in codes
    )
    audit.record(Tag.USER_RECOVERY_CODES_MADE, user_id, by=by)
    return codes


def new_code() -> str:
    """Return a code in groups, as it is shown."""
    return "-".join(credentials.new_letters(LETTERS, ALPHABET) for _ in range(GROUPS))


def spend(user_id: str, typed: str, key: bytes) -> bool:
    """Use a code up; tell whether it was one of this account."""
    spent = db.session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.code_digest == digest(user_id, typed, key))
        .where(RecoveryCode.user_id == user_id)
        .returning(RecoveryCode.code_digest)
        .execution_options(synchronize_session=False)
    ).first()
    return spent is not None


def number_left(user_id: str) -> int:
    """Count the unused codes of an account."""
    query = select(func.count()).where(RecoveryCode.user_id == user_id)
    return int(db.session.scalar(query) or 0)


def withdraw(user_id: str) -> None:
    """End the codes of an account."""
    db.session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.user_id == user_id)
        .execution_options(synchronize_session=False)
    )


def digest(user_id: str, typed: str, key: bytes) -> str:
    """Return what is kept of a code, however it is spaced and capitalised."""
    letters = "".join(character for character in typed.casefold() if character in ALPHABET)
    return credentials.derive(key, "recovery code", f"{user_id}\0{letters}")
