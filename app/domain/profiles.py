"""Owns what apps may learn about a person: the claims that an account has."""

from typing import Any

from app.domain import audit, contact_details, users
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.users import User


def claims_of(user_id: str) -> dict[str, Any] | None:
    """Return what is known about a person by its claim (OpenID Connect Core section 5.1).

    None for an account that is not there or disabled. Nobody has verified an e-mail address yet.
    """
    user = users.find(user_id)
    if user is None or user.disabled_at is not None:
        return None
    known = {"name": user.name} if user.name else {}
    address = {"preferred_username": user.email, "email": user.email, "email_verified": False}
    return known | address | contact_details.claims_of(user.id)


def rename(user: User, name: str, *, by: Actor) -> None:
    """Change what people are called."""
    audit.record(Tag.USER_RENAMED, user.id, by=by, before=user.name, after=name)
    user.name = name
