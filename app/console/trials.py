"""Owns trying an arrival on others: a document fetched, the gate asked; nothing is stored."""

from flask import current_app

from app.config import current_settings
from app.console.forms import Form
from app.console.pages import check_role, operator
from app.domain import (
    admissions,
    document_admissions,
    document_rules,
    errors,
    fingerprints,
    policies,
)
from app.domain.evidence import Evidence
from app.domain.policies import Verdict
from app.domain.policy_versions import Policy
from app.extensions import db
from app.outbound.cimd import Documents
from app.outbound.errors import OutboundError
from app.outbound.gate import Gate, Question, known, payload

UNREACHED = errors.InvalidRequest(
    "The document cannot be had: its host does not answer with one, or must not be asked."
)


def of_document(form: Form, url: str, policy: Policy) -> tuple[Evidence, Verdict] | None:
    """Return the evidence and the verdict on the document at a URL.

    What policy refuses unread is not fetched here either. Needs the role approver, because
    somebody else's server is asked.
    """
    check_role(operator(), "approver")
    evidence = document_admissions.unread(url)
    verdict = policy.foresee(evidence)
    if verdict.outcome == "refuse":
        return evidence, verdict
    found = form.tried("metadata", lambda: read(url))
    return None if found is None else (found, policy.judge(found))


def read(url: str) -> Evidence:
    """Fetch a document and return the evidence about it; no transaction is open meanwhile."""
    documents: Documents = current_app.extensions["gatewright.documents"]
    db.session.rollback()
    try:
        with documents.turn(url):
            document = documents.fetch(url)
    except OutboundError:
        raise UNREACHED from None
    settings = current_settings()
    return admissions.evidence(
        document_rules.read(url, document.members, settings.metadata_rules),
        source="cimd",
        initial_access_token=None,
        address="",
        user_agent="",
        brands=settings.brand_words,
        document_url=url,
        is_new=document_admissions.find_client(url) is None,
    )


def asked_gate(verdict: Verdict, evidence: Evidence) -> Verdict:
    """Return the verdict after the gate, which is told that this is a dry run.

    Needs the role approver. What is refused anyway is not shown to the gate.
    """
    check_role(operator(), "approver")
    gate = current_gate()
    if gate is None or verdict.outcome == "refuse":
        return verdict
    db.session.rollback()
    question = Question(
        "register",
        "/register",
        payload(evidence.metadata),
        {},
        evidence=known(evidence),
        revision=fingerprints.revision(evidence.metadata),
        dry_run=True,
    )
    return policies.tighten(verdict, gate.ask(question, retries=0))


def current_gate() -> Gate | None:
    """Return the gate of the application in use, if it is switched on."""
    gate: Gate | None = current_app.extensions["gatewright.gate"]
    return gate
