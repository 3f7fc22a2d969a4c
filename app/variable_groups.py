"""Owns groups of variables: any number of things that the environment names, and their faults."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from app import secret_files
from app.domain import connection_drafts

SECRET, SECRET_FILE = "client_secret", "client_secret_file"
NAME_SHAPE = "1 to 64 capitals, digits and _, with no _ at its ends"

Draft = TypeVar("Draft")


class Member(NamedTuple):
    """What one variable of a group is about, and how its value is read."""

    kind: str
    description: str
    read: Callable[[str], Any] = str


@dataclass(frozen=True)
class VariableGroup(Generic[Draft]):
    """Things of one kind: each has a name, which stands in its variables before the member."""

    prefix: str
    noun: str
    """With its article."""
    members: Mapping[str, Member]
    draft: Callable[..., Draft]
    draft_faults: Callable[[Draft], Mapping[str, str]]

    @property
    def endings(self) -> tuple[str, ...]:
        """Return how variables end."""
        return tuple(member.upper() for member in (*self.members, SECRET_FILE))

    def split(self, variable: str) -> tuple[str, str] | None:
        """Return the name and the member that a variable is about; None for another variable."""
        shape = rf"{self.prefix}([A-Z0-9_]+)_({'|'.join(self.endings)})"
        found = re.fullmatch(shape, variable)
        name = found[1].lower().replace("_", "-") if found else ""
        if found is None or not connection_drafts.is_name(name):
            return None
        return name, found[2].lower()

    def variable(self, name: str, member: str) -> str:
        """Return the variable of a member of one name."""
        return f"{self.prefix}{name.upper().replace('-', '_')}_{member.upper()}"

    def read(self, environ: Mapping[str, str]) -> dict[str, Draft]:
        """Return what variables name; ``faults`` says what is wrong with it."""
        found: dict[str, dict[str, Any]] = {}
        for given, value in sorted(environ.items()):
            about = self.split(given.upper()) if value else None
            if about is not None:
                name, member = about
                found.setdefault(name, {}).update(self._said(member, value))
        return {name: self.draft(**members) for name, members in found.items()}

    def faults(self, environ: Mapping[str, str]) -> Iterator[str]:
        """Say what is wrong with the variables, all of it, and never show a value."""
        for given in sorted(name for name, value in environ.items() if value):
            if given.upper().startswith(self.prefix) and self.split(given.upper()) is None:
                endings = ", ".join(f"_{ending}" for ending in self.endings)
                yield (
                    f"{given} must end with one of {endings}, and have before it the name of"
                    f" {self.noun}: {NAME_SHAPE}"
                )
        for name, draft in self.read(environ).items():
            unread = [*secret_files.faults_of(self.variable(name, SECRET), environ)]
            yield from unread
            for member, what in self.draft_faults(draft).items():
                if member != SECRET or not unread:
                    yield f"{self.variable(name, member)} {what}"

    def _said(self, member: str, value: str) -> dict[str, Any]:
        """Return what one variable says of a draft."""
        if member == SECRET_FILE:
            return {SECRET: secret_files.read(value) or ""}
        return {member: self.members[member].read(value)}
