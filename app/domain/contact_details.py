"""Owns how people can be reached: telephone number and postal address, for apps that may know."""

import re
from typing import Any, NamedTuple

from sqlalchemy import Boolean, ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.domain import audit, client_texts, errors
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, db, insert_once

LONGEST_ADDRESS, LONGEST_LINE, LINES = 500, 100, 8
TOO_LONG = "A postal address has 8 lines and 500 characters at most."
PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}\Z", re.ASCII)
"""E.164, as OpenID Connect Core section 5.1 recommends."""
_BETWEEN_DIGITS = re.compile(r"[ ()./-]")


class Details(NamedTuple):
    """What is known of somebody."""

    phone_number: str | None = None
    phone_number_verified: bool = False
    """Whether an operator says that the number is theirs."""
    address: str | None = None
    """As on an envelope, with its lines."""


class ContactDetails(Base):
    """The details of one account."""

    __tablename__ = "contact_details"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    phone_number: Mapped[str | None] = mapped_column(String(16))
    phone_number_verified: Mapped[bool] = mapped_column(Boolean)
    address: Mapped[str | None] = mapped_column(String(LONGEST_ADDRESS))


def find(user_id: str) -> Details:
    """Return what is known of an account."""
    row = ContactDetails
    query = select(row.phone_number, row.phone_number_verified, row.address)
    found = db.session.execute(query.where(row.user_id == user_id)).first()
    return Details() if found is None else Details(*found)


def claims_of(user_id: str) -> dict[str, Any]:
    """Return what is known by its claim (OpenID Connect Core sections 5.1 and 5.1.1)."""
    known = find(user_id)
    claims: dict[str, Any] = {}
    if known.phone_number:
        claims["phone_number"] = known.phone_number
        claims["phone_number_verified"] = known.phone_number_verified
    if known.address:
        claims["address"] = {"formatted": known.address}
    return claims


def change(user_id: str, wanted: Details, *, by: Actor) -> None:
    """Store what is known from now on; the trail keeps what changed without saying how."""
    before = find(user_id)
    if wanted == before:
        return
    values = wanted._asdict()
    if not insert_once(ContactDetails, user_id=user_id, **values):
        db.session.execute(
            update(ContactDetails)
            .where(ContactDetails.user_id == user_id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
    changed = [name for name in values if getattr(before, name) != values[name]]
    audit.record(Tag.USER_CONTACT_CHANGED, user_id, by=by, changed=changed)


def read(before: Details, phone_number: str, address: str, *, verified: bool | None) -> Details:
    """Return what was typed; raises InvalidRequest or InvalidClientMetadata.

    Only an operator says whether the number is verified; else it is while it stays the same.
    """
    number = read_phone_number(phone_number)
    same = before.phone_number_verified and before.phone_number == number
    is_verified = same if verified is None else verified
    return Details(number, is_verified and number is not None, read_address(address))


def read_phone_number(typed: str) -> str | None:
    """Return a telephone number without what people write between digits, None for nothing."""
    number = _BETWEEN_DIGITS.sub("", typed.strip())
    if number and not PHONE_NUMBER.match(number):
        raise errors.InvalidRequest(
            "A telephone number begins with + and the code of its country, and has 7 to 15 digits."
        )
    return number or None


def read_address(typed: str) -> str | None:
    """Return a postal address, one line below the other, None for nothing."""
    if len(typed) > 2 * LONGEST_ADDRESS:
        raise errors.InvalidRequest(TOO_LONG)
    rows = typed.replace("\r", "").split("\n")
    told = (client_texts.text("A postal address", each, LONGEST_LINE) for each in rows)
    lines = [line for line in told if line]
    address = "\n".join(lines)
    if len(address) > LONGEST_ADDRESS or len(lines) > LINES:
        raise errors.InvalidRequest(TOO_LONG)
    return address or None
