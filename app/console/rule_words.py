"""Owns what pages of the console say about a rule: its conditions, its bounds, its state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import registration_tokens
from app.domain.obligations import Obligations
from app.domain.rule_conditions import CONDITIONS
from app.domain.rules import Rule

TOKEN = "initial_access_token"
ANY_TOKEN = {"*": "Any token", registration_tokens.STATIC: "The token of the settings"}
OUTCOMES = {"admit": "Admit it", "hold": "Hold it for a person", "refuse": "Refuse it"}
FIXED = (
    ("refused software", "refuse", "People have rejected or blocked this software."),
    ("ended approval", "refuse", "Its approval has ended; it cannot revive itself."),
    ("closed software", "refuse", "It is approved, but people let no newcomers in."),
    ("approved software", "admit", "People or a rule have approved this software."),
)
"""The rules that no policy can change, in words; they come first."""


@dataclass(frozen=True, slots=True)
class Words:
    """A rule as pages show it."""

    rule: Rule
    conditions: list[tuple[str, list[str]]]
    """Labels with what is wanted."""
    bounds: list[str]
    unreached: str = ""
    """The name of an earlier rule that decides about everything."""


def of_rules(rules: Iterable[Rule]) -> list[Words]:
    """Return rules in words, in their order."""
    listed = list(rules)
    names = token_names(listed)
    found, decided = [], ""
    for rule in listed:
        found.append(Words(rule, conditions_of(rule, names), bounds_of(rule.then), decided))
        if rule.enabled and not rule.shadow and not rule.when:
            decided = decided or rule.name
    return found


def token_names(rules: Iterable[Rule]) -> dict[str, str]:
    """Return the names of initial access tokens when a rule is about them."""
    if not any(TOKEN in rule.when for rule in rules):
        return {}
    return {row.id: row.name for row in registration_tokens.find_all()} | ANY_TOKEN


def conditions_of(rule: Rule, names: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Return the label of each condition, and what it wants."""
    return [
        (
            CONDITIONS[name].label,
            [names.get(line, line) if name == TOKEN else line for line in lines],
        )
        for name, lines in rule.when.items()
    ]


def bounds_of(then: Obligations) -> list[str]:
    """Return what an admission is bounded by, as parts of a sentence."""
    found = []
    if then.scopes is not None:
        found.append(f"only the scopes {' '.join(then.scopes)}" if then.scopes else "no scope")
    if then.resources is not None:
        listed = ", ".join(then.resources)
        found.append(f"only for {listed}" if listed else "for no resource")
    if then.access_token_seconds is not None:
        found.append(f"tokens live {then.access_token_seconds} s")
    if then.approve_days is not None:
        days = "1 day" if then.approve_days == 1 else f"{then.approve_days} days"
        found.append(f"approved for {days}")
    return found


def members(words: Words) -> dict[str, Any]:
    """Return what two versions of a rule are compared by, under names for people."""
    rule = words.rule
    return {
        "Name": rule.name,
        "Outcome": rule.outcome,
        "Switched on": "yes" if rule.enabled else "no",
        "Shadow": "yes" if rule.shadow else "no",
        "Bounds": words.bounds or None,
        "Message": rule.message or None,
        "Note": rule.note or None,
    } | {f"When: {label}": lines for label, lines in words.conditions}
