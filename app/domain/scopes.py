"""Owns the catalogue of scopes: what may be granted at all, in words people understand."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, errors, generations, grant_types
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, db, insert_once

TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}\Z")
"""One scope name (RFC 6749 section 3.3)."""

RISKS = ("low", "medium", "high")
IDENTITY = ("openid", "profile", "email", "address", "phone")
"""Scopes that tell a client who a person is (OpenID Connect Core section 5.4)."""
BUILT_IN = (*IDENTITY, "offline_access")
"""Scopes of the protocol itself; the migrations put them into the catalogue."""


class Scope(Base):
    """One scope of the catalogue."""

    __tablename__ = "scopes"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    description: Mapped[str] = mapped_column(String(500))
    risk: Mapped[str] = mapped_column(String(8), default="low")
    """One of ``RISKS``; shown at consent and to approvers."""
    is_default: Mapped[bool] = mapped_column(Boolean, default=False)
    """Offered on approval even when the software did not name it."""
    four_eyes: Mapped[bool] = mapped_column(Boolean, default=False)
    """Two people have to approve software before it gets this scope."""
    created_at: Mapped[int] = mapped_column(BigInteger)


def split(scope: str | None) -> tuple[str, ...]:
    """Split a scope string into distinct names, in order; raises InvalidScope (RFC 6749 3.3)."""
    if not scope:
        return ()
    names = tuple(dict.fromkeys(scope.split(" ")))
    if len(names) > 100 or not all(TOKEN.match(name) for name in names):
        raise errors.InvalidScope(
            "The scope parameter is malformed; send names separated by single spaces."
        )
    return names


def join(scopes: Iterable[str]) -> str:
    """Write scopes as the wire string."""
    return " ".join(scopes)


def find_all() -> Sequence[Scope]:
    """Return the catalogue in alphabetical order."""
    return db.session.scalars(select(Scope).order_by(Scope.name)).all()


def find(name: str) -> Scope | None:
    """Return one scope."""
    return db.session.get(Scope, name)


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Keep the names that are in the catalogue, in their order."""
    catalogue = {scope.name for scope in find_all()}
    return tuple(name for name in names if name in catalogue)


def four_eyes(names: Iterable[str]) -> tuple[str, ...]:
    """Keep the names of scopes that two people have to approve."""
    marked = set(db.session.scalars(select(Scope.name).where(Scope.four_eyes)))
    return tuple(name for name in names if name in marked)


def privileged(names: Iterable[str]) -> tuple[str, ...]:
    """Keep the names of scopes of high risk, and of those that two people have to approve."""
    marked = select(Scope.name).where(Scope.four_eyes | (Scope.risk == "high"))
    found = set(db.session.scalars(marked))
    return tuple(name for name in names if name in found)


def defaults() -> tuple[str, ...]:
    """Return the scopes that are offered without being asked for."""
    return tuple(scope.name for scope in find_all() if scope.is_default)


def offered(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the scopes an approval would give: asked for and known, and the defaults.

    Software that names no scope is offered every scope; the approver narrows.
    """
    catalogue = {scope.name: scope.is_default for scope in find_all()}
    named = metadata.get("scope", "").split()
    asked = [name for name in named if name in catalogue] if named else list(catalogue)
    if not grant_types.PERSONAL & set(metadata["grant_types"]):
        return tuple(name for name in asked if name not in BUILT_IN)
    return tuple(dict.fromkeys([*asked, *(name for name in catalogue if catalogue[name])]))


def create(
    name: str,
    description: str,
    *,
    by: Actor,
    risk: str = "low",
    is_default: bool = False,
    four_eyes: bool = False,
) -> Scope:
    """Add a scope to the catalogue; raises Conflict for a name that is taken."""
    if not TOKEN.match(name):
        raise errors.InvalidRequest(
            "A scope name has 1 to 100 printable characters without space, quote or backslash."
        )
    fresh = insert_once(
        Scope,
        name=name,
        description=description,
        risk=risk,
        is_default=is_default,
        four_eyes=four_eyes,
        created_at=clock.epoch(),
    )
    if not fresh:
        raise errors.Conflict("A scope of this name exists already; edit that one.")
    scope = get(name)
    audit.record(Tag.SCOPE_CREATED, name, by=by, after=facts(scope))
    generations.bump("clients")
    return scope


def update(
    name: str, *, by: Actor, description: str, risk: str, is_default: bool, four_eyes: bool
) -> Scope:
    """Change the words, risk or default of a scope, or whether two people have to approve it.

    Software that has the scope keeps it.
    """
    scope = get(name)
    before = facts(scope)
    scope.description, scope.risk = description, risk
    scope.is_default, scope.four_eyes = is_default, four_eyes
    audit.record(Tag.SCOPE_UPDATED, name, by=by, **audit.changes(before, facts(scope)))
    generations.bump("clients")
    return scope


def remove(name: str, *, by: Actor) -> None:
    """Take a scope out of the catalogue; it can no longer be granted, tokens keep it to the end.

    Raises Conflict for a scope of the protocol itself.
    """
    scope = get(name)
    if name in BUILT_IN:
        raise errors.Conflict("This scope belongs to the protocol and stays; do not approve it.")
    db.session.execute(delete(Scope).where(Scope.name == name))
    audit.record(Tag.SCOPE_DELETED, name, by=by, before=facts(scope))
    generations.bump("clients")


def get(name: str) -> Scope:
    """Return one scope; raises NotFound."""
    scope = find(name)
    if scope is None:
        raise errors.NotFound("There is no scope of this name.")
    return scope


def facts(scope: Scope) -> dict[str, object]:
    """Return what the audit trail keeps of a scope."""
    return {
        "description": scope.description,
        "risk": scope.risk,
        "is_default": scope.is_default,
        "four_eyes": scope.four_eyes,
    }
