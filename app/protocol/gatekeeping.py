"""Owns asking the registration gate about an arrival, between its judgement and its storage."""

from collections.abc import Mapping
from typing import Any, Literal

from flask import current_app, g, request

from app.domain import fingerprints, policies
from app.domain.evidence import Evidence
from app.domain.policies import Verdict
from app.extensions import db
from app.outbound.gate import Gate, Question, known, payload
from app.protocol import caller

HEADERS = ("Content-Type", "Accept", "User-Agent")
"""Headers that are passed on as they came."""
LONGEST_HEADER = 500


def tightened(
    verdict: Verdict,
    arrival: Evidence,
    operation: Literal["register", "update"],
    registration_id: str | None = None,
) -> Verdict:
    """Return the verdict after the gate, which is not asked about what is refused anyway.

    Ends the transaction of the request before it asks: rows read earlier have to be read again.
    """
    gate = current_gate()
    if gate is None or verdict.outcome == "refuse":
        return verdict
    db.session.rollback()
    shown = question(operation, arrival.metadata, registration_id, known(arrival))
    return policies.tighten(verdict, gate.ask(shown))


def tell_deleted(metadata: Mapping[str, Any], registration_id: str) -> None:
    """Let the gate know, once, that a registration is gone; what it answers changes nothing."""
    gate = current_gate()
    if gate is not None:
        gate.ask(question("delete", metadata, registration_id), retries=0)


def current_gate() -> Gate | None:
    """Return the gate of the application in use, if it is switched on."""
    gate: Gate | None = current_app.extensions["gatewright.gate"]
    return gate


def question(
    operation: Literal["register", "update", "delete"],
    metadata: Mapping[str, Any],
    registration_id: str | None,
    evidence: Mapping[str, Any] | None = None,
) -> Question:
    """Return what the gate is asked; nothing of it is a credential."""
    return Question(
        operation,
        request.path,
        payload(metadata),
        headers(),
        registration_id,
        evidence,
        fingerprints.revision(metadata),
    )


def headers() -> dict[str, str]:
    """Return the headers the gate is shown: some as they came, two as this server knows better.

    The forwarded address is the one that trusted proxies vouch for, whatever the caller wrote.
    """
    sent = {name.lower(): request.headers.get(name, "")[:LONGEST_HEADER] for name in HEADERS}
    known = {"x-request-id": g.get("request_id", ""), "x-forwarded-for": caller.address()}
    return {name: value for name, value in (sent | known).items() if value}
