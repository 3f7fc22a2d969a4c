"""Owns evidence: everything known about an arrival at the moment of asking."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from app.domain import obligations
from app.domain.obligations import UNBOUNDED, Obligations, Terms


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about an arrival; verdicts read nothing else."""

    source: str
    """``dcr``, ``cimd``, ``statement`` or ``console``; later ``import``."""
    metadata: Mapping[str, Any]
    fingerprint: str | None
    """None when the software has no redirect URI that ties it down: it is judged alone."""
    initial_access_token: str | None
    address: str
    user_agent: str
    software_id: str | None = None
    software_status: str | None = None
    takes_newcomers: bool = True
    """False when this would be a new client of approved software that takes none."""
    seen_count: int = 0
    arrivals_last_hour: int = 0
    """Registrations of the same software in the hour before."""
    look_alike: int = 0
    """How much it looks like other software that is known here, from 0 to 100."""
    notes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    """Resources of the catalogue that its scopes would reach."""
    document_url: str = ""
    """Where its client ID metadata document is; empty when it has none."""
    statement_issuer: str = ""
    """Who signed the software statement it came with; empty when it came with none."""
    statement_lacks: tuple[str, ...] = ()
    """Members of the metadata that the statement leaves to who registers."""
    token_terms: Terms | None = None
    """Terms of its initial access token; at an update what holds on of the one it came with."""
    four_eyes: tuple[str, ...] = ()
    """Scopes it is offered that two people have to approve."""
    crowded: bool = False
    """Whether as much undecided software of its network waits as may."""

    @property
    def bounds(self) -> Obligations:
        """Return what bounds this one client, whatever its software is approved for."""
        return UNBOUNDED if self.token_terms is None else self.token_terms.bounds

    def noting(self, more: tuple[str, ...]) -> "Evidence":
        """Return it with more that an approver should look at."""
        return replace(self, notes=(*self.notes, *more))

    def as_json(self) -> dict[str, Any]:
        """Return the evidence as the audit trail keeps it, so that it can be judged again."""
        return asdict(self)


def from_json(value: Mapping[str, Any]) -> Evidence:
    """Return evidence that was stored; members of another release are left out."""
    known = {each.name for each in fields(Evidence)}
    kept = {name: member for name, member in value.items() if name in known}
    terms = obligations.terms_from_json(kept.get("token_terms"))
    names = ("notes", "resources", "statement_lacks", "four_eyes")
    tuples = {name: tuple(kept.get(name, ())) for name in names}
    return Evidence(**kept | tuples | {"token_terms": terms})
