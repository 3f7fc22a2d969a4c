"""Simulator: what the rules say about metadata somebody pastes, or about what arrived before."""

import json
from dataclasses import replace
from typing import Any

from flask import Response, request

from app import clock
from app.config import current_settings
from app.console import trials
from app.console.forms import Form, refused
from app.console.pages import asked, console_blueprint, render_page
from app.console.rule_words import bounds_of
from app.domain import (
    admissions,
    client_metadata,
    document_rules,
    policy_files,
    policy_versions,
    registration_tokens,
    scopes,
    simulations,
)
from app.domain.evidence import Evidence
from app.domain.policies import Verdict
from app.domain.policy_versions import Policy
from app.domain.registration_tokens import STATIC
from app.domain.software_statements import Statement
from app.domain.statement_issuers import ISSUER_LENGTH
from app.views import instant

bp = console_blueprint("simulator", __name__, "/simulator")
LATEST = 25
REPLAYED = [(str(number), f"the latest {number}") for number in (100, 300, 1000)]
EXAMPLE = {
    "client_name": "Example Editor",
    "redirect_uris": ["http://127.0.0.1:33418/callback"],
    "token_endpoint_auth_method": "none",
}


@bp.get("/")
def show_simulator() -> Response:
    """Show the form, filled with a past arrival when the address names one."""
    event = asked("event")
    found = simulations.find(int(event)) if event.isdecimal() and len(event) < 16 else None
    if found is None:
        return show(Form(), {"metadata": written(EXAMPLE)})
    return show(
        Form(),
        {
            "metadata": written(found.evidence.metadata),
            "address": found.evidence.address,
            "token": found.evidence.initial_access_token or "",
            "statement_issuer": found.evidence.statement_issuer,
        },
        past=found,
        verdict=policy_versions.in_force().judge(found.evidence),
        evidence=found.evidence,
    )


@bp.post("/judge")
def judge() -> Response:
    """Judge what was pasted; nothing is registered and nothing counted."""
    form = Form()
    policy = drafted(form)
    found = None if policy is None else judged(form, policy)
    if form.faults or found is None:
        return show(form, typed())
    evidence, verdict = found
    if "ask_gate" in request.form:
        verdict = trials.asked_gate(verdict, evidence)
    return show(form, typed(), verdict=verdict, evidence=evidence)


def judged(form: Form, policy: Policy) -> tuple[Evidence, Verdict] | None:
    """Return the evidence and the verdict on pasted metadata, or on the document at a URL."""
    pasted = request.form.get("metadata", "").strip()
    if document_rules.is_url(pasted):
        return trials.of_document(form, pasted, policy)
    evidence = described(form)
    return None if evidence is None else (evidence, policy.judge(evidence))


@bp.post("/replay")
def replay() -> Response:
    """Judge the latest arrivals again; list what the rules would have decided otherwise."""
    form = Form()
    policy = drafted(form)
    size = form.choice("last", "The number of arrivals", (number for number, _ in REPLAYED))
    if form.faults or policy is None:
        return show(form, typed())
    return show(form, typed(), replayed=simulations.replay(policy, int(size)))


def drafted(form: Form) -> Policy | None:
    """Return the pasted rules as a policy, or the one in force when none are pasted."""
    text = request.form.get("rules", "").strip()
    policy = policy_versions.in_force()
    return form.tried("rules", lambda: read_rules(text, policy)) if text else policy


def read_rules(text: str, policy: Policy) -> Policy:
    """Return a policy file as a draft of the next version."""
    wanted = policy_files.parse(text, current_settings().metadata_rules)
    rules = policy_files.adopt(wanted.rules, policy)
    return Policy(policy.number, tuple(replace(each, id=each.id or each.name) for each in rules))


def described(form: Form) -> Evidence | None:
    """Return the evidence of what was pasted, compared with what is known here."""
    address = form.text("address", "The address", 64, required=False)
    issuer = form.text("statement_issuer", "The issuer", ISSUER_LENGTH, required=False)
    text, token = request.form.get("metadata", ""), request.form.get("token") or None
    return form.tried("metadata", lambda: read_metadata(text, address, token, issuer))


def read_metadata(text: str, address: str, token: str | None, issuer: str) -> Evidence:
    """Return the evidence of an arrival of some metadata; with an issuer they are its statement."""
    settings = current_settings()
    metadata = client_metadata.parse(policy_files.loaded(text), settings.metadata_rules)
    statement = Statement("", issuer, metadata)
    return admissions.evidence(
        metadata,
        source=statement.source,
        initial_access_token=token,
        address=address,
        user_agent="",
        brands=settings.brand_words,
        statement=statement,
    )


def show(form: Form, values: dict[str, Any], **found: Any) -> Response:
    """Show the form with what was found."""
    verdict, evidence = found.get("verdict"), found.get("evidence")
    tokens = [(row.id, row.name) for row in registration_tokens.find_all()]
    page = render_page(
        "simulator.html",
        values=values,
        faults=form.faults,
        has_gate=trials.current_gate() is not None,
        tokens=[("", "none"), (STATIC, "The token of the settings"), *tokens],
        arrivals=simulations.arrivals(LATEST),
        replayed=found.get("replayed"),
        sizes=REPLAYED,
        past=found.get("past"),
        verdict=verdict,
        evidence=evidence,
        facts=result(verdict, evidence) if verdict and evidence else (),
    )
    return refused(page, form)


def typed() -> dict[str, Any]:
    """Return what was typed."""
    names = ("metadata", "address", "token", "statement_issuer", "rules", "last", "ask_gate")
    return {name: request.form.get(name, "") for name in names}


def written(metadata: Any) -> str:
    """Write metadata for reading and editing."""
    return json.dumps(metadata, indent=2, ensure_ascii=False)


def result(verdict: Verdict, evidence: Evidence) -> list[tuple[str, str]]:
    """Return what would come of the arrival, as terms and values."""
    if verdict.outcome == "refuse":
        return [("It is told", verdict.message)]
    if verdict.outcome == "hold":
        return [("Its client", "waits until a person decides")]
    found = [("Its client", "works at once")]
    if verdict.admits_anew:
        allowed = verdict.allowed(scopes.offered(evidence.metadata))
        found.append(("Scopes", " ".join(allowed)))
        found += [("Bounded by", bound) for bound in bounds_of(verdict.then)]
        if verdict.approve_seconds is not None:
            end = clock.epoch() + verdict.approve_seconds
            found.append(("Approved until", instant(end) or ""))
    return found
