"""Owns the logos of software: what an operator had fetched, looked at, and lets people see."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    Row,
    String,
    Text,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors, raster_images, software
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.software import Software
from app.extensions import Base, db

CHANGED = "The logo has changed or was decided about meanwhile; look at it again."


class SoftwareLogo(Base):
    """The one picture of some software that is kept; never fetched again by itself (X-44)."""

    __tablename__ = "software_logos"

    software_id: Mapped[str] = mapped_column(
        ForeignKey("software.id", ondelete="CASCADE"), primary_key=True
    )
    logo_uri: Mapped[str] = mapped_column(Text)
    """Where it came from; a client that names another address is shown without it."""
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    media_type: Mapped[str] = mapped_column(String(16))
    """As the bytes say, not as their server did."""
    digest: Mapped[str] = mapped_column(String(64), index=True)
    fetched_at: Mapped[int] = mapped_column(BigInteger)
    fetched_by: Mapped[str] = mapped_column(String(255))
    shown_at: Mapped[int | None] = mapped_column(BigInteger)
    """Since when people may see it; None while no operator has said so."""
    shown_by: Mapped[str | None] = mapped_column(String(255))


def address_of(row: Software) -> str | None:
    """Return where some software says that its logo is."""
    uri: str | None = row.client_metadata.get("logo_uri")
    return uri


def find(row: Software) -> SoftwareLogo | None:
    """Return the kept logo of some software, if it came from where the software says by now."""
    kept = db.session.get(SoftwareLogo, row.id)
    return kept if kept is not None and kept.logo_uri == address_of(row) else None


def keep(software_id: str, logo_uri: str, content: bytes, *, by: Actor) -> SoftwareLogo:
    """Keep what was fetched instead of what was before; nobody is shown it yet.

    Raises InvalidRequest for what is no picture, and NotFound when the software is gone.
    """
    picture = raster_images.read(content)
    claim(software_id)
    kept = db.session.get(SoftwareLogo, software_id, populate_existing=True)
    if kept is None:
        kept = SoftwareLogo(software_id=software_id)
        db.session.add(kept)
    kept.logo_uri, kept.content, kept.media_type = logo_uri, content, picture.media_type
    kept.digest = credentials.content_digest(content)
    kept.fetched_at, kept.fetched_by = clock.epoch(), by.name or by.kind
    kept.shown_at = kept.shown_by = None
    audit.record(
        Tag.SOFTWARE_LOGO_FETCHED,
        software_id,
        by=by,
        logo_uri=logo_uri,
        digest=kept.digest,
        media_type=picture.media_type,
        pixels=[picture.width, picture.height],
        size=len(content),
    )
    return kept


def claim(software_id: str) -> None:
    """Keep others from storing a logo, or forgetting the software, until the commit."""
    there = db.session.execute(
        update(Software)
        .where(Software.id == software_id)
        .values(status=Software.status)
        .returning(Software.id)
        .execution_options(synchronize_session=False)
    ).first()
    if there is None:
        raise errors.NotFound("There is no software with this identifier.")


def show(software_id: str, digest: str, *, by: Actor) -> None:
    """Let people see exactly the picture that was looked at; raises Conflict for another one."""
    hidden, shown = SoftwareLogo.shown_at.is_(None), (clock.epoch(), by.name or by.kind)
    turn(software_id, digest, hidden, shown, Tag.SOFTWARE_LOGO_SHOWN, by=by)


def hide(software_id: str, digest: str, *, by: Actor) -> None:
    """Let people see it no more; raises Conflict when they do not, or see another one."""
    shown = SoftwareLogo.shown_at.is_not(None)
    turn(software_id, digest, shown, (None, None), Tag.SOFTWARE_LOGO_HIDDEN, by=by)


def turn(
    software_id: str,
    digest: str,
    before: ColumnElement[bool],
    after: tuple[int | None, str | None],
    tag: Tag,
    *,
    by: Actor,
) -> None:
    """Change whether people see a logo, once, and record it."""
    won = db.session.execute(
        update(SoftwareLogo)
        .where(SoftwareLogo.software_id == software_id, SoftwareLogo.digest == digest, before)
        .values(shown_at=after[0], shown_by=after[1])
        .returning(SoftwareLogo.logo_uri)
        .execution_options(synchronize_session=False)
    ).first()
    if won is None:
        raise errors.Conflict(CHANGED, software_id=software_id)
    audit.record(tag, software_id, by=by, logo_uri=won.logo_uri, digest=digest)


def digest_for(software_id: str, metadata: Mapping[str, Any]) -> str | None:
    """Return the digest of the logo that people see beside a client with these metadata."""
    uri = metadata.get("logo_uri")
    if uri is None:
        return None
    found: str | None = db.session.scalar(
        select(SoftwareLogo.digest)
        .join(Software, Software.id == SoftwareLogo.software_id)
        .where(SoftwareLogo.software_id == software_id, SoftwareLogo.logo_uri == uri, is_public())
    )
    return found


def find_public(digest: str) -> Row[bytes, str] | None:
    """Return bytes and media type of a logo that people are shown."""
    query = select(SoftwareLogo.content, SoftwareLogo.media_type)
    joined = query.join(Software, Software.id == SoftwareLogo.software_id)
    found = joined.where(SoftwareLogo.digest == digest, is_public())
    return None if "\0" in digest else db.session.execute(found.limit(1)).first()


def find_kept(software_id: str, digest: str) -> Row[bytes, str] | None:
    """Return bytes and media type of a logo for operators, shown to people or not."""
    found = select(SoftwareLogo.content, SoftwareLogo.media_type).where(
        SoftwareLogo.software_id == software_id, SoftwareLogo.digest == digest
    )
    return None if "\0" in software_id + digest else db.session.execute(found).first()


def is_public() -> ColumnElement[bool]:
    """Return what is true of logos that people see: an operator said so of approved software."""
    return SoftwareLogo.shown_at.is_not(None) & software.is_approved(clock.epoch())
