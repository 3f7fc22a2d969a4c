"""Owns what the registration gate can say: allow, hold or deny, and bounds on what is allowed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from sqlalchemy import select

from app.domain.audit import AuditEvent
from app.domain.audit_tags import Tag
from app.domain.obligations import Obligations
from app.extensions import db

Decision = Literal["allow", "hold", "deny"]

ASKED = (Tag.CLIENT_REGISTERED, Tag.CLIENT_UPDATED, Tag.REGISTRATION_REFUSED, Tag.DOCUMENT_REFUSED)
"""Events of which the gate may have been asked."""
SEARCHED = 2000
"""So many of them are looked through for its answers, the latest first."""
RULE = "registration gate"
MESSAGE_LENGTH = 500
LONGEST_SECONDS = 3650 * 86400
"""No approval is bounded to a later moment; a larger number means this one."""
DENIED = (
    "The registration gate of this server has refused this registration;"
    " ask the operators of this server."
)
FAILED = (
    "The registration gate could not be asked; try again later or ask the operators of this server."
)
BUSY = "Too many registrations are being checked at this moment; try again in a minute."


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What the gate answered, or why it did not; nothing in it can make a verdict milder."""

    decision: Decision
    reason: str = ""
    """The gate's own words, in the characters of RFC 6749."""
    scopes: tuple[str, ...] | None = None
    """All that the client may have; None does not bound."""
    expires_in: int | None = None
    """An approval that follows ends after so many seconds; None does not bound."""
    failure: str = ""
    """Why the gate gave no answer, in one word; the decision is ``deny`` then."""

    @property
    def bounds(self) -> Obligations:
        """Return what it leaves the one client that it was asked about."""
        return Obligations(scopes=self.scopes)

    @property
    def message(self) -> str:
        """Return what a refused registration is told."""
        if self.failure:
            return BUSY if self.failure == "busy" else FAILED
        return self.reason or DENIED

    @property
    def sentence(self) -> str:
        """Return what the gate said, for the people who read the trace."""
        if self.failure:
            return f"The gate gave no usable answer: {self.failure}."
        said = {
            "allow": "The gate has nothing against it.",
            "hold": "The gate wants a person to decide.",
            "deny": "The gate refuses it.",
        }[self.decision]
        if self.scopes is not None:
            said += f" It leaves these scopes: {' '.join(self.scopes) or 'none'}."
        if self.expires_in is not None:
            said += f" An approval may last {self.expires_in} seconds."
        return f"{said} It says: {self.reason}" if self.reason else said

    def as_json(self) -> dict[str, Any]:
        """Return the answer as it is stored and recorded."""
        return asdict(self)


def from_json(value: Mapping[str, Any]) -> GateAnswer:
    """Return an answer that was recorded."""
    known = {each.name for each in fields(GateAnswer)}
    kept = {name: member for name, member in value.items() if name in known}
    scopes = kept.get("scopes")
    return GateAnswer(**kept | {"scopes": None if scopes is None else tuple(scopes)})


def latest(size: int) -> list[AuditEvent]:
    """Return the newest events that the gate was asked about, of the latest it may have been."""
    newest_first = AuditEvent.id.desc()
    recent = select(AuditEvent.id).where(AuditEvent.tag.in_(ASKED)).order_by(newest_first)
    asked = select(AuditEvent).where(
        AuditEvent.id.in_(recent.limit(SEARCHED)),
        AuditEvent.detail["gate"].as_string().is_not(None),
    )
    return list(db.session.scalars(asked.order_by(newest_first).limit(size)))


def failed(failure: str) -> GateAnswer:
    """Return the answer that stands for none: it refuses."""
    return GateAnswer("deny", failure=failure)


def sanitised(text: str) -> str:
    """Reduce a text to one line of the characters that RFC 6749 section 5.2 allows."""
    line = " ".join(text.replace('"', "'").split())
    kept = "".join(each for each in line if " " <= each <= "~" and each != "\\")
    return " ".join(kept.split())[:MESSAGE_LENGTH].strip()
