"""Owns what is filled in for an identity provider, and every fault in it at once."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.domain import connection_drafts
from app.domain.connection_drafts import NEEDED, SHAPES

SCOPE = "openid email profile"
ROLES = ("viewer", "approver", "admin")
"""What groups may give; without one of them a newcomer is a member."""
REQUIRED = ("issuer", "client_id", "client_secret")
TITLE_LENGTH, DOMAINS_LENGTH, LINES_LENGTH = 60, 2000, 4000
CLAIM_SHAPE = "must be the name of a claim: at most 100 printable ASCII characters without spaces"

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_CLAIM = re.compile(r"[!-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Draft:
    """An identity provider as it is filled in; what is empty was left out."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scope: str = SCOPE
    allowed_domains: str = ""
    """Of e-mail addresses, with spaces between; empty allows all."""
    title: str = ""
    """What people read on the button."""
    name_claim: str = "name"
    email_claim: str = "email"
    groups_claim: str = "groups"
    group_roles: str = ""
    """A line for each group that gives a role: ``role: group``."""
    makes_accounts: bool = True
    links_by_email: bool = False
    signs_out: bool = False
    vouches: bool = False
    """Whether apps get tokens of people on its word alone (ID-JAG)."""
    enabled: bool = True

    @property
    def domains(self) -> tuple[str, ...]:
        """Return the domains of e-mail addresses that may sign in, none for all."""
        return tuple(self.allowed_domains.split())

    @property
    def role_of_group(self) -> dict[str, str]:
        """Return what each group gives; of a group that is named twice the last line counts."""
        lines = (line.partition(":") for line in self.group_roles.splitlines() if line.strip())
        return {group.strip(): role.strip() for role, _, group in lines}


def faults(draft: Draft) -> dict[str, str]:
    """Return what each member must be that is not as it must be."""
    missing = ((member, NEEDED) for member in REQUIRED if not getattr(draft, member))
    return dict([*malformed(draft), *missing])


def malformed(draft: Draft) -> Iterator[tuple[str, str]]:
    """Yield the members whose value cannot be one."""
    for member in REQUIRED:
        fits, what = SHAPES[member]
        if getattr(draft, member) and not fits(getattr(draft, member)):
            yield member, what
    for member, (is_one, what) in OWN_SHAPES.items():
        if not is_one(getattr(draft, member)):
            yield member, what


def is_scope(value: str) -> bool:
    """Tell whether a scope asks who somebody is (OpenID Connect Core section 3.1.2.1)."""
    return connection_drafts.is_scope(value) and "openid" in value.split()


def are_domains(value: str) -> bool:
    """Tell whether a text lists domains."""
    return len(value) <= DOMAINS_LENGTH and all(map(_DOMAIN.fullmatch, value.split()))


def is_title(value: str) -> bool:
    """Tell whether a text fits on a button."""
    return len(value) <= TITLE_LENGTH and value.isprintable()


def is_claim(value: str) -> bool:
    """Tell whether a text names a claim."""
    return _CLAIM.fullmatch(value) is not None


def are_group_roles(value: str) -> bool:
    """Tell whether each line gives a role to a group."""
    lines = [line.partition(":") for line in value.splitlines() if line.strip()]
    known = all(role.strip() in ROLES and group.strip().isprintable() for role, _, group in lines)
    return len(value) <= LINES_LENGTH and known and all(group.strip() for _, _, group in lines)


def is_flag(value: object) -> bool:
    """Tell whether a switch is on or off."""
    return isinstance(value, bool)


OWN_SHAPES: dict[str, tuple[Callable[[Any], object], str]] = {
    "scope": (is_scope, "must be names with single spaces between, and openid among them"),
    "allowed_domains": (are_domains, "must be domains in lower case with spaces between"),
    "title": (is_title, "must be one line of at most 60 characters"),
    "name_claim": (is_claim, CLAIM_SHAPE),
    "email_claim": (is_claim, CLAIM_SHAPE),
    "groups_claim": (is_claim, CLAIM_SHAPE),
    "vouches": (is_flag, "must be true or false"),
    "group_roles": (
        are_group_roles,
        "must have lines like admin: name of the group, with viewer, approver or admin before it",
    ),
}
"""What each member must be like that a connection has not."""
