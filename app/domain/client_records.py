"""Owns the table of clients and the one look-up that says what a client may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String, select
from sqlalchemy.orm import Mapped, mapped_column

from app.domain import (
    assertion_keys,
    credentials,
    fapi,
    generations,
    openid_metadata,
    request_objects,
    software,
)
from app.domain.assertion_keys import KeySource
from app.domain.foreign_jwts import USUAL, Demands
from app.domain.obligations import narrowed, shortest
from app.domain.openid_metadata import OpenIdClient
from app.domain.software import Software
from app.extensions import Base, JSONValue, db


class Client(Base):
    """One registration of software."""

    __tablename__ = "clients"
    __table_args__ = (
        Index("ix_clients_initial_access_token_id", "initial_access_token_id", "created_at"),
        Index("ix_clients_last_used_at", "last_used_at", "client_id"),
    )

    client_id: Mapped[str] = mapped_column(String(2048), primary_key=True)
    software_id: Mapped[str] = mapped_column(ForeignKey("software.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    """``live``, ``suspended`` or ``deleted``; a deleted row is a tombstone."""
    source: Mapped[str] = mapped_column(String(16), index=True)
    client_metadata: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    pending_metadata: Mapped[dict[str, Any] | None] = mapped_column(JSONValue)
    """A widening update that waits; what is in force stays in ``client_metadata``."""
    pending_software_id: Mapped[str | None] = mapped_column(ForeignKey("software.id"), index=True)
    scopes: Mapped[list[str] | None] = mapped_column(JSONValue)
    """Ceiling below the software's; None means the software's."""
    resources: Mapped[list[str] | None] = mapped_column(JSONValue)
    introspects: Mapped[list[str]] = mapped_column(JSONValue)
    """Resources whose tokens this client may introspect."""
    access_token_seconds: Mapped[int | None] = mapped_column(Integer)
    secret_digest: Mapped[str | None] = mapped_column(String(64))
    old_secret_digest: Mapped[str | None] = mapped_column(String(64))
    old_secret_expires_at: Mapped[int | None] = mapped_column(BigInteger)
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """For a client that signs with its secret, beside the digest."""
    old_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    registration_token_digest: Mapped[str | None] = mapped_column(String(64))
    initial_access_token_id: Mapped[str | None] = mapped_column(String(36))
    approved_once: Mapped[bool] = mapped_column(Boolean)
    address: Mapped[str] = mapped_column(String(64))
    network: Mapped[str] = mapped_column(String(64), index=True)
    """Of the address; what one source registers is counted by it."""
    created_at: Mapped[int] = mapped_column(BigInteger, index=True)
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
    pkce_optional: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether an operator lets it go without PKCE (OAuth 2.1 section 7.5.1)."""
    tokens_ended_at: Mapped[int | None] = mapped_column(BigInteger)
    """Access tokens made until then are dead, those of no grant included."""
    fapi2: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether an operator holds it to the profile FAPI 2.0."""


class Standing(StrEnum):
    """What a client may do; follows from its own state and its software's status."""

    PENDING = "pending"
    ACTIVE = "active"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """A client as the endpoints see it; frozen, and shared by the threads of a process."""

    client_id: str
    software_id: str
    name: str
    """The name of the software that people approved, not what this registration claims."""
    source: str
    state: str
    software_status: str
    approved_until: int | None
    takes_newcomers: bool
    approved_once: bool
    decided_at: int | None
    decided_by: str | None
    auth_method: str
    assertion_keys: KeySource | None
    """For a client that has to or may prove itself by signed assertions."""
    secret_digest: str | None
    old_secret_digest: str | None
    old_secret_expires_at: int | None
    secret_sealed: bytes | None
    old_secret_sealed: bytes | None
    registration_token_digest: str | None
    redirect_uris: tuple[str, ...]
    grant_types: frozenset[str]
    openid: OpenIdClient
    pkce_optional: bool
    pushes: bool
    """Whether all its authorization requests are pushed (RFC 9126 section 6)."""
    fapi2: bool
    binds: bool
    """Whether all its access tokens are bound to a key (RFC 9449 section 5.2)."""
    signs: bool
    """Whether all its authorization requests are signed (RFC 9101 section 10.5)."""
    request_keys: KeySource | None
    """For a client that may sign them."""
    scopes: frozenset[str]
    resources: frozenset[str] | None
    introspects: frozenset[str]
    access_token_seconds: int | None
    tokens_ended_at: int | None

    def standing(self, now: int) -> Standing:
        """Return what this client may do at a moment (the state table of the design)."""
        if self.state != "live":
            return Standing(self.state)
        standing = software.standing(self.software_status, self.approved_until, now)
        return Standing.ACTIVE if standing == "approved" else Standing(standing)

    def backs(self, claims: Mapping[str, Any], now: int) -> bool:
        """Tell whether an access token of this client still counts."""
        ended = self.tokens_ended_at is not None and claims["iat"] <= self.tokens_ended_at
        return self.standing(now) is Standing.ACTIVE and not ended

    @property
    def is_public(self) -> bool:
        """Tell whether anybody can be this client (RFC 6749 section 2.1)."""
        return self.auth_method == "none"

    @property
    def demands(self) -> Demands:
        """Return what its signatures have to meet."""
        return fapi.DEMANDS if self.fapi2 else USUAL

    def has_secret(self, secret: str, now: int) -> bool:
        """Tell whether a secret is this client's, now or within the overlap of a rotation."""
        current = credentials.matches(secret, self.secret_digest)
        old_digest = self.old_secret_digest if self.has_overlap(now) else None
        old = credentials.matches(secret, old_digest)
        return current or old

    def has_overlap(self, now: int) -> bool:
        """Tell whether the secret before the last rotation still counts."""
        return self.old_secret_expires_at is not None and self.old_secret_expires_at > now


cache: generations.Cache[str, ClientRecord | None] = generations.Cache(size=10_000)


def look_up(client_id: str, generation: int) -> ClientRecord | None:
    """Return the record of a client, deleted ones included; None means never seen."""
    stamp = (db.engine, generation)
    return cache.get(client_id, stamp, load)


def load(client_id: str) -> ClientRecord | None:
    """Read a client together with its software."""
    if "\0" in client_id:
        return None
    row = db.session.execute(
        select(
            *Client.__table__.c,
            Software.name.label("software_name"),
            Software.status.label("software_status"),
            Software.scopes.label("software_scopes"),
            Software.resources.label("software_resources"),
            Software.approved_until,
            Software.closed_at,
            Software.access_token_seconds.label("software_access_token_seconds"),
            Software.decided_at,
            Software.decided_by,
        )
        .join(Software, Software.id == Client.software_id)
        .where(Client.client_id == client_id)
    ).first()
    return None if row is None else to_record(dict(row._mapping))


def to_record(row: Mapping[str, Any]) -> ClientRecord:
    """Freeze a joined row."""
    metadata = row["client_metadata"]
    return ClientRecord(
        client_id=row["client_id"],
        software_id=row["software_id"],
        name=row["software_name"],
        source=row["source"],
        state=row["state"],
        software_status=row["software_status"],
        approved_until=row["approved_until"],
        takes_newcomers=row["closed_at"] is None,
        approved_once=row["approved_once"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        auth_method=metadata["token_endpoint_auth_method"],
        assertion_keys=assertion_keys.of_metadata(metadata),
        secret_digest=row["secret_digest"],
        old_secret_digest=row["old_secret_digest"],
        old_secret_expires_at=row["old_secret_expires_at"],
        secret_sealed=row["secret_sealed"],
        old_secret_sealed=row["old_secret_sealed"],
        registration_token_digest=row["registration_token_digest"],
        redirect_uris=tuple(metadata.get("redirect_uris", ())),
        grant_types=frozenset(metadata["grant_types"]),
        openid=openid_metadata.of_metadata(metadata),
        pkce_optional=row["pkce_optional"],
        pushes=row["fapi2"] or bool(metadata.get("require_pushed_authorization_requests")),
        fapi2=row["fapi2"],
        binds=row["fapi2"] or bool(metadata.get("dpop_bound_access_tokens")),
        signs=bool(metadata.get(request_objects.REQUIRED)),
        request_keys=request_objects.keys_of(metadata),
        scopes=narrowed(row["software_scopes"], row["scopes"]) or frozenset(),
        resources=narrowed(row["software_resources"], row["resources"]),
        introspects=frozenset(row["introspects"]),
        access_token_seconds=shortest(
            row["access_token_seconds"], row["software_access_token_seconds"]
        ),
        tokens_ended_at=row["tokens_ended_at"],
    )
