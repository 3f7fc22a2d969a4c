"""Owns admission policy: what is decided about an arrival, by which rule, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.domain import gate_answers
from app.domain.evidence import Evidence
from app.domain.gate_answers import GateAnswer
from app.domain.obligations import NO_TERMS, UNBOUNDED, Obligations, Terms
from app.domain.rule_conditions import CONDITIONS
from app.domain.rules import Outcome, Rule, Step, weigh

DAY = 86400
TOKEN_RULE = "initial access token"
"""What decided when it was the token that an arrival came with."""
EARLY = frozenset(name for name, condition in CONDITIONS.items() if condition.early)
"""Conditions about what is known before a document was fetched."""

REFUSED = "This software is refused here; ask the operators of this server before trying again."
ENDED = (
    "This software was not approved in time, or its approval has ended;"
    " ask the operators of this server about it."
)
CLOSED = (
    "This software takes no new clients for now; who uses it already goes on. Ask the operators of"
    " this server."
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
    def admits_anew(self) -> bool:
        """Tell whether a rule or a token lets it in, and not that people have approved it."""
        return self.outcome == "admit" and (bool(self.rule_id) or self.rule == TOKEN_RULE)

    def allowed(self, offered: Iterable[str]) -> list[str]:
        """Return the scopes that it leaves of those offered."""
        given = self.then.scopes
        return [each for each in offered if given is None or each in given]

    @property
    def gate_bounds(self) -> Obligations:
        """Return what the registration gate leaves this one client."""
        return UNBOUNDED if self.gate is None else self.gate.bounds

    @property
    def facts(self) -> dict[str, Any]:
        """Return what the audit trail keeps of who decided, and of the gate if it was asked."""
        gate = {} if self.gate is None else {"gate": self.gate.as_json()}
        return {"rule": self.rule, "policy_version": self.version, **gate}

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


def closed_software(evidence: Evidence) -> Step:
    """Refuse new clients of approved software that takes no newcomers."""
    rule = "closed software"
    if evidence.software_status == "approved" and not evidence.takes_newcomers:
        return Step(rule, "refuse", "People let no newcomers of this software in for now.")
    return Step(rule, "no match", "Nobody has closed this software to newcomers.")


def approved_software(evidence: Evidence) -> Step:
    """Admit what is a registration of software that was approved."""
    rule = "approved software"
    if evidence.software_status == "approved":
        return Step(
            rule, "admit", "This software is approved; its codes go to approved redirect URIs only."
        )
    return Step(rule, "no match", "This software is not approved.")


ALWAYS = (refused_software, ended_approval, closed_software, approved_software)
"""What was decided about the software itself comes before all rules."""
ADMITTED_BY_TOKEN = Step(
    TOKEN_RULE, "admit", "Its initial access token lets in what no rule decides."
)
HELD_BY_TOKEN = Step(
    TOKEN_RULE, "hold", "Its initial access token leaves the decision to a person."
)
FOUR_EYES = Step("four eyes", "hold", "Two people have to approve a scope that it would get.")
DEFAULT = Step("default", "hold", "No rule decides about this software, so a person does.")


def judge(evidence: Evidence, rules: Sequence[Rule] = (), version: int = 0) -> Verdict:
    """Return the verdict on an arrival: the first rule that decides, and what each rule says.

    A pure function of the evidence and a version of the policy, so that a verdict can be
    explained, repeated and tried on a draft.
    """
    said: list[tuple[Step, Rule | None]] = [(each(evidence), None) for each in ALWAYS]
    said += [(weigh(rule, evidence), rule) for rule in rules if rule.enabled]
    terms = evidence.token_terms or NO_TERMS
    said += [(step, None) for step in (*token_steps(terms), DEFAULT)]
    step, rule = next(
        (step, rule) for step, rule in said if step.result != "no match" and not step.shadow
    )
    outcome: Any = step.result
    verdict = Verdict(
        outcome,
        step.rule,
        step.reason,
        tuple(step for step, _ in said),
        rule_id=step.id,
        version=version,
        message=message(step, rule),
        then=(UNBOUNDED if rule is None else rule.then).within(terms.bounds),
    )
    if terms.verdict == "hold" and verdict.admits_anew:
        return overruled(verdict, HELD_BY_TOKEN)
    if verdict.admits_anew and needs_two(verdict, evidence):
        return held_for_two(verdict)
    return verdict


def needs_two(verdict: Verdict, evidence: Evidence) -> bool:
    """Tell whether an admission would give a scope that two people have to approve."""
    return bool(verdict.allowed(evidence.four_eyes))


def held_for_two(verdict: Verdict) -> Verdict:
    """Return a verdict that leaves the decision to two people."""
    return overruled(replace(verdict, trace=(*verdict.trace, FOUR_EYES)), FOUR_EYES)


def token_steps(terms: Terms) -> tuple[Step, ...]:
    """Return what an initial access token says about what no rule decides."""
    return {"rules": (), "admit": (ADMITTED_BY_TOKEN,), "hold": (HELD_BY_TOKEN,)}[terms.verdict]


def overruled(verdict: Verdict, step: Step, message: str = "") -> Verdict:
    """Return a verdict in which something stricter than its rules decides."""
    outcome: Any = step.result
    return replace(
        verdict, outcome=outcome, rule=step.rule, reason=step.reason, rule_id="", message=message
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
    if rule is None:
        return {"ended approval": ENDED, "closed software": CLOSED}.get(step.rule, REFUSED)
    if not rule.message:
        return REFUSED
    return f"{rule.message} If you need it, ask the operators of this server."


def tighten(verdict: Verdict, answer: GateAnswer) -> Verdict:
    """Return a verdict with what the registration gate said about it; never a milder one.

    Software that is approved already stays so when the gate wants a person to decide: that
    decision was made, and one registration does not undo it for all others.
    """
    result: Any = {"allow": "admit", "hold": "hold", "deny": "refuse"}[answer.decision]
    step = Step(gate_answers.RULE, result, answer.sentence)
    then = verdict.then.within(answer.bounds)
    said = replace(verdict, trace=(*verdict.trace, step), then=then, gate=answer)
    anew = verdict.admits_anew
    if verdict.outcome == "refuse" or result == "admit" or (result == "hold" and not anew):
        return said
    return overruled(said, step, answer.message if result == "refuse" else "")
