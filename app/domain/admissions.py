"""Owns admission: how software arrives, is judged and becomes a client."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from app import clock
from app.domain import (
    audit,
    client_changes,
    clients,
    credentials,
    errors,
    fingerprints,
    generations,
    policies,
    registration_tokens,
    software,
)
from app.domain.audit import Actor, Tag
from app.domain.authorization_codes import AuthorizationCode
from app.domain.client_records import Client
from app.domain.clients import Issued
from app.domain.consents import Consent
from app.domain.policies import Evidence, Verdict
from app.domain.software import Software
from app.extensions import db

UNUSED_PER_ADDRESS = 50
"""Never-used registrations of one software that are kept for one address."""
UNUSED_SECONDS = 86400
"""Never-used registrations are recycled so long after both they and the decision were made."""


def evidence(
    metadata: Mapping[str, Any],
    *,
    source: str,
    initial_access_token: str | None,
    address: str,
    user_agent: str,
) -> Evidence:
    """Gather everything known about an arrival at this moment."""
    mark = fingerprints.of_metadata(metadata)
    known = software.find_by_fingerprint(mark) if mark is not None else None
    status = None
    if known is not None:
        status = software.standing(known.status, known.approved_until, clock.epoch())
    return Evidence(
        source=source,
        metadata=metadata,
        fingerprint=mark,
        initial_access_token=initial_access_token,
        address=address,
        user_agent=user_agent[:200],
        software_id=known.id if known is not None else None,
        software_status=status,
        seen_count=known.seen_count if known is not None else 0,
        notes=software.notes(metadata),
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
    client, issued = clients.add(
        row,
        arrival.metadata,
        source=arrival.source,
        address=arrival.address,
        initial_access_token=arrival.initial_access_token,
        manageable=True,
    )
    audit.record(
        Tag.CLIENT_REGISTERED,
        client.client_id,
        by=by,
        client_id=client.client_id,
        software_id=row.id,
        outcome=verdict.outcome,
        rule=verdict.rule,
        metadata=dict(arrival.metadata),
        initial_access_token=arrival.initial_access_token,
    )
    if row.seen_count > 1:
        recycle(row, arrival.address, by=by)
    return client, issued


def change(client: Client, arrival: Evidence, verdict: Verdict, *, by: Actor) -> None:
    """Replace the metadata of a client with that of an arrival (RFC 7592 section 2.2).

    Policy judges it as if it were new. Raises AdmissionRefused when policy refuses.
    """
    check_admissible(arrival, verdict)
    wanted = client_changes.Change(arrival.metadata, lambda mark: see(arrival, verdict, mark))
    client_changes.apply(client, wanted, by=by)


def check_admissible(arrival: Evidence, verdict: Verdict) -> None:
    """Raise AdmissionRefused when policy refuses, and count that known software came again."""
    if verdict.outcome != "refuse":
        return
    if arrival.fingerprint is not None and arrival.software_id is not None:
        see(arrival, verdict, arrival.fingerprint)
    raise errors.AdmissionRefused(
        policies.REFUSED, rule=verdict.rule, software_id=arrival.software_id
    )


def see(arrival: Evidence, verdict: Verdict, mark: str) -> Software:
    """Count an arrival of the software with a fingerprint."""
    return software.see(
        mark,
        arrival.metadata,
        source=arrival.source,
        verdict=verdict.as_json(),
        notes=arrival.notes,
        address=arrival.address,
    )


def create(
    metadata: Mapping[str, Any],
    *,
    by: Actor,
    allowed: Sequence[str],
    resources: Sequence[str] | None = None,
    introspects: Sequence[str] = (),
) -> tuple[Client, Issued]:
    """Create a client by hand; it is its own software, approved by who creates it."""
    arrival = evidence(
        metadata, source="console", initial_access_token=None, address="", user_agent=""
    )
    step = policies.Step("operator", "admit", "An operator created this client.")
    verdict = Verdict("admit", step.rule, step.reason, (step,))
    row = see(arrival, verdict, credentials.new_secret())
    row.scopes, row.resources = list(allowed), None if resources is None else list(resources)
    row.status, row.decided_at, row.decided_by = "approved", clock.epoch(), by.name or by.kind
    db.session.flush()
    client, issued = clients.add(row, metadata, source="console", manageable=False)
    client.introspects = list(introspects)
    db.session.flush()
    audit.record(
        Tag.CLIENT_CREATED,
        client.client_id,
        by=by,
        client_id=client.client_id,
        metadata=dict(metadata),
        scopes=list(allowed),
        resources=row.resources,
        introspects=list(introspects),
    )
    return client, issued


def recycle(row: Software, address: str, *, by: Actor) -> None:
    """Remove registrations that were never used: too many of one address, or too old.

    Those of pending software live as long as it is pending, up to the number; who waited for a
    decision has the whole time from then.
    """
    unused = unused_of(row.id)
    kept = (
        unused.where(Client.address == address)
        .order_by(Client.created_at.desc(), Client.client_id.desc())
        .offset(UNUSED_PER_ADDRESS)
    )
    removed = list(db.session.scalars(kept))
    limit = clock.epoch() - UNUSED_SECONDS
    if row.decided_at is not None and row.decided_at < limit:
        removed += db.session.scalars(unused.where(Client.created_at < limit))
    if removed:
        db.session.execute(
            delete(Client)
            .where(Client.client_id.in_(removed))
            .execution_options(synchronize_session=False)
        )
        generations.bump("clients")
        audit.record(
            Tag.CLIENT_RECYCLED, row.id, by=by, count=len(removed), client_ids=removed[:100]
        )


def unused_of(software_id: str) -> Any:
    """Select the self-registered clients of some software that were never used."""
    codes = select(AuthorizationCode.client_id).where(
        AuthorizationCode.client_id == Client.client_id
    )
    consented = select(Consent.id).where(Consent.client_id == Client.client_id)
    return select(Client.client_id).where(
        Client.software_id == software_id,
        Client.source == "dcr",
        Client.state == "live",
        Client.last_used_at.is_(None),
        Client.pending_software_id.is_(None),
        ~codes.exists(),
        ~consented.exists(),
    )
