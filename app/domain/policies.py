"""Owns admission policy: what is decided about an arrival, by which rule, and why."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from app.domain.evidence import Evidence
from app.domain.rules import Obligations, Outcome, Rule, Step, weigh

REFUSED = "The operators of this server have refused this software; ask them before trying again."
ENDED = (
    "The approval of this software has ended; ask the operators of this server to approve it again."
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


def message(step: Step, rule: Rule | None) -> str:
    """Return what a refused registration is told; empty when it is not refused."""
    if step.result != "refuse":
        return ""
    if step.rule == "ended approval" and rule is None:
        return ENDED
    if rule is not None and rule.message:
        return f"{rule.message} Ask the operators of this server if you need it."
    return REFUSED
