"""Owns evidence: everything known about an arrival at the moment of asking."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about an arrival; verdicts read nothing else."""

    source: str
    """``dcr``, ``cimd`` or ``console``; later ``statement`` and ``import``."""
    metadata: Mapping[str, Any]
    fingerprint: str | None
    """None when the software has no redirect URI that ties it down: it is judged alone."""
    initial_access_token: str | None
    address: str
    user_agent: str
    software_id: str | None = None
    software_status: str | None = None
    seen_count: int = 0
    arrivals_last_hour: int = 0
    """Registrations of the same software in the hour before."""
    look_alike: int = 0
    """How much it looks like other software that is known here, from 0 to 100."""
    notes: tuple[str, ...] = ()
    document_url: str = ""
    """Where its client ID metadata document is; empty when it has none."""

    def as_json(self) -> dict[str, Any]:
        """Return the evidence as the audit trail keeps it, so that it can be judged again."""
        return asdict(self)


def from_json(value: Mapping[str, Any]) -> Evidence:
    """Return evidence that was stored; members of another release are left out."""
    known = {each.name for each in fields(Evidence)}
    kept = {name: member for name, member in value.items() if name in known}
    return Evidence(**kept | {"notes": tuple(kept.get("notes", ()))})
