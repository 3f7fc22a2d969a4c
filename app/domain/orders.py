"""Owns the orders of lists, and walking them by key: exact although values may be equal."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.extensions import db

Key = tuple[Any, ...]
"""The values by which a row has its place; nothing counts as 0."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by; the last column tells rows of equal values apart."""

    columns: tuple[InstrumentedAttribute[Any], ...]
    rising: bool = False

    def reversed(self) -> "Order":
        """Return the order from the other end."""
        return replace(self, rising=not self.rising)

    def key(self, *row: Any) -> Key:
        """Return the key of a row, which may be made of several entities."""
        owners: dict[Any, Any] = {type(entity): entity for entity in row}
        return tuple(getattr(owners[each.class_], each.key) or 0 for each in self.columns)


def walk(
    query: Select[*tuple[Any, ...]],
    order: Order,
    *,
    after: Key | None = None,
    before: Key | None = None,
    size: int,
) -> list[Any]:
    """Return at most ``size`` rows in an order, beside the key of a neighbour."""
    way = order if before is None else order.reversed()
    found: list[Any] = []
    for stretch in stretches(query, way, after if before is None else before):
        if len(found) < size:
            found += db.session.execute(stretch.limit(size - len(found)))
    return found if before is None else found[::-1]


def stretches(
    query: Select[*tuple[Any, ...]], order: Order, bound: Key | None
) -> list[Select[*tuple[Any, ...]]]:
    """Return the queries that find the rows behind a key, one after the other.

    Rows with nothing to sort by come before all others. They are a query of their own, because
    the databases do not agree about their place, and an index serves one of the two only.
    """
    value, identifier = order.columns[0], order.columns[-1]
    if not value.property.columns[0].nullable:
        return [beyond(query, order, bound)]
    in_empty = bound is not None and not bound[0]
    in_full = bound is not None and not in_empty
    nothing = Order((identifier,), order.rising)
    empty = beyond(query.where(value.is_(None)), nothing, bound[1:] if bound and in_empty else None)
    full = beyond(query.where(value.is_not(None)), order, bound if in_full else None)
    if order.rising:
        return [full] if in_full else [empty, full]
    return [empty] if in_empty else [full, empty]


def beyond(
    query: Select[*tuple[Any, ...]], order: Order, bound: Key | None
) -> Select[*tuple[Any, ...]]:
    """Return the query of the rows behind a key, sorted."""
    sort = [each.asc() if order.rising else each.desc() for each in order.columns]
    if bound is None:
        return query.order_by(*sort)
    place, first = tuple_(*order.columns), order.columns[0]
    # The first column is bound by itself as well: PostgreSQL finds no index for columns of two
    # tables at once.
    if order.rising:
        return query.where(place > bound, first >= bound[0]).order_by(*sort)
    return query.where(place < bound, first <= bound[0]).order_by(*sort)
