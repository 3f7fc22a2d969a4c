"""Owns admission rules: conditions, an outcome and what an admission obliges to."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from app.domain import client_texts, errors, grants, resources, rule_conditions, scopes
from app.domain.evidence import Evidence
from app.domain.obligations import Obligations
from app.domain.rule_conditions import CONDITIONS

Outcome = Literal["admit", "hold", "refuse"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)
NAME_LENGTH, TEXT_LENGTH = 100, 500
LINES = 200
"""So many values one condition may list."""
LONGEST_APPROVAL_DAYS = 3650
LATEST = 2**62


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as operators write it."""

    name: str
    outcome: Outcome
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lines by the name of their condition; all conditions have to hold."""
    then: Obligations = field(default=Obligations())
    enabled: bool = True
    shadow: bool = False
    """Records what it would have done and decides nothing."""
    message: str = ""
    """What a refused registration is told."""
    note: str = ""
    """What operators tell each other."""
    id: str = ""
    changed_by: str = ""
    changed_at: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the rule as it is stored and written to policy files."""
        return asdict(self) | {"when": {name: list(lines) for name, lines in self.when.items()}}


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule said about an arrival."""

    rule: str
    result: Outcome | Literal["no match"]
    reason: str
    id: str = ""
    shadow: bool = False


def weigh(rule: Rule, evidence: Evidence) -> Step:
    """Return what a rule says: its outcome when all its conditions hold.

    A rule that admits has to cover all redirect URIs, grants and scopes of the arrival; one that
    holds or refuses is met by a single one of them.
    """
    every = rule.outcome == "admit"
    missed = [
        CONDITIONS[name].label
        for name, lines in rule.when.items()
        if not rule_conditions.holds(CONDITIONS[name], evidence, lines, every=every)
    ]
    if missed:
        return Step(rule.name, "no match", f"Not met: {', '.join(missed)}.", rule.id, rule.shadow)
    met = ", ".join(CONDITIONS[name].label for name in rule.when) or "it has no conditions"
    return Step(rule.name, rule.outcome, f"Met: {met}.", rule.id, rule.shadow)


def from_json(value: object) -> Rule:
    """Return a rule that was written or stored; raises InvalidRequest with what is wrong."""
    if not isinstance(value, Mapping):
        raise errors.InvalidRequest("A rule must be an object with the members name and outcome.")
    unknown = [name for name in value if name not in {each.name for each in fields(Rule)}]
    if unknown:
        raise errors.InvalidRequest(
            "A rule has a member that no rule has; see the list of members in the documentation.",
            member=str(unknown[0])[:100],
        )
    outcome = value.get("outcome")
    if outcome not in OUTCOMES:
        raise errors.InvalidRequest("The outcome of a rule must be admit, hold or refuse.")
    rule = Rule(
        name=text(value, "name", NAME_LENGTH),
        outcome=outcome,
        when=conditions(value.get("when", {})),
        then=obligations(value.get("then", {})),
        enabled=switch(value, "enabled", default=True),
        shadow=switch(value, "shadow", default=False),
        message=public_text(value),
        note=text(value, "note", TEXT_LENGTH, required=False),
        id=text(value, "id", 36, required=False),
        changed_by=text(value, "changed_by", 255, required=False),
        changed_at=whole(value.get("changed_at"), 0, LATEST) or 0,
    )
    check(rule)
    return rule


def check(rule: Rule) -> None:
    """Refuse rules that admit everything, and bounds on what is not admitted."""
    if rule.outcome == "admit" and not rule.when:
        raise errors.InvalidRequest("A rule that admits needs at least one condition.")
    if rule.outcome != "admit" and rule.then != Obligations():
        raise errors.InvalidRequest(
            "Only a rule that admits can bound scopes, resources, lifetimes and days."
        )
    if rule.outcome != "refuse" and rule.message:
        raise errors.InvalidRequest("Only a rule that refuses has a message for the refused.")


def conditions(value: object) -> dict[str, tuple[str, ...]]:
    """Return conditions in the order of the vocabulary, each line checked."""
    if not isinstance(value, Mapping) or any(name not in CONDITIONS for name in value):
        raise errors.InvalidRequest("A rule names a condition that does not exist here.")
    return {
        name: lines(name, value[name])
        for name in CONDITIONS
        if value.get(name) not in (None, "", [], ())
    }


def lines(name: str, value: object) -> tuple[str, ...]:
    """Return the lines of one condition; a single value may stand without a list."""
    listed = value if isinstance(value, list | tuple) else [value]
    if len(listed) > LINES or not all(type(each) in (str, int) for each in listed):
        raise errors.InvalidRequest(
            "A condition lists texts or whole numbers, two hundred at most.", condition=name
        )
    read = CONDITIONS[name].read
    return tuple(dict.fromkeys(read(str(each)) for each in listed))


def obligations(value: object) -> Obligations:
    """Return what an admission is bounded by."""
    names = {each.name for each in fields(Obligations)}
    if not isinstance(value, Mapping) or not value.keys() <= names:
        raise errors.InvalidRequest(
            "A rule can bound scopes, resources, access_token_seconds and approve_days only."
        )
    return Obligations(
        scopes=scope_names(value.get("scopes")),
        resources=listed(value.get("resources"), resources.check_uri),
        access_token_seconds=whole(
            value.get("access_token_seconds"), grants.SHORTEST_SECONDS, grants.LONGEST_SECONDS
        ),
        approve_days=whole(value.get("approve_days"), 1, LONGEST_APPROVAL_DAYS),
    )


def scope_names(value: object) -> tuple[str, ...] | None:
    """Return scope names, given as a list or as the wire string."""
    given = scopes.join(value) if isinstance(value, list | tuple) else value
    if given is not None and not isinstance(given, str):
        raise errors.InvalidRequest("The scopes of a rule must be a list of names.")
    return None if given is None else scopes.split(given)


def listed(value: object, read: Any) -> tuple[str, ...] | None:
    """Return a list of texts, each checked."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise errors.InvalidRequest("The resources of a rule must be a list of URIs.")
    return tuple(dict.fromkeys(map(read, value)))


def whole(value: object, lowest: int, highest: int) -> int | None:
    """Return a whole number within bounds, or None."""
    if value is None:
        return None
    if type(value) is not int or not lowest <= value <= highest:
        raise errors.InvalidRequest(
            "The seconds and days of a rule must be whole numbers within their bounds.",
            lowest=lowest,
            highest=highest,
        )
    return value


def text(value: Mapping[str, Any], name: str, longest: int, *, required: bool = True) -> str:
    """Return one line of visible text."""
    found = client_texts.text(f"The {name} of a rule", value.get(name) or "", longest)
    if required and not found:
        raise errors.InvalidRequest("Every rule needs a name.")
    return found or ""


def public_text(value: Mapping[str, Any]) -> str:
    """Return what a refused registration is told, in the characters that RFC 6749 allows."""
    found = text(value, "message", TEXT_LENGTH, required=False)
    if not all(" " <= each <= "~" and each not in '"\\' for each in found):
        raise errors.InvalidRequest(
            "The message of a rule may hold plain ASCII only, without double quote and backslash."
        )
    return found


def switch(value: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """Return true or false."""
    found = value.get(name, default)
    if type(found) is not bool:
        raise errors.InvalidRequest("The members enabled and shadow must be true or false.")
    return found


def all_from_json(values: Iterable[object]) -> tuple[Rule, ...]:
    """Return rules in their order."""
    return tuple(map(from_json, values))
