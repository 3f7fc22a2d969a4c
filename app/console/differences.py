"""Owns how console pages show what changed: member by member, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Difference:
    """One member that differs; each line with whether the other side lacks it."""

    name: str
    before: list[tuple[str, bool]]
    after: list[tuple[str, bool]]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the members that differ, in alphabetical order."""
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return [difference(name, before.get(name), after.get(name)) for name in names]


def difference(name: str, before: Any, after: Any) -> Difference:
    """Compare the lines of one member; scopes are compared one by one."""
    old, new = (lines_of(value, split=name == "scope") for value in (before, after))
    return Difference(
        name,
        [(line, line not in new) for line in old],
        [(line, line not in old) for line in new],
    )


def lines_of(value: Any, *, split: bool = False) -> list[str]:
    """Write a JSON value as lines: a list item by item, an object as JSON."""
    if value is None:
        return []
    if isinstance(value, str):
        return value.split() if split else [value]
    if isinstance(value, list):
        return [line for each in value for line in lines_of(each)]
    return [orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()]
