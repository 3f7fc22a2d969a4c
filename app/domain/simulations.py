"""Owns trying a policy on what has arrived before; nothing is registered and nothing counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.domain import gate_answers, policies
from app.domain.audit import AuditEvent
from app.domain.audit_tags import Tag
from app.domain.evidence import Evidence, from_json
from app.domain.gate_answers import GateAnswer
from app.domain.policies import Verdict
from app.domain.policy_versions import Policy
from app.extensions import db

ARRIVALS = (Tag.CLIENT_REGISTERED.value, Tag.REGISTRATION_REFUSED.value)
MOST = 1000
"""So many arrivals at most are judged again at once."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A registration of the past, as the audit trail knows it."""

    event_id: int
    at_ms: int
    evidence: Evidence
    outcome: str
    """What it was then: admit, hold or refuse."""
    rule: str
    gate: GateAnswer | None = None
    """What the registration gate said then; None when it was not asked."""

    def judged_by(self, policy: Policy) -> Verdict:
        """Return what a policy says about it; the gate's answer counts as it was."""
        verdict = policy.judge(self.evidence)
        return verdict if self.gate is None else policies.tighten(verdict, self.gate)


@dataclass(frozen=True, slots=True)
class Replay:
    """What a policy would have said about the arrivals of the past."""

    judged: int
    differences: tuple[tuple[Arrival, Verdict], ...]
    """The arrivals it would have decided otherwise, newest first."""


def arrivals(size: int) -> list[Arrival]:
    """Return the latest arrivals that policy judged, newest first."""
    query = (
        select(AuditEvent)
        .where(AuditEvent.tag.in_(ARRIVALS))
        .order_by(AuditEvent.id.desc())
        .limit(min(size, MOST))
    )
    return [found for event in db.session.scalars(query) for found in read(event)]


def find(event_id: int) -> Arrival | None:
    """Return the arrival of one event."""
    event = db.session.get(AuditEvent, event_id)
    return None if event is None or event.tag not in ARRIVALS else next(read(event), None)


def read(event: AuditEvent) -> Iterator[Arrival]:
    """Return the arrival an event tells of; what was malformed was never judged."""
    detail: dict[str, Any] = event.detail
    if "evidence" not in detail:
        return
    outcome = detail.get("outcome", "refuse")
    gate = gate_answers.from_json(detail["gate"]) if "gate" in detail else None
    evidence = from_json(detail["evidence"])
    yield Arrival(event.id, event.at_ms, evidence, outcome, detail["rule"], gate)


def replay(policy: Policy, size: int) -> Replay:
    """Judge the latest arrivals again, each with what was known at its time."""
    past = arrivals(size)
    judged = [(arrival, arrival.judged_by(policy)) for arrival in past]
    return Replay(
        len(past),
        tuple((arrival, verdict) for arrival, verdict in judged if differs(arrival, verdict)),
    )


def differs(arrival: Arrival, verdict: Verdict) -> bool:
    """Tell whether a verdict has another outcome than there was, or comes from another rule."""
    return (verdict.outcome, verdict.rule) != (arrival.outcome, arrival.rule)
