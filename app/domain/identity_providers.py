"""Owns identity providers: where people sign in besides here, made by operators or settings."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import BigInteger, Boolean, LargeBinary, Row, String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, connection_drafts, credentials, errors, identity_provider_drafts
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.identity_provider_drafts import Draft
from app.extensions import Base, db, insert_once

SECRET = "client_secret"
OPEN_MEMBERS = tuple(each.name for each in fields(Draft) if each.name != SECRET)
"""Members of a draft that every operator may see."""
FIXED = ("issuer", "client_id")
"""A secret never moves to another server or client_id."""

Environment = Mapping[str, Draft]


class IdentityProvider(Base):
    """One provider that operators made; those of the settings have no row."""

    __tablename__ = "identity_providers"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(2048))
    client_id: Mapped[str] = mapped_column(String(2048))
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    scope: Mapped[str] = mapped_column(String(4096))
    allowed_domains: Mapped[str] = mapped_column(String(2000))
    title: Mapped[str] = mapped_column(String(60))
    name_claim: Mapped[str] = mapped_column(String(100))
    email_claim: Mapped[str] = mapped_column(String(100))
    groups_claim: Mapped[str] = mapped_column(String(100))
    group_roles: Mapped[str] = mapped_column(Text)
    makes_accounts: Mapped[bool] = mapped_column(Boolean)
    links_by_email: Mapped[bool] = mapped_column(Boolean)
    signs_out: Mapped[bool] = mapped_column(Boolean)
    vouches: Mapped[bool] = mapped_column(Boolean)
    enabled: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(255))
    updated_at: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as it is used; ``row`` is None for one of the settings."""

    name: str
    draft: Draft
    row: IdentityProvider | None = None

    @property
    def title(self) -> str:
        """Return what people read."""
        return self.draft.title or self.name


def create(name: str, draft: Draft, sealing_key: bytes, *, by: Actor) -> Provider:
    """Hold a new provider; raises InvalidMembers with all faults, Conflict for a taken name."""
    check(name, draft)
    now = clock.epoch()
    fresh = insert_once(
        IdentityProvider,
        name=name,
        secret_sealed=seal(name, draft.client_secret, sealing_key),
        created_at=now,
        created_by=by.name or by.kind,
        updated_at=now,
        **told(draft),
    )
    if not fresh:
        raise errors.Conflict("There is a provider of this name already; choose another name.")
    audit.record(Tag.IDENTITY_PROVIDER_CREATED, name, by=by, **shown(draft))
    return of(db.session.get_one(IdentityProvider, name))


def check(name: str, draft: Draft) -> None:
    """Raise InvalidMembers for what a new provider may not be like."""
    named = {} if connection_drafts.is_name(name) else {"name": connection_drafts.NAME_SHAPE}
    connection_drafts.check(named | identity_provider_drafts.faults(draft))


def change(provider: Provider, draft: Draft, sealing_key: bytes, *, by: Actor) -> None:
    """Change everything but where the secret goes; without a secret the one before stays.

    Raises InvalidMembers with all faults.
    """
    row = own_row(provider)
    connection_drafts.check(dict(identity_provider_drafts.malformed(draft)))
    members = {name: said for name, said in told(draft).items() if name not in FIXED}
    for name, said in members.items():
        setattr(row, name, said)
    if draft.client_secret:
        row.secret_sealed = seal(row.name, draft.client_secret, sealing_key)
    row.updated_at = clock.epoch()
    changes = audit.changes(shown(provider.draft), shown(of(row).draft))
    rotated = bool(draft.client_secret)
    audit.record(Tag.IDENTITY_PROVIDER_CHANGED, row.name, by=by, secret_rotated=rotated, **changes)


def remove(provider: Provider, *, by: Actor) -> None:
    """Forget a provider and its secret; the accounts that are linked stay linked."""
    gone = db.session.execute(
        delete(IdentityProvider)
        .where(IdentityProvider.name == own_row(provider).name)
        .returning(IdentityProvider.name)
        .execution_options(synchronize_session=False)
    ).first()
    if gone is None:
        raise not_found()
    audit.record(Tag.IDENTITY_PROVIDER_REMOVED, provider.name, by=by, **shown(provider.draft))


def note_test(provider: Provider, failure: str, *, by: Actor) -> None:
    """Record that somebody tried to sign in; ``failure`` is empty when it worked."""
    audit.record(Tag.IDENTITY_PROVIDER_TESTED, provider.name, by=by, failure=failure)


def find_all(environment: Environment) -> list[Provider]:
    """Return all providers by name; one of the settings hides one that operators made."""
    rows = db.session.scalars(select(IdentityProvider))
    found = {row.name: of(row) for row in rows}
    found |= {name: Provider(name, draft) for name, draft in environment.items()}
    return [found[name] for name in sorted(found)]


def find_vouching(issuer: str, environment: Environment) -> Provider | None:
    """Return the provider of an issuer that may vouch for people at apps, without its row."""
    columns = [getattr(IdentityProvider, member) for member in ("name", *OPEN_MEMBERS)]
    rows = db.session.execute(select(*columns).where(IdentityProvider.issuer == issuer))
    drafts = {row.name: draft_of(row) for row in rows} | dict(environment)
    for name in sorted(drafts):
        draft = drafts[name]
        if draft.issuer == issuer and draft.enabled and draft.vouches:
            return Provider(name, draft)
    return None


def get(name: str, environment: Environment) -> Provider:
    """Return a provider; raises NotFound."""
    if name in environment:
        return Provider(name, environment[name])
    row = db.session.get(IdentityProvider, name) if connection_drafts.is_name(name) else None
    if row is None:
        raise not_found()
    return of(row)


def secret_of(provider: Provider, sealing_key: bytes) -> str:
    """Return the client secret; raises ValueError for a seal of another row."""
    if provider.row is None:
        return provider.draft.client_secret
    sealed = provider.row.secret_sealed
    return credentials.unseal(sealing_key, sealed, bound(provider.name)).decode()


def own_row(provider: Provider) -> IdentityProvider:
    """Return the row of a provider; raises Conflict for one of the settings."""
    if provider.row is None:
        raise errors.Conflict("This provider is set in the environment; change it there.")
    return provider.row


def of(row: IdentityProvider) -> Provider:
    """Return a row as a provider, its secret left sealed."""
    return Provider(row.name, draft_of(row), row)


def draft_of(row: IdentityProvider | Row[Any]) -> Draft:
    """Return what was filled in, its secret left sealed."""
    return Draft(**{member: getattr(row, member) for member in OPEN_MEMBERS})


def told(draft: Draft) -> dict[str, Any]:
    """Return what may be seen of a draft."""
    return {member: getattr(draft, member) for member in OPEN_MEMBERS}


def shown(draft: Draft) -> dict[str, Any]:
    """Return what the trail tells of a draft, whose client_id names no client of ours."""
    members = told(draft)
    return {"upstream_client_id": members.pop("client_id"), **members}


def seal(name: str, secret: str, sealing_key: bytes) -> bytes:
    """Seal a secret for one row."""
    return credentials.seal(sealing_key, secret.encode(), bound(name))


def bound(name: str) -> str:
    """Name the row that a seal is for."""
    return f"identity_providers:{name}:client_secret"


def not_found() -> errors.NotFound:
    """Return the refusal for a provider that is not there."""
    return errors.NotFound("There is no identity provider of this name.")
