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
    """None when nothing is said about this address."""
    name: str
    groups: tuple[str, ...]
    role: str


def read(draft: Draft, claims: Mapping[str, Any]) -> Person:
    """Return what claims mean for this server; what has another shape counts as unsaid."""
    groups = groups_of(claims.get(draft.groups_claim))
    return Person(
        line(claims.get("sub"), LONGEST_EMAIL),
        address(claims, draft.email_claim),
        verified_of(draft, claims),
        line(claims.get(draft.name_claim), LONGEST_NAME),
        groups,
        role_of(draft, groups),
    )


def verified_of(draft: Draft, claims: Mapping[str, Any]) -> bool | None:
    """Return whether the address is verified, None when nothing is said about it.

    ``email_verified`` vouches for the claim ``email`` alone (OpenID Connect Core section 5.1).
    """
    verified = claims.get("email_verified")
    if verified is True and address(claims, draft.email_claim) != address(claims, "email"):
        return None
    return verified if isinstance(verified, bool) else None


def address(claims: Mapping[str, Any], claim: str) -> str:
    """Return the e-mail address of a claim in small letters, empty without one."""
    return line(claims.get(claim), LONGEST_EMAIL).casefold()


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
