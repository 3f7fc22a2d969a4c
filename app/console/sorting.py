"""Owns sorting a list by its headers: what the address asks for, and where each header leads."""

from collections.abc import Mapping

from app.console.pages import asked
from app.console.windows import first
from app.domain.orders import Key, Order

Orders = Mapping[str, Order]
"""Orders by the name that the address has for them, the usual first; ``-`` turns one around."""
MOST_DIGITS = 12


def sort_of(orders: Orders) -> tuple[str, bool]:
    """Return the name of the order that the address asks for, and whether it is turned around."""
    wanted = asked("sort")
    name = wanted.removeprefix("-")
    return (name, name != wanted) if name in orders else (next(iter(orders)), False)


def order_of(orders: Orders) -> Order:
    """Return the order that the address asks for; the usual one for unknown names."""
    name, turned = sort_of(orders)
    return orders[name].reversed() if turned else orders[name]


def is_usual(orders: Orders) -> bool:
    """Tell whether the list is in its usual order."""
    return sort_of(orders) == (next(iter(orders)), False)


def headers(orders: Orders) -> dict[str, tuple[str, str]]:
    """Return the address and the ``aria-sort`` of each header, empty where it does not sort."""
    name, turned = sort_of(orders)
    direction = "ascending" if order_of(orders).rising else "descending"
    return {
        each: (first(sort=f"-{each}"), direction)
        if each == name and not turned
        else (first(sort=each), direction if each == name else "")
        for each in orders
    }


def written(key: Key) -> str:
    """Write a key into an address; the identifier at its end holds no space."""
    return " ".join(map(str, key))


def read(order: Order, text: str | None) -> Key | None:
    """Return the key in an address, None when it is none of this order."""
    if not text:
        return None
    value, _, identifier = text.rpartition(" ")
    if len(order.columns) == 1:
        return (text,)
    if order.columns[0].type.python_type is not int:
        return value, identifier
    usable = value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS
    return (int(value), identifier) if usable else None
