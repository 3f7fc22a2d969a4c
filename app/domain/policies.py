"""Owns admission policy: the registration mode and the rules that judge an arrival."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import String, update
from sqlalchemy.orm import Mapped, mapped_column

from app.domain import audit, errors
from app.domain.audit import Actor, Tag
from app.extensions import Base, JSONValue, db, insert_once

Outcome = Literal["admit", "hold", "refuse"]
REFUSED = "The operators of this server have refused this software; ask them before trying again."
MODES = ("closed", "token", "open")


class ServerState(Base):
    """A value that operators change while the server runs."""

    __tablename__ = "server_state"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSONValue)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known about an arrival at the moment of asking; decisions read nothing else."""

    source: str
    """``dcr`` or ``console``; later ``cimd``, ``statement`` and ``import``."""
    metadata: Mapping[str, Any]
    fingerprint: str | None
    """None when the software has no redirect URI that ties it down: it is judged alone."""
    initial_access_token: str | None
    address: str
    user_agent: str
    software_id: str | None = None
    software_status: str | None = None
    seen_count: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule said."""

    rule: str
    result: Outcome | Literal["no match"]
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What policy decided, by which rule, with the whole trace."""

    outcome: Outcome
    rule: str
    reason: str
    trace: tuple[Step, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as stored with the arrival."""
        return asdict(self)


def approved_software(evidence: Evidence) -> Step:
    """Admit what is a registration of software that people have approved."""
    if evidence.software_status == "approved":
        return Step(
            "approved software",
            "admit",
            "People approved this software; its codes go only to the redirect URIs they saw.",
        )
    return Step("approved software", "no match", "This software is not approved.")


def refused_software(evidence: Evidence) -> Step:
    """Refuse what people have rejected or blocked."""
    if evidence.software_status in ("rejected", "blocked"):
        return Step(
            "refused software",
            "refuse",
            "People have rejected or blocked this software.",
        )
    return Step("refused software", "no match", "Nobody has rejected this software.")


def everything_else(_evidence: Evidence) -> Step:
    """Hold what no other rule has decided."""
    return Step("default", "hold", "No rule decides about this software, so a person does.")


RULES: tuple[Callable[[Evidence], Step], ...] = (
    refused_software,
    approved_software,
    everything_else,
)


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict on an arrival: the first rule that decides, and what each said.

    A pure function of the evidence, so that a verdict can be explained and repeated.
    """
    trace: list[Step] = []
    for rule in RULES:
        step = rule(evidence)
        trace.append(step)
        if step.result != "no match":
            return Verdict(step.result, step.rule, step.reason, tuple(trace))
    message = "the last rule decides about everything"
    raise AssertionError(message)


def registration_mode(configured: str) -> str:
    """Return the mode in force: the operator's, else the configured one."""
    row = db.session.get(ServerState, "registration_mode")
    return str(row.value) if row is not None else configured


def switch_mode(mode: str, configured: str, *, by: Actor) -> None:
    """Change who may register; takes effect with the next request on every node."""
    if mode not in MODES:
        raise errors.InvalidRequest("The registration mode must be closed, token or open.")
    before = registration_mode(configured)
    if not insert_once(ServerState, name="registration_mode", value=mode):
        known = update(ServerState).where(ServerState.name == "registration_mode")
        db.session.execute(known.values(value=mode))
    audit.record(Tag.MODE_CHANGED, "registration_mode", by=by, before=before, after=mode)
