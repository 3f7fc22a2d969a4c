"""Owns which people of other issuers are which accounts here: by issuer and subject alone."""

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    ForeignKey,
    String,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, db, insert_once

TAKEN = (
    "This person of the other server is linked to another account here; unlink it there first, or"
    " ask the operators of this server."
)


class FederatedIdentity(Base):
    """One person of one issuer; e-mail addresses change and are never looked up."""

    __tablename__ = "federated_identities"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Digest of issuer and subject."""
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(2048))
    subject: Mapped[str] = mapped_column(String(255))
    provider: Mapped[str] = mapped_column(String(64))
    """What the provider was called when it was linked."""
    made_account: Mapped[bool] = mapped_column(Boolean)
    """Whether the account was made for this person, whose groups then decide its role."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)


def key(issuer: str, subject: str) -> str:
    """Return the identifier of a person of an issuer."""
    return credentials.digest(f"{issuer}\0{subject}")


def find(issuer: str, subject: str) -> FederatedIdentity | None:
    """Return whose account a person of an issuer has."""
    return db.session.get(FederatedIdentity, key(issuer, subject))


def owner(issuer: str, subject: str) -> str | None:
    """Return the identifier of that account; for the token path, which loads no account."""
    query = select(FederatedIdentity.user_id).where(FederatedIdentity.id == key(issuer, subject))
    return db.session.scalar(query)


def of_user(user_id: str) -> Sequence[FederatedIdentity]:
    """Return what is linked to an account, the oldest first."""
    row = FederatedIdentity
    query = select(row).where(row.user_id == user_id).order_by(row.created_at, row.id)
    return db.session.scalars(query).all()


def holders(user_ids: Iterable[str]) -> set[str]:
    """Return which of some accounts have anything linked."""
    query = select(FederatedIdentity.user_id).where(FederatedIdentity.user_id.in_(set(user_ids)))
    return set(db.session.scalars(query))


def belong_to(user_id: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition of accounts that have something linked."""
    return exists().where(FederatedIdentity.user_id == user_id)


def link(
    user_id: str,
    *,
    issuer: str,
    subject: str,
    provider: str,
    made_account: bool,
    by: Actor,
) -> None:
    """Link a person of an issuer to an account; raises Conflict when another one has it."""
    row_id = key(issuer, subject)
    fresh = insert_once(
        FederatedIdentity,
        id=row_id,
        user_id=user_id,
        issuer=issuer,
        subject=subject,
        provider=provider,
        made_account=made_account,
        created_at=clock.epoch(),
    )
    if fresh:
        told = {"provider": provider, "issuer": issuer, "upstream_subject": subject}
        audit.record(Tag.USER_IDENTITY_LINKED, user_id, by=by, **told)
        return
    owner = select(FederatedIdentity.user_id).where(FederatedIdentity.id == row_id)
    if db.session.scalar(owner) != user_id:
        raise errors.Conflict(TAKEN)


def unlink(user_id: str, row_id: str, *, by: Actor) -> None:
    """Unlink what is linked to an account; raises NotFound for what is not."""
    row = FederatedIdentity
    gone = db.session.execute(
        delete(row)
        .where(row.id == row_id, row.user_id == user_id)
        .returning(row.issuer, row.provider)
        .execution_options(synchronize_session=False)
    ).first()
    if gone is None:
        raise errors.NotFound("Nothing of this identifier is linked to your account.")
    audit.record(
        Tag.USER_IDENTITY_UNLINKED, user_id, by=by, provider=gone.provider, issuer=gone.issuer
    )


def touch(row_id: str) -> None:
    """Note that somebody signed in."""
    db.session.execute(
        update(FederatedIdentity)
        .where(FederatedIdentity.id == row_id)
        .values(last_used_at=clock.epoch())
        .execution_options(synchronize_session=False)
    )
