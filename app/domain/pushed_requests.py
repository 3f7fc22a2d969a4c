"""Owns pushed authorization requests: kept by digest of their reference, used once (RFC 9126)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db, insert_once

PREFIX = "urn:ietf:params:oauth:request_uri:"
OPENED_SECONDS = 1800
"""A browser that opened a request in time may come back to it for so long: people sign in slowly,
and whoever waits for an approval waits longer."""
GONE = (
    "This request is unknown, too old, of another app, or was answered already; go back to the"
    " app and start again."
)


class PushedRequest(Base):
    """One request, by digest; spent ones stay until they would have run out."""

    __tablename__ = "pushed_requests"

    request_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), index=True
    )
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    """Until when a browser may open it for the first time."""
    spent_at: Mapped[int | None] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a reference stands for."""

    values: Mapping[str, str]
    resources: tuple[str, ...]


def push(
    client_id: str,
    values: Mapping[str, str],
    resources: Sequence[str],
    *,
    lifetime_seconds: int,
    signed: str | None = None,
    by: Actor,
) -> str:
    """Keep a checked request of a client; return the reference that stands for it.

    What a client ``signed`` is kept once, however often it is brought: so it is answered once.
    """
    secret = credentials.new_secret() if signed is None else credentials.digest(signed)
    reference = PREFIX + secret
    is_new = insert_once(
        PushedRequest,
        request_digest=credentials.digest(reference),
        client_id=client_id,
        parameters={**values, "resource": list(resources)},
        expires_at=clock.epoch() + lifetime_seconds,
    )
    if is_new:
        audit.record(
            Tag.REQUEST_PUSHED,
            client_id,
            by=by,
            client_id=client_id,
            scope=values.get("scope", "")[:200],
            resources=list(resources)[:10],
        )
    return reference


def is_reference(request_uri: str) -> bool:
    """Tell whether a request_uri is one of ours; any other one leads elsewhere."""
    return request_uri.startswith(PREFIX)


def find(reference: str, client_id: str, opened_at: int | None) -> Pushed:
    """Return what a reference stands for; raises InvalidRequestURI unless it still counts.

    ``opened_at`` is when the browser that asks opened it for the first time, which must have been
    in time; None means now.
    """
    gone = errors.InvalidRequestURI(GONE, client_id=client_id[:200])
    if len(reference) > credentials.MAXIMUM_LENGTH:
        raise gone
    now = clock.epoch()
    opened = now if opened_at is None else opened_at
    parameters = db.session.scalar(
        select(PushedRequest.parameters).where(
            PushedRequest.request_digest == credentials.digest(reference),
            PushedRequest.client_id == client_id,
            PushedRequest.spent_at.is_(None),
            PushedRequest.expires_at > opened,
        )
    )
    if parameters is None or now >= opened + OPENED_SECONDS:
        raise gone
    return Pushed(
        {name: value for name, value in parameters.items() if name != "resource"},
        tuple(parameters["resource"]),
    )


def spend(reference: str) -> None:
    """Use a request up, when it is answered; raises InvalidRequestURI for everyone but the first.

    The one conditional UPDATE decides who that is.
    """
    spent = db.session.execute(
        update(PushedRequest)
        .where(PushedRequest.request_digest == credentials.digest(reference))
        .where(PushedRequest.spent_at.is_(None))
        .values(spent_at=clock.epoch())
        .returning(PushedRequest.client_id)
        .execution_options(synchronize_session=False)
    ).first()
    if spent is None:
        raise errors.InvalidRequestURI(GONE)


def withdraw(client_id: str) -> None:
    """Forget the requests of a client that was stopped."""
    db.session.execute(
        delete(PushedRequest)
        .where(PushedRequest.client_id == client_id)
        .execution_options(synchronize_session=False)
    )
