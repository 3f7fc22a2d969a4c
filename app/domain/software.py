"""Owns software: what people approve; its registrations are clients, tied by a fingerprint."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import BigInteger, Integer, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials, errors, redirect_uris
from app.extensions import Base, JSONValue, db, insert_once

STATUSES = ("pending", "approved", "rejected", "blocked", "expired")
ADDRESSES_KEPT = 10
CONFUSABLE = str.maketrans("0135аеорсухіӏνοαⅼ", "olesaeopcyxilvoal")
"""Characters that are read as another; a small table, the long one comes with the rules."""


class Software(Base):
    """One piece of software and what people decided about it."""

    __tablename__ = "software"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), index=True)
    client_metadata: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    """What the first registration asked for (RFC 7591 section 2)."""
    revision: Mapped[str] = mapped_column(String(32))
    """Hash of ``client_metadata``; a decision names the revision it was made about."""
    scopes: Mapped[list[str]] = mapped_column(JSONValue, default=list)
    """Ceiling of the scopes, set by approval."""
    resources: Mapped[list[str] | None] = mapped_column(JSONValue)
    """Ceiling of the resources; None means every resource of the catalogue."""
    verdict: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    notes: Mapped[list[str]] = mapped_column(JSONValue)
    """What an approver should look at twice."""
    justification: Mapped[str | None] = mapped_column(String(1000))
    justified_by: Mapped[str | None] = mapped_column(String(255))
    reason: Mapped[str | None] = mapped_column(String(1000))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(255))
    approved_until: Mapped[int | None] = mapped_column(BigInteger)
    first_seen_at: Mapped[int] = mapped_column(BigInteger)
    last_seen_at: Mapped[int] = mapped_column(BigInteger, index=True)
    seen_count: Mapped[int] = mapped_column(Integer)
    addresses: Mapped[list[str]] = mapped_column(JSONValue)
    """The first ten addresses it was seen from."""


def fingerprint(metadata: Mapping[str, Any]) -> str | None:
    """Return what ties registrations to one software, or None when nothing safely does.

    A grant without redirect is not tied down by redirect URIs, so each such client is software
    of its own and is approved alone.
    """
    uris = sorted(map(redirect_uris.without_loopback_port, metadata.get("redirect_uris", [])))
    if not uris or "client_credentials" in metadata["grant_types"]:
        return None
    if "software_id" in metadata:
        return credentials.thumbprint(canonical(["software_id", metadata["software_id"], uris]))
    facts = [
        "name",
        skeleton(metadata.get("client_name", "")),
        uris,
        sorted(metadata["grant_types"]),
        metadata["token_endpoint_auth_method"],
        metadata.get("jwks"),
        metadata.get("jwks_uri"),
    ]
    return credentials.thumbprint(canonical(facts))


def revision(metadata: Mapping[str, Any]) -> str:
    """Return the hash of metadata that a decision binds to."""
    return credentials.thumbprint(canonical(dict(metadata)))


def canonical(value: Any) -> str:
    """Write JSON with sorted members."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def skeleton(name: str) -> str:
    """Reduce a name to what a reader sees, so that look-alikes meet."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(CONFUSABLE)
    decomposed = unicodedata.normalize("NFKD", plain)
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(letters.replace("rn", "m").replace("vv", "w").split())


def notes(metadata: Mapping[str, Any], approved_names: Iterable[str]) -> tuple[str, ...]:
    """Return what an approver should look at twice, as constant sentences."""
    uris, name = metadata.get("redirect_uris", []), metadata.get("client_name", "")
    found = []
    if uris and all(map(redirect_uris.is_loopback, uris)):
        found.append(
            "Loopback only: any program on a person's computer could claim to be this app."
        )
    if any(not uri.startswith(("https:", "http:")) for uri in uris):
        found.append("Private-use scheme: another app on the device may claim the same scheme.")
    if "client_credentials" in metadata["grant_types"]:
        found.append("Acts for itself: no person signs in or consents.")
    if not name:
        found.append("It gives no name.")
    for other in approved_names:
        if name != other and skeleton(name) == skeleton(other):
            found.append("Look-alike: its name reads like that of approved software.")
            break
    return tuple(found)


def approved_names() -> list[str]:
    """Return the names of approved software, at most 1000."""
    query = select(Software.name).where(Software.status == "approved").distinct().limit(1000)
    return list(db.session.scalars(query))


def see(
    mark: str,
    metadata: Mapping[str, Any],
    *,
    source: str,
    verdict: Mapping[str, Any],
    notes: Iterable[str],
    address: str,
) -> Software:
    """Count an arrival of the software with this fingerprint, making its row at first sight."""
    now = clock.epoch()
    insert_once(
        Software,
        fingerprint=mark,
        source=source,
        verdict=dict(verdict),
        notes=list(notes),
        **unseen(metadata, now),
    )
    db.session.execute(
        update(Software)
        .where(Software.fingerprint == mark)
        .values(seen_count=Software.seen_count + 1, last_seen_at=now)
        .execution_options(synchronize_session=False)
    )
    row = db.session.scalars(select(Software).where(Software.fingerprint == mark)).one()
    db.session.refresh(row)
    if address and address not in row.addresses and len(row.addresses) < ADDRESSES_KEPT:
        row.addresses = [*row.addresses, address]
    return row


def unseen(metadata: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Return the values of software before its first arrival is counted."""
    return {
        "id": credentials.new_id(),
        "name": metadata.get("client_name", ""),
        "status": "pending",
        "client_metadata": dict(metadata),
        "revision": revision(metadata),
        "scopes": [],
        "first_seen_at": now,
        "last_seen_at": now,
        "seen_count": 0,
        "addresses": [],
    }


def find_by_fingerprint(mark: str) -> Software | None:
    """Return the software with a fingerprint."""
    return db.session.scalar(select(Software).where(Software.fingerprint == mark))


def find(software_id: str) -> Software | None:
    """Return one piece of software."""
    return db.session.get(Software, software_id)


def get(software_id: str) -> Software:
    """Return one piece of software; raises NotFound."""
    row = find(software_id)
    if row is None:
        raise errors.NotFound("There is no software with this identifier.")
    return row


def count(status: str) -> int:
    """Return how much software has a status."""
    return int(db.session.scalar(select(func.count()).where(Software.status == status)) or 0)


def find_page(
    status: str, *, search: str = "", older_than: str | None = None, size: int
) -> list[Software]:
    """Return at most ``size`` rows with a status, newest first, after the key of a neighbour."""
    query = select(Software).where(Software.status == status)
    if search:
        query = query.where(Software.name.icontains(search, autoescape=True))
    if older_than is not None:
        query = query.where(Software.id < older_than)
    return list(db.session.scalars(query.order_by(Software.id.desc()).limit(size)))
