"""Owns deciding about all software that a list matches, as far as it is what the page counted."""

from dataclasses import dataclass

from app.config import current_key
from app.domain import credentials, software
from app.domain.software import ORDERS

MOST = 500
"""So much is decided about at once; others wait to write for as long as that takes."""
MARK_LENGTH = 8
"""Of a mark: 48 bits, which nobody without the key can aim at."""


@dataclass(frozen=True, slots=True)
class Matching:
    """What a page offers to decide about beyond its own rows."""

    total: int
    seen: str
    """The marks of the revisions it counts; what waited longest if there are too many."""

    @property
    def number(self) -> int:
        """Return how much is decided about."""
        return len(self.seen) // MARK_LENGTH


def offered(search: str) -> Matching:
    """Return what waits and matches now."""
    marks = (mark(*each) for each in waiting(search))
    return Matching(software.count("pending", search), "".join(marks))


def chosen(search: str, seen: str) -> tuple[list[str], int]:
    """Return what to decide about, as rows select it, and how much came or changed since."""
    known = {seen[at : at + MARK_LENGTH] for at in range(0, len(seen), MARK_LENGTH)}
    now = waiting(search)
    found = [f"{each[0]}:{each[1]}" for each in now if mark(*each) in known]
    return found, len(now) - len(found)


def waiting(search: str) -> list[tuple[str, str]]:
    """Return identifiers and revisions of what waits and matches, the oldest first."""
    order = ORDERS["first"].reversed()
    return software.find_revisions("pending", search=search, order=order, size=MOST)


def mark(software_id: str, revision: str) -> str:
    """Return what a page keeps of one revision."""
    text = f"{software_id}:{revision}"
    return credentials.derive(current_key("lists"), "seen", text)[:MARK_LENGTH]
