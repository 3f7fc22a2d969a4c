"""Owns admission: how software arrives, is judged and becomes a client."""

from collections.abc import Mapping, Sequence
from typing import Any

from app import clock
from app.domain import (
    audit,
    client_changes,
    client_documents,
    client_locks,
    clients,
    credentials,
    crowding,
    decisions,
    document_rules,
    errors,
    fingerprints,
    four_eyes,
    look_alikes,
    networks,
    openid_metadata,
    policy_versions,
    recycling,
    registration_tokens,
    risk_notes,
    scopes,
    sightings,
    software,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.client_records import Client
from app.domain.clients import Issued
from app.domain.evidence import Evidence
from app.domain.policies import Verdict
from app.domain.resources import reached_by
from app.domain.rules import Step
from app.domain.software import Software
from app.domain.software_statements import NONE, Statement
from app.extensions import db


def evidence(
    metadata: Mapping[str, Any],
    *,
    source: str,
    initial_access_token: str | None,
    address: str,
    user_agent: str,
    brands: Sequence[str] = (),
    document_url: str = "",
    came_with: str | None = None,
    statement: Statement = NONE,
    is_new: bool = True,
) -> Evidence:
    """Gather everything known about an arrival at this moment.

    ``brands`` are the operator's words, ``came_with`` the token of a client that changes itself.
    """
    mark = sightings.mark_of(metadata, document_url, statement.issuer)
    known = sightings.known_of(mark, is_new)
    approved = () if known.get("software_status") == "approved" else risk_notes.approved_names()
    findings = risk_notes.findings(metadata, approved, brands, document_url)
    offered = scopes.offered(metadata)
    return Evidence(
        source=source,
        metadata=metadata,
        fingerprint=mark,
        initial_access_token=initial_access_token,
        address=address,
        user_agent=user_agent[:200],
        look_alike=look_alikes.score(findings),
        notes=risk_notes.notes(metadata, findings)
        + document_rules.notes(document_url, metadata)
        + statement.notes(metadata),
        resources=reached_by(offered),
        document_url=document_url,
        four_eyes=scopes.four_eyes(offered),
        token_terms=registration_tokens.terms(initial_access_token, came_with),
        **known,
        **statement.facts(metadata),
    )


def register(arrival: Evidence, verdict: Verdict, *, by: Actor) -> tuple[Client, Issued]:
    """Store a client of its own for an arrival that was not refused (RFC 7591 section 3).

    What it may do follows from its software. Raises AdmissionRefused when policy refuses, after
    the arrival was counted, and InvalidToken when its initial access token was used up meanwhile.
    """
    check_admissible(arrival, verdict)
    if arrival.initial_access_token is not None:
        registration_tokens.redeem(arrival.initial_access_token, by=by)
    row = see(arrival, verdict, arrival.fingerprint or credentials.new_secret())
    client, issued = add_client(row, arrival)
    client_locks.bound(client, arrival.bounds.within(verdict.gate_bounds))
    audit.record(
        Tag.CLIENT_REGISTERED,
        client.client_id,
        by=by,
        client_id=client.client_id,
        software_id=row.id,
        outcome=verdict.outcome,
        evidence=arrival.as_json(),
        **verdict.facts,
    )
    admit(row, arrival, verdict)
    if row.seen_count > 1:
        recycling.recycle(row, networks.network_of(arrival.address), by=by)
    return client, issued


def add_client(row: Software, arrival: Evidence) -> tuple[Client, Issued]:
    """Store the client of an arrival, with credentials unless it is that of a document."""
    if arrival.document_url:
        url, metadata, address = arrival.document_url, arrival.metadata, arrival.address
        return client_documents.add_client(row, url, metadata, address), Issued(None, None)
    return clients.add(
        row,
        arrival.metadata,
        source=arrival.source,
        address=arrival.address,
        initial_access_token=arrival.initial_access_token,
        manageable=True,
    )


def change(client: Client, arrival: Evidence, verdict: Verdict, *, by: Actor) -> None:
    """Replace the metadata of a client with that of an arrival (RFC 7592 section 2.2).

    Policy judges it as if it were new. Raises AdmissionRefused when policy refuses.
    """
    check_admissible(arrival, verdict)
    arrival = arrival.noting(openid_metadata.notes(client.client_metadata, arrival.metadata))
    wanted = client_changes.Change(
        arrival.metadata,
        lambda mark: see(arrival, verdict, mark),
        arrival.notes,
        verdict.gate,
        arrival.statement_issuer,
    )
    client_changes.apply(client, wanted, by=by)
    waiting = software.get(client.pending_software_id or client.software_id)
    if waiting.revision == fingerprints.revision(arrival.metadata):
        admit(waiting, arrival, verdict)


def check_admissible(arrival: Evidence, verdict: Verdict) -> None:
    """Raise AdmissionRefused when policy refuses; count the rules, and known software's return."""
    policy_versions.count(verdict)
    if verdict.outcome != "refuse":
        return
    if arrival.fingerprint is not None and arrival.software_id is not None:
        see(arrival, verdict, arrival.fingerprint)
    raise errors.AdmissionRefused(
        verdict.message,
        software_id=arrival.software_id,
        evidence=arrival.as_json(),
        **verdict.facts,
    )


def admit(row: Software, arrival: Evidence, verdict: Verdict) -> None:
    """Approve pending software because a rule or a token admits it, exactly as it was judged.

    Whoever decided meanwhile was faster, and that decision counts.
    """
    if not verdict.admits_anew or row.status != "pending":
        return
    bounds = verdict.then
    seconds = verdict.approve_seconds
    try:
        seen = software.describe(row, arrival.metadata, arrival.notes)
        decisions.approve(
            seen.id,
            seen.revision,
            by=admitter(arrival, verdict),
            allowed=verdict.allowed(scopes.offered(arrival.metadata)),
            resources=bounds.resources,
            until=None if seconds is None else clock.epoch() + seconds,
            access_token_seconds=bounds.access_token_seconds,
            reason=verdict.reason,
        )
    except errors.Conflict:
        db.session.refresh(row)
        return
    row.verdict = verdict.as_json()


def admitter(arrival: Evidence, verdict: Verdict) -> Actor:
    """Return what admits an arrival: a rule, or the initial access token it came with."""
    if verdict.rule_id:
        return Actor("rule", verdict.rule_id, f"rule {verdict.rule}")
    return registration_tokens.actor(arrival.initial_access_token or "")


def see(arrival: Evidence, verdict: Verdict, mark: str) -> Software:
    """Count an arrival of the software with a fingerprint.

    Raises TooManyRequests when it would be new in a queue that its network crowds.
    """
    crowding.check(arrival, verdict.outcome, mark)
    return software.see(
        mark,
        arrival.metadata,
        source=arrival.source,
        verdict=verdict.as_json(),
        notes=arrival.notes,
        address=arrival.address,
        network=crowding.share_of(arrival),
    )


def create(
    metadata: Mapping[str, Any],
    *,
    by: Actor,
    allowed: Sequence[str],
    resources: Sequence[str] | None = None,
    introspects: Sequence[str] = (),
) -> tuple[Client, Issued]:
    """Create a client by hand; it is its own software, approved by who creates it.

    With a scope that two people have to approve, its creator is the first and it waits.
    """
    arrival = evidence(
        metadata, source="console", initial_access_token=None, address="", user_agent=""
    )
    step = Step("operator", "admit", "An operator created this client.")
    verdict = Verdict("admit", step.rule, step.reason, (step,))
    row = see(arrival, verdict, credentials.new_secret())
    ceilings: dict[str, Any] = {
        "scopes": list(allowed),
        "resources": None if resources is None else list(resources),
    }
    four_eyes.approve_own(row, verdict, ceilings, by=by)
    client, issued = clients.add(row, metadata, source="console", manageable=False)
    client.introspects = list(introspects)
    db.session.flush()
    audit.record(
        Tag.CLIENT_CREATED,
        client.client_id,
        by=by,
        client_id=client.client_id,
        metadata=dict(metadata),
        introspects=list(introspects),
        **ceilings,
    )
    return client, issued
