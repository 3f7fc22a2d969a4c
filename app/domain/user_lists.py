"""Owns how accounts are searched, filtered and paged."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, or_, select

from app.domain import federated_identities, orders
from app.domain.orders import Key, Order
from app.domain.users import HAS_WAY, User

BY_EMAIL = Order((User.email,), rising=True)
STATES = {
    "enabled": User.disabled_at.is_(None) & HAS_WAY,
    "waiting": User.disabled_at.is_(None) & ~HAS_WAY,
    "disabled": User.disabled_at.is_not(None),
}
"""How an account may stand; one that waits has no way to sign in yet."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; empty members do not narrow."""

    search: str = ""
    role: str = ""
    state: str = ""


def find_page(
    filters: Filters, *, after: Key | None = None, before: Key | None = None, size: int
) -> list[User]:
    """Return at most ``size`` accounts by e-mail address, beside the key of a neighbour."""
    found = orders.walk(matching(filters), BY_EMAIL, after=after, before=before, size=size)
    return [user for (user,) in found]


def matching(filters: Filters) -> Select[User]:
    """Return the query of the accounts that fit."""
    query = select(User)
    if filters.search:
        named = User.email.icontains(filters.search, autoescape=True)
        query = query.where(or_(named, User.id == filters.search))
    if filters.role:
        query = query.where(User.role == filters.role)
    if filters.state:
        query = query.where(STATES[filters.state])
    return query


def states_of(found: Sequence[User]) -> list[str]:
    """Return how some accounts stand, each as one of ``STATES``."""
    linked = federated_identities.holders(user.id for user in found)
    return [state_of(user, is_linked=user.id in linked) for user in found]


def state_of(user: User, *, is_linked: bool) -> str:
    """Return how an account stands, as one of ``STATES``."""
    if user.disabled_at is not None:
        return "disabled"
    return "enabled" if user.password_hash is not None or is_linked else "waiting"
