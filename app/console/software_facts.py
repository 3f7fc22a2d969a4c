"""Owns what console pages show of software: where it leads, what it asks for, who saw it."""

from collections.abc import Mapping
from typing import Any

from flask import url_for

from app.config import current_settings
from app.console.differences import lines_of
from app.domain import four_eyes, redirect_uris, risk_notes, software
from app.domain.risk_notes import Approved
from app.domain.software import Software

SOURCES = {
    "dcr": "Registered itself",
    "statement": "By a software statement",
    "cimd": "By its document",
    "console": "Made by hand",
}
MEMBERS = (
    "client_name",
    "redirect_uris",
    "scope",
    "grant_types",
    "response_types",
    "token_endpoint_auth_method",
    "application_type",
    "client_uri",
    "logo_uri",
    "contacts",
    "tos_uri",
    "policy_uri",
    "software_id",
    "software_version",
)
"""The members that people read first, in the order in which they matter."""


def row_of(row: Software, now: int, approved: Approved) -> dict[str, Any]:
    """Return what the queue shows of software, compared with what is approved by now."""
    metadata = row.client_metadata
    return {
        "id": row.id,
        "revision": row.revision,
        "url": url_for("registrations.show_registration", software_id=row.id),
        "name": row.name or "(no name)",
        "standing": software.standing(row.status, row.approved_until, now),
        "targets": targets(metadata),
        "source": SOURCES.get(row.source, row.source),
        "seen_count": row.seen_count,
        "addresses": row.addresses,
        "first_seen_at": row.first_seen_at,
        "last_seen_at": row.last_seen_at,
        "scopes": metadata.get("scope", "").split(),
        "approved_scopes": row.scopes,
        "notes": notes(row, approved),
        "first": four_eyes.standing(row),
        "justification": row.justification,
        "justified_by": row.justified_by,
        "outcome": row.verdict["outcome"],
        "rule": row.verdict["rule"],
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
        "reason": row.reason,
    }


def notes(row: Software, approved: Approved) -> tuple[str, ...]:
    """Return what to look at twice; software that waits is compared with what is approved now."""
    if row.status != "pending":
        return tuple(row.notes)
    brands = current_settings().brand_words
    findings = risk_notes.findings(row.client_metadata, approved, brands)
    return tuple(dict.fromkeys((*row.notes, *risk_notes.notes(row.client_metadata, findings))))


def targets(metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return each place that its codes may go to, once."""
    described = map(redirect_uris.describe, metadata.get("redirect_uris", []))
    return list({target["host"]: target for target in described}.values())


def members(metadata: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return every member of client metadata with its lines, what matters most first."""
    first = [name for name in MEMBERS if name in metadata]
    names = first + sorted(name for name in metadata if name not in MEMBERS)
    return [(name, lines_of(metadata[name], split=name == "scope")) for name in names]
