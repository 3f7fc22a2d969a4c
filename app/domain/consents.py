"""Owns consents: what an end-user agreed to, and the tickets that prove who was asked what."""

from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, Boolean, ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, authorization_codes, credentials, device_codes, errors
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db, insert_once

TICKET_SECONDS = 1800
STALE = (
    "This consent page was already answered, is too old, or belongs to another browser session"
    " or request; go back to the app and start again."
)


class Consent(Base):
    """One answer; the newest live one of a user for a client counts."""

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id"), index=True)
    session_id: Mapped[str] = mapped_column(String(36))
    """The browser session it was given in; silent reuse is bound to it."""
    redirect_uri: Mapped[str] = mapped_column(String(2048))
    scopes: Mapped[list[str]] = mapped_column(JSONValue)
    resources: Mapped[list[str]] = mapped_column(JSONValue)
    given_at: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    given_by: Mapped[str | None] = mapped_column(String(64))
    """The identity provider that gave it for an organisation; None for the person."""
    ended_by_person: Mapped[bool] = mapped_column(Boolean, default=False)


class SpentTicket(Base):
    """A consent ticket that was answered."""

    __tablename__ = "spent_tickets"

    ticket_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


def new_ticket(key: bytes, session_id: str, request: str) -> str:
    """Return a ticket for one showing of the consent page.

    It binds the browser session and the whole authorization request and needs no row, so that
    showing the page changes nothing.
    """
    head = f"{clock.epoch()}.{credentials.new_secret()}"
    return f"{head}.{bind(key, head, session_id, request)}"


def bind(key: bytes, head: str, session_id: str, request: str) -> str:
    """Return the part of a ticket that only this server can make."""
    return credentials.derive(key, "consent", f"{head}\0{session_id}\0{request}")


def spend_ticket(key: bytes, ticket: str, session_id: str, request: str) -> None:
    """Use a ticket; raises AccessDenied unless it is ours, fresh, of this session and unused."""
    head, _, mac = ticket.rpartition(".")
    made_at = head.partition(".")[0]
    genuine = credentials.equal(mac, bind(key, head, session_id, request))
    if not genuine or clock.epoch() > int(made_at) + TICKET_SECONDS:
        raise errors.AccessDenied(STALE)
    unused = insert_once(
        SpentTicket,
        ticket_digest=credentials.digest(ticket),
        expires_at=int(made_at) + TICKET_SECONDS,
    )
    if not unused:
        raise errors.AccessDenied(STALE)


def give(
    *,
    user_id: str,
    client_id: str,
    session_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    resources: Sequence[str],
    given_by: str | None = None,
    by: Actor,
) -> str:
    """Store that a user allowed a client, or somebody for them; return its identifier."""
    consent_id = credentials.new_id()
    db.session.add(
        Consent(
            id=consent_id,
            user_id=user_id,
            client_id=client_id,
            session_id=session_id,
            redirect_uri=redirect_uri,
            scopes=list(scopes),
            resources=list(resources),
            given_at=clock.epoch(),
            given_by=given_by,
        )
    )
    audit.record(
        Tag.CONSENT_GIVEN if given_by is None else Tag.CONSENT_VOUCHED,
        user_id,
        by=by,
        client_id=client_id,
        scopes=list(scopes),
        resources=list(resources),
    )
    return consent_id


def deny(*, user_id: str, client_id: str, by: Actor) -> None:
    """Record that a user refused a client."""
    audit.record(Tag.CONSENT_DENIED, user_id, by=by, client_id=client_id)


def covers(
    *,
    user_id: str,
    client_id: str,
    session_id: str | None,
    redirect_uri: str,
    scopes: Iterable[str],
    resources: Iterable[str],
) -> bool:
    """Tell whether a live consent covers a request.

    With ``session_id`` only a consent given in that browser session counts: software that
    registered itself or can be mistaken never passes silently in a new one (GHSA-6x8h-498w-gv8c).
    """
    query = select(Consent).where(
        Consent.user_id == user_id,
        Consent.client_id == client_id,
        Consent.redirect_uri == redirect_uri,
        Consent.revoked_at.is_(None),
    )
    if session_id is not None:
        query = query.where(Consent.session_id == session_id)
    latest = db.session.scalars(query.order_by(Consent.id.desc()).limit(1)).first()
    return (
        latest is not None
        and set(latest.scopes) >= set(scopes)
        and set(latest.resources) >= set(resources)
    )


def knows(*, user_id: str, client_id: str) -> bool:
    """Tell whether a person has ever consented to a client."""
    given = select(Consent.id).where(Consent.user_id == user_id, Consent.client_id == client_id)
    return db.session.scalar(given.limit(1)) is not None


def revoke(*, by: Actor, client_id: str | None = None, user_id: str | None = None) -> None:
    """Withdraw the consents of a client, of a user, or of both together, and their codes."""
    authorization_codes.withdraw(client_id=client_id, user_id=user_id)
    device_codes.withdraw(client_id=client_id, user_id=user_id)
    statement = update(Consent).where(Consent.revoked_at.is_(None))
    if client_id is not None:
        statement = statement.where(Consent.client_id == client_id)
    if user_id is not None:
        statement = statement.where(Consent.user_id == user_id)
    is_own = user_id is not None and user_id == by.id
    ended = db.session.execute(
        statement.values(revoked_at=clock.epoch(), ended_by_person=is_own)
        .returning(Consent.user_id, Consent.client_id)
        .execution_options(synchronize_session=False)
    ).all()
    for user, client in ended:
        audit.record(Tag.CONSENT_REVOKED, user, by=by, client_id=client)
