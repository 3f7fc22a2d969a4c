"""Owns what the claims of an identity provider mean here: address, name, groups, role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.identity_provider_drafts import ROLES, Draft

MEMBER = "member"
LONGEST_NAME, LONGEST_EMAIL = 200, 255
MOST_GROUPS = 1000

NO_EMAIL = "The provider tells no e-mail address, so no account can be made or found."
OTHER_DOMAIN = "The e-mail address is of no domain that is allowed."
UNVERIFIED = "The provider says that the e-mail address is not verified, and domains are limited."


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a provider tells of them, in our words."""

    subject: str
    email: str
    """In small letters; empty without one."""
    email_verified: bool | None
    """None when nothing is said about it."""
    name: str
    groups: tuple[str, ...]
    role: str


def read(draft: Draft, claims: Mapping[str, Any]) -> Person:
    """Return what claims mean for this server; what has another shape counts as unsaid."""
    verified, groups = claims.get("email_verified"), groups_of(claims.get(draft.groups_claim))
    return Person(
        line(claims.get("sub"), LONGEST_EMAIL),
        line(claims.get(draft.email_claim), LONGEST_EMAIL).casefold(),
        verified if isinstance(verified, bool) else None,
        line(claims.get(draft.name_claim), LONGEST_NAME),
        groups,
        role_of(draft, groups),
    )


def obstacle(draft: Draft, person: Person) -> str:
    """Return why somebody may not sign in by this provider, nothing when they may.

    Allowed domains are worth something only with addresses that the provider does not doubt.
    """
    if not draft.domains:
        return ""
    if person.email.rpartition("@")[2] not in draft.domains:
        return OTHER_DOMAIN
    return UNVERIFIED if person.email_verified is False else ""


def role_of(draft: Draft, groups: Iterable[str]) -> str:
    """Return the highest role that groups give, member without one."""
    given = {draft.role_of_group.get(group) for group in groups}
    return next((role for role in reversed(ROLES) if role in given), MEMBER)


def groups_of(value: object) -> tuple[str, ...]:
    """Return the names of groups, of which one may stand alone."""
    named = value if isinstance(value, list) else [value]
    return tuple(each for each in named[:MOST_GROUPS] if isinstance(each, str))


def line(value: object, longest: int) -> str:
    """Return one line of text, nothing for anything else."""
    fits = isinstance(value, str) and len(value) <= longest and value.isprintable()
    return value.strip() if isinstance(value, str) and fits else ""


def is_lacking(draft: Draft, claims: Mapping[str, Any]) -> bool:
    """Tell whether claims that this server reads are not there."""
    wanted = {draft.email_claim, draft.name_claim}
    if draft.group_roles:
        wanted.add(draft.groups_claim)
    return bool(wanted - claims.keys())
