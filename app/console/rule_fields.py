"""Owns the fields of the form of a rule: one for each condition, in groups, and what was typed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from app.console.forms import Form
from app.console.rule_words import ANY_TOKEN, TOKEN, token_names
from app.domain import errors, grants, resources, rule_lines, rules
from app.domain.rule_conditions import CONDITIONS
from app.domain.rules import Rule

GROUPS = {
    "Where its codes go": ("redirect_host", "redirect_uri", "redirect_scheme"),
    "What it calls itself": ("name", "name_reads_like", "software_id"),
    "What it asks for": ("grant_type", "auth_method", "scope"),
    "How it arrives": (
        "source",
        "document_host",
        "document_url",
        "initial_access_token",
        "statement_issuer",
        "network",
    ),
}
OTHERS = "What is known about it"
When = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Field:
    """The field of one condition."""

    name: str
    label: str
    hint: str
    kind: str
    """``lines``, ``number`` or ``choices``."""
    lines: tuple[str, ...]
    options: list[tuple[str, str, None]]


def field_of(name: str) -> str:
    """Return the name that the field of a condition has in the form."""
    return f"when_{name}"


def fields(when: When) -> dict[str, Field]:
    """Return the fields by condition, in the order of the vocabulary, filled in."""
    return {name: field(name, when.get(name, ())) for name in CONDITIONS}


def field(name: str, lines: tuple[str, ...]) -> Field:
    """Return the field of one condition; a number that has several lines is shown as lines."""
    condition = CONDITIONS[name]
    options = choices(name, lines)
    kind = "choices" if options else "lines"
    if condition.read is rule_lines.number and len(lines) < 2:
        kind = "number"
    return Field(field_of(name), condition.label, condition.hint, kind, lines, options)


def choices(name: str, lines: Iterable[str]) -> list[tuple[str, str, None]]:
    """Return what can be ticked for a condition; a token that is gone stays until unticked."""
    if name != TOKEN:
        return [(choice, choice, None) for choice in CONDITIONS[name].choices]
    known = ANY_TOKEN | token_names([Rule("", "hold", {TOKEN: ()})])
    return [(each, known.get(each, each), None) for each in dict.fromkeys([*known, *lines])]


def grouped(shown: Mapping[str, Field], faults: Mapping[str, str]) -> dict[str, list[Field]]:
    """Return the fields that are not in use, in groups; what was not refused and is empty."""
    placed = {name for names in GROUPS.values() for name in names}
    groups = GROUPS | {OTHERS: tuple(name for name in CONDITIONS if name not in placed)}
    return {
        title: [shown[name] for name in names if not in_use(shown[name], faults)]
        for title, names in groups.items()
    }


def in_use(shown: Field, faults: Mapping[str, str]) -> bool:
    """Tell whether a condition is filled in or has a fault."""
    return bool(shown.lines) or shown.name in faults


def typed_when() -> dict[str, tuple[str, ...]]:
    """Return the lines that were typed or ticked, as they are."""
    return {name: typed_lines(field_of(name)) for name in CONDITIONS}


def typed_lines(field: str) -> tuple[str, ...]:
    """Return the lines that were typed into a field, or ticked, as they are."""
    texts = request.form.getlist(field)
    return tuple(line.strip() for text in texts for line in text.splitlines() if line.strip())


def read_when(form: Form, typed: When) -> dict[str, tuple[str, ...]]:
    """Return the conditions as a rule keeps them; a fault names its line."""
    found = {name: read_lines(form, field_of(name), name, typed[name]) for name in typed}
    return {name: lines for name, lines in found.items() if lines}


def read_lines(form: Form, field: str, name: str, lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines of a field as the condition of this name keeps them."""
    found = form.tried(field, lambda: rules.lines(name, lines))
    if found is None and len(lines) > 1:
        form.faults[field] = f"Line {faulty(name, lines)}: {form.faults[field]}"
    return found or ()


def faulty(name: str, lines: Iterable[str]) -> int:
    """Return which line cannot be read; 1 if all can."""
    for number, line in enumerate(lines, 1):
        try:
            CONDITIONS[name].read(line)
        except errors.Refusal:
            return number
    return 1


def read_then(form: Form) -> dict[str, Any]:
    """Return what an admission is bounded by; an empty field does not bound."""
    scopes = " ".join(request.form.get("scopes", "").split())
    uris = tuple(request.form.get("resources", "").split())
    found: dict[str, Any] = {
        "access_token_seconds": form.number(
            "access_token_seconds",
            "The lifetime of access tokens",
            grants.SHORTEST_SECONDS,
            grants.LONGEST_SECONDS,
        ),
        "approve_days": form.number(
            "approve_days", "The number of days", 1, rules.LONGEST_APPROVAL_DAYS
        ),
    }
    with form.blaming("scopes"):
        found["scopes"] = rules.scope_names(scopes or none("no_scopes"))
    with form.blaming("resources"):
        found["resources"] = rules.listed(uris or none("no_resources"), resources.check_uri)
    return found


def none(box: str) -> tuple[()] | None:
    """Return a bound that leaves nothing when a rule has one and keeps it."""
    return () if box in request.form else None
