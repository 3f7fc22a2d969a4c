"""Owns paging by key: which rows a page shows, and the addresses of its neighbours."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.console.pages import PAGE_SIZES, address_with, asked, page_size

Row = TypeVar("Row")
Find = Callable[[str | None, str | None, int], Sequence[Row]]
"""Returns rows in their order, behind one key or before another, at most so many."""
LONGEST = 2200
"""No key is longer: that of a client holds its name and its identifier, which may be a URL."""


@dataclass(frozen=True, slots=True)
class Window(Generic[Row]):
    """One page of a list; the addresses are None where the list ends."""

    rows: Sequence[Row]
    newer_url: str | None
    older_url: str | None

    @property
    def sizes(self) -> list[tuple[int, str, bool]]:
        """Return number, address and whether it is chosen of each size, if there is a choice."""
        if len(self.rows) <= PAGE_SIZES[0] and self.is_whole:
            return []
        return [(each, first(size=each), each == page_size()) for each in PAGE_SIZES]

    @property
    def is_whole(self) -> bool:
        """Tell whether the page shows the whole list."""
        return self.newer_url is None and self.older_url is None


def window(find: Find[Row], key: Callable[[Row], str]) -> Window[Row]:
    """Return the page that ``older`` or ``newer`` in the address asks for."""
    size = page_size()
    older, newer = key_of("older"), key_of("newer")
    if newer is not None:
        found = find(None, newer, size + 1)
        rows = found[-size:]
        beyond = len(found) > size
        newer_url = beside("newer", key(rows[0])) if beyond else None
        return Window(rows, newer_url, beside("older", key(rows[-1])) if rows else first())
    found = find(older, None, size + 1)
    rows = found[:size]
    older_url = beside("older", key(rows[-1])) if len(found) > size else None
    if older is None:
        return Window(rows, None, older_url)
    return Window(rows, beside("newer", key(rows[0])) if rows else first(), older_url)


def key_of(name: str) -> str | None:
    """Return the key of a neighbour from the address."""
    return asked(name, LONGEST) or None


def beside(direction: str, key: str) -> str:
    """Return the address of the page that begins beside a row."""
    other = "older" if direction == "newer" else "newer"
    return address_with(**{direction: key, other: None})


def first(**changes: str | int | None) -> str:
    """Return the address of the first page, with other values of its query changed or removed."""
    return address_with(**{"older": None, "newer": None, **changes})


def chips(filters: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Return label, value and removing address of the filters in force.

    ``filters`` are triples of name, label and value; an empty value is not in force.
    """
    return [(label, value, first(**{name: None})) for name, label, value in filters if value]
