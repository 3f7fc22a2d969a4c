"""Owns admission policy: what is decided about an arrival, by which rule, and why."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.domain import gate_answers
from app.domain.evidence import Evidence
from app.domain.gate_answers import GateAnswer
from app.domain.rule_conditions import CONDITIONS
from app.domain.rules import Obligations, Outcome, Rule, Step, weigh

DAY = 86400
EARLY = frozenset(name for name, condition in CONDITIONS.items() if condition.early)
"""Conditions about what is known before a document was fetched."""

REFUSED = "The operators of this server have refused this software; ask them before trying again."
ENDED = (
    "This software was not approved in time, or its approval has ended;"
    " ask the operators of this server about it."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What policy decided, by which rule, with the whole trace."""

    outcome: Outcome
    rule: str
    reason: str
    trace: tuple[Step, ...] = ()
    rule_id: str = ""
    """Of an operator's rule; the rules that are always there have none."""
    version: int = 0
    """The version of the policy; 0 when operators have written no rules."""
    message: str = ""
    """What a refused registration is told."""
    then: Obligations = field(default=Obligations())
    gate: GateAnswer | None = None
    """What the registration gate said; None when it was not asked."""

    @property
    def approve_seconds(self) -> int | None:
        """After so many seconds an approval by the rule ends, whoever bounds it most."""
        days = self.then.approve_days
        bounds = [] if days is None else [days * DAY]
        if self.gate is not None and self.gate.expires_in is not None:
            bounds.append(self.gate.expires_in)
        return min(bounds, default=None)

    @property
    def gate_facts(self) -> dict[str, Any]:
        """Return what the audit trail keeps of the gate; nothing when it was not asked."""
        return {} if self.gate is None else {"gate": self.gate.as_json()}

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as stored with the arrival."""
        return asdict(self)


def refused_software(evidence: Evidence) -> Step:
    """Refuse what people have rejected or blocked."""
    rule = "refused software"
    if evidence.software_status in ("rejected", "blocked"):
        return Step(rule, "refuse", "People have rejected or blocked this software.")
    return Step(rule, "no match", "Nobody has rejected this software.")


def ended_approval(evidence: Evidence) -> Step:
    """Refuse software whose approval has ended: it cannot revive itself."""
    rule = "ended approval"
    if evidence.software_status == "expired":
        return Step(rule, "refuse", "Its time has run out; approve it again to let it in.")
    return Step(rule, "no match", "No approval of this software has ended.")


def approved_software(evidence: Evidence) -> Step:
    """Admit what is a registration of software that was approved."""
    rule = "approved software"
    if evidence.software_status == "approved":
        return Step(
            rule, "admit", "This software is approved; its codes go to approved redirect URIs only."
        )
    return Step(rule, "no match", "This software is not approved.")


ALWAYS = (refused_software, ended_approval, approved_software)
"""What was decided about the software itself comes before all rules."""
DEFAULT = Step("default", "hold", "No rule decides about this software, so a person does.")


def judge(evidence: Evidence, rules: Sequence[Rule] = (), version: int = 0) -> Verdict:
    """Return the verdict on an arrival: the first rule that decides, and what each rule says.

    A pure function of the evidence and a version of the policy, so that a verdict can be
    explained, repeated and tried on a draft.
    """
    said: list[tuple[Step, Rule | None]] = [(each(evidence), None) for each in ALWAYS]
    said += [(weigh(rule, evidence), rule) for rule in rules if rule.enabled]
    said += [(DEFAULT, None)]
    step, rule = next(
        (step, rule) for step, rule in said if step.result != "no match" and not step.shadow
    )
    outcome: Any = step.result
    return Verdict(
        outcome,
        step.rule,
        step.reason,
        tuple(step for step, _ in said),
        rule_id=step.id,
        version=version,
        message=message(step, rule),
        then=rule.then if rule is not None else Obligations(),
    )


def foresee(evidence: Evidence, rules: Sequence[Rule] = (), version: int = 0) -> Verdict:
    """Return a verdict on an arrival whose metadata nobody has read yet.

    It refuses only what would be refused whatever the metadata were: a rule that looks at them
    may be met or not, so it refuses nothing here, and one that admits or holds ends the search.
    """
    certain = [(rule, rule.when.keys() <= EARLY) for rule in rules]
    usable = [
        replace(rule, when={name: rule.when[name] for name in rule.when if name in EARLY})
        for rule, known in certain
        if known or not (rule.shadow or rule.outcome == "refuse")
    ]
    return judge(evidence, usable, version)


def message(step: Step, rule: Rule | None) -> str:
    """Return what a refused registration is told; empty when it is not refused."""
    if step.result != "refuse":
        return ""
    if step.rule == "ended approval" and rule is None:
        return ENDED
    if rule is not None and rule.message:
        return f"{rule.message} Ask the operators of this server if you need it."
    return REFUSED


def tighten(verdict: Verdict, answer: GateAnswer) -> Verdict:
    """Return a verdict with what the registration gate said about it; never a milder one.

    Software that is approved already stays so when the gate wants a person to decide: that
    decision was made, and one registration does not undo it for all others.
    """
    result: Any = {"allow": "admit", "hold": "hold", "deny": "refuse"}[answer.decision]
    step = Step(gate_answers.RULE, result, answer.sentence)
    then = replace(verdict.then, scopes=fewer(verdict.then.scopes, answer.scopes))
    said = replace(verdict, trace=(*verdict.trace, step), then=then, gate=answer)
    admits_anew = verdict.outcome == "admit" and bool(verdict.rule_id)
    if verdict.outcome == "refuse" or result == "admit" or (result == "hold" and not admits_anew):
        return said
    message = answer.message if result == "refuse" else ""
    return replace(
        said, outcome=result, rule=step.rule, reason=step.reason, rule_id="", message=message
    )


def fewer(ceiling: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Intersect two ceilings of which None is the one that does not limit."""
    if ceiling is None or other is None:
        return other if ceiling is None else ceiling
    return tuple(name for name in ceiling if name in other)
