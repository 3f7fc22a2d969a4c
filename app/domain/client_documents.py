"""Owns what is known of client ID metadata documents: how fresh, pinned by whom, why not had."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, errors, fingerprints, generations, networks, software
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.client_records import Client
from app.domain.software import Software
from app.extensions import Base, db, insert_once

SHORTEST_SECONDS = 300
"""A document is not fetched again sooner, whatever its server says."""
LONGEST_SECONDS = 86400
"""It is fetched again after a day, whatever its server says."""
USUAL_SECONDS = 3600
"""How long it is fresh when its server says nothing."""
STALE_SECONDS = 86400
"""Approved software goes on for so long after that while its document cannot be had."""


class ClientDocument(Base):
    """The document of one client; what it says is the client's metadata."""

    __tablename__ = "client_documents"

    client_id: Mapped[str] = mapped_column(
        String(2048), ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(String(32))
    """Hash of the metadata that were in it last, also of those that were not taken."""
    fetched_at: Mapped[int] = mapped_column(BigInteger)
    fresh_until: Mapped[int] = mapped_column(BigInteger)
    pinned_at: Mapped[int | None] = mapped_column(BigInteger)
    """An operator gave the document at this moment; it is not fetched."""
    pinned_by: Mapped[str | None] = mapped_column(String(255))
    failed_at: Mapped[int | None] = mapped_column(BigInteger)
    """When it could not be had the last time, unless it could since."""
    failure: Mapped[str | None] = mapped_column(String(40))

    def is_fresh(self, now: int) -> bool:
        """Tell whether it need not be fetched."""
        return self.pinned_at is not None or self.fresh_until > now

    def may_serve(self, now: int) -> bool:
        """Tell whether approved software goes on when it cannot be fetched."""
        return self.pinned_at is not None or self.fresh_until + STALE_SECONDS > now


def find(client_id: str) -> ClientDocument | None:
    """Return what is known of a document, as it is in the database now."""
    return db.session.get(ClientDocument, client_id, populate_existing=True)


def freshness(max_age: int | None) -> int:
    """Return for how many seconds a document is fresh; None when its server does not say."""
    wanted = USUAL_SECONDS if max_age is None else max_age
    return min(max(wanted, SHORTEST_SECONDS), LONGEST_SECONDS)


def keep(client_id: str, digest: str, seconds: int) -> None:
    """Remember that a document was had and is fresh for so many seconds."""
    now = clock.epoch()
    said: dict[str, Any] = {"digest": digest, "fetched_at": now, "fresh_until": now + seconds}
    if not insert_once(ClientDocument, client_id=client_id, **said):
        change(client_id, **said, failed_at=None, failure=None)


def fail(client_id: str, failure: str) -> None:
    """Remember that a document could not be had; nothing is kept of what was never had."""
    change(client_id, failed_at=clock.epoch(), failure=failure)


def refuse(client_id: str, refusal: errors.Refusal, *, by: Actor) -> None:
    """Record that policy refused what a document says now; what was approved goes on."""
    audit.record(
        Tag.DOCUMENT_REFUSED,
        client_id,
        by=by,
        client_id=client_id,
        description=refusal.description,
        **refusal.facts,
    )


def pin(client_id: str, *, by: Actor) -> None:
    """Stop fetching a document: an operator has given it."""
    row = get(client_id)
    row.pinned_at, row.pinned_by = clock.epoch(), by.name or by.kind
    audit.record(Tag.DOCUMENT_PINNED, client_id, by=by, client_id=client_id, digest=row.digest)


def unpin(client_id: str, *, by: Actor) -> None:
    """Fetch a document again, with the next authorization request; raises Conflict."""
    row = get(client_id)
    if row.pinned_at is None:
        raise errors.Conflict("The document is not pinned.")
    row.pinned_at = row.pinned_by = None
    row.fresh_until = clock.epoch()
    audit.record(Tag.DOCUMENT_UNPINNED, client_id, by=by, client_id=client_id)


def get(client_id: str) -> ClientDocument:
    """Return what is known of a document; raises NotFound."""
    row = find(client_id)
    if row is None:
        raise errors.NotFound("There is no client with a document at this URL.")
    return row


def change(client_id: str, **values: Any) -> None:
    """Change what is known of a document."""
    db.session.execute(
        update(ClientDocument)
        .where(ClientDocument.client_id == client_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def mark(url: str, metadata: Mapping[str, Any]) -> str:
    """Return the fingerprint under which a document is judged now.

    It is that of its URL; what an approved document says anew is judged by itself.
    """
    first = fingerprints.of_document(url)
    known = software.find_by_fingerprint(first)
    if known is None or known.revision == fingerprints.revision(metadata):
        return first
    standing = software.standing(known.status, known.approved_until, clock.epoch())
    return fingerprints.of_variant(url, metadata) if standing == "approved" else first


def add_client(row: Software, url: str, metadata: Mapping[str, Any], address: str) -> Client:
    """Store a public client under the URL of its document, in place of its tombstone if any.

    It has no registration access token: who writes the document manages the client. Tokens that
    were ended stay ended. Raises Conflict when somebody else was faster.
    """
    values = {
        "software_id": row.id,
        "state": "live",
        "source": "cimd",
        "client_metadata": dict(metadata),
        "approved_once": row.status == "approved",
        "address": address,
        "network": networks.network_of(address),
        "created_at": clock.epoch(),
    }
    if not insert_once(Client, client_id=url, introspects=[], **values):
        revived = db.session.execute(
            update(Client)
            .where(Client.client_id == url, Client.state == "deleted")
            .values(**values, deleted_at=None, last_used_at=None)
            .returning(Client.client_id)
            .execution_options(synchronize_session=False)
        ).first()
        if revived is None:
            raise errors.Conflict("Somebody else registered this client just now.")
        generations.bump("clients")
    return db.session.get_one(Client, url, populate_existing=True)
