"""Owns policy files: the rules of a policy in YAML, with examples that say what they must do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml  # type: ignore[import-untyped]  # ships no type information

from app.domain import client_metadata, errors, fingerprints, policies, rules
from app.domain.client_metadata import MetadataRules
from app.domain.evidence import Evidence
from app.domain.policies import Verdict
from app.domain.policy_versions import Policy
from app.domain.rules import Rule

LONGEST = 1_000_000
STANDARD = MetadataRules()
PROVENANCE = ("id", "changed_by", "changed_at")
"""Members of a rule that belong to one server, not to a file."""
NUMBERS = ("seen_count", "arrivals_last_hour", "look_alike")
TEXTS = (
    "source",
    "initial_access_token",
    "address",
    "user_agent",
    "software_status",
    "document_url",
    "statement_issuer",
)
ARRIVAL = {"metadata", "resources", *NUMBERS, *TEXTS}


@dataclass(frozen=True, slots=True)
class Example:
    """An arrival, and what the rules have to say about it."""

    name: str
    evidence: Evidence
    outcome: str
    rule: str = ""
    """The rule that has to decide; empty when any may."""

    def is_met_by(self, verdict: Verdict) -> bool:
        """Tell whether a verdict is the expected one."""
        return verdict.outcome == self.outcome and self.rule in ("", verdict.rule)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """What a policy file says."""

    rules: tuple[Rule, ...]
    examples: tuple[Example, ...] = ()

    def check(self) -> list[tuple[Example, Verdict]]:
        """Return each example with the verdict of the rules of this file."""
        named = tuple(replace(rule, id=rule.name) for rule in self.rules)
        return [(each, policies.judge(each.evidence, named)) for each in self.examples]


def parse(text: str, metadata_rules: MetadataRules = STANDARD) -> PolicyFile:
    """Read a policy file; raises InvalidRequest, or the refusal of what an example posts."""
    document = loaded(text)
    if not isinstance(document, Mapping) or not document.keys() <= {"rules", "examples"}:
        raise errors.InvalidRequest(
            "A policy file has a list of rules and, if wanted, a list of examples; nothing else."
        )
    written, examples = document.get("rules", []), document.get("examples", [])
    if not isinstance(written, list) or not isinstance(examples, list):
        raise errors.InvalidRequest("The rules and the examples of a policy file must be lists.")
    return PolicyFile(
        tuple(rules.from_json(without_provenance(each)) for each in written),
        tuple(example(each, metadata_rules) for each in examples),
    )


def loaded(text: str) -> object:
    """Return the document in a text; JSON is YAML too."""
    if len(text) > LONGEST:
        raise errors.InvalidRequest("A policy file may have a million characters at most.")
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise errors.InvalidRequest("The policy file is not valid YAML.") from None


def without_provenance(written: object) -> object:
    """Return a rule without what only the server sets."""
    if not isinstance(written, Mapping):
        return written
    return {name: value for name, value in written.items() if name not in PROVENANCE}


def example(written: object, metadata_rules: MetadataRules) -> Example:
    """Return one example."""
    if not isinstance(written, Mapping) or written.keys() != {"name", "arrival", "expect"}:
        raise errors.InvalidRequest("An example has the members name, arrival and expect.")
    expected = written["expect"]
    wanted = expected if isinstance(expected, Mapping) else {"outcome": expected}
    outcome, rule = wanted.get("outcome"), wanted.get("rule", "")
    if outcome not in rules.OUTCOMES or not isinstance(rule, str):
        raise errors.InvalidRequest(
            "An example expects admit, hold or refuse, or an outcome and the name of a rule."
        )
    return Example(
        str(written["name"]), evidence(written["arrival"], metadata_rules), outcome, rule
    )


def evidence(written: object, metadata_rules: MetadataRules = STANDARD) -> Evidence:
    """Return the evidence of an arrival that somebody wrote down.

    ``metadata`` is what would be posted to the registration endpoint and is parsed as there; all
    other members are optional.
    """
    if not isinstance(written, Mapping) or not {"metadata"} <= written.keys() <= ARRIVAL:
        raise errors.InvalidRequest(
            "An arrival has metadata and may have source, document_url, address, user_agent,"
            " initial_access_token, statement_issuer, software_status, resources, look_alike,"
            " seen_count and arrivals_last_hour."
        )
    texts = {name: written[name] for name in TEXTS if written.get(name) is not None}
    numbers = {name: written[name] for name in NUMBERS if name in written}
    reached = written.get("resources", [])
    if (
        not isinstance(reached, list)
        or not all(isinstance(each, str) for each in (*texts.values(), *reached))
        or not all(type(each) is int for each in numbers.values())
    ):
        raise errors.InvalidRequest(
            "An arrival has texts, whole numbers where it counts, and a list of resources."
        )
    metadata = client_metadata.parse(written["metadata"], metadata_rules)
    base = Evidence(
        source="statement" if texts.get("statement_issuer") else "dcr",
        metadata=metadata,
        fingerprint=fingerprints.of_metadata(metadata),
        initial_access_token=None,
        address="",
        user_agent="",
    )
    return replace(base, **texts, **numbers, resources=tuple(reached))


def write(written: Sequence[Rule]) -> str:
    """Return rules as a policy file."""
    listed = [plain(rule) for rule in written]
    found: str = yaml.safe_dump({"rules": listed}, sort_keys=False, allow_unicode=True, width=88)
    return found


def plain(rule: Rule) -> dict[str, Any]:
    """Return a rule as people write it: without defaults and without provenance."""
    standard = Rule(rule.name, rule.outcome).as_json()
    found = {
        name: value
        for name, value in rule.as_json().items()
        if name not in PROVENANCE and (name in ("name", "outcome") or value != standard[name])
    }
    if "then" in found:
        bounds = {name: value for name, value in found["then"].items() if value is not None}
        found["then"] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in bounds.items()
        }
    return found


def adopt(written: Sequence[Rule], policy: Policy) -> tuple[Rule, ...]:
    """Return the rules of a file as those of a server: a rule of the same name is the same rule."""
    known = {rule.name.casefold(): rule.id for rule in policy.rules}
    return tuple(replace(rule, id=known.get(rule.name.casefold(), "")) for rule in written)
