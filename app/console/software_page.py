"""Owns the page of one piece of software: what it asks for, why it waits, what was decided."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, url_for

from app import clock
from app.console.audit_facts import row_of as event_row
from app.console.differences import Difference, differences
from app.console.forms import Form
from app.console.pages import operator, render_page
from app.console.software_facts import members, row_of, targets
from app.domain import (
    audit,
    client_lists,
    decisions,
    reach,
    resources,
    reversals,
    risk_notes,
    scopes,
    software,
    software_logos,
    users,
)
from app.domain.audit import Filters
from app.domain.client_records import Client
from app.domain.software import Software

CLIENTS = 10
DAY = 86400
EVENTS = 10
REVISIONS = 20


def show_registration(software_id: str) -> Response:
    """Show one piece of software."""
    return render(software.get(software_id))


def render(row: Software, form: Form | None = None, **extra: Any) -> Response:
    """Render the page; ``form`` is what was typed and is wrong, ``extra`` what a conflict shows."""
    now = clock.epoch()
    decider = users.may(operator(), "approver")
    shown = row_of(row, now, risk_notes.approved_names())
    return render_page(
        "registration.html",
        row=shown,
        software=row,
        targets=targets(row.client_metadata),
        members=members(row.client_metadata),
        json=json.dumps(row.client_metadata, indent=2, sort_keys=True),
        trace=row.verdict["trace"],
        revisions=revisions(row),
        clients=[client_row(client, row, now) for client in clients_of(row)],
        clients_url=url_for("clients_console.list_clients", q=row.name),
        clients_count=reach.count_clients(row.id),
        logo=logo_of(row),
        reach=reach.of(row.id) if row.status == "approved" else None,
        undo=f"{row.id}:{row.decided_at}" if decider and not reversals.why_not(row) else "",
        events=events(row),
        events_url=url_for("audit.list_events", subject=row.id),
        form=form if form is not None else Form(),
        choices=choices(row) if decider and row.status == "pending" else None,
        unknown_scopes=unknown_scopes(row),
        **({"conflict": False, "changed": None, "typed": prefilled(shown["first"])} | extra),
    )


def prefilled(first: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Return the form of an approval as the first of two filled it in; empty when there is none."""
    if first is None:
        return {}
    places, until = first["resources"], first["approved_until"]
    last_day = None if until is None else datetime.fromtimestamp(until - DAY, UTC).date()
    return {
        "scopes": first["scopes"],
        "limit": ["all" if places is None else "chosen"],
        "resources": places or [],
        "until": [last_day.isoformat() if last_day is not None else ""],
    }


def logo_of(row: Software) -> dict[str, Any] | None:
    """Return where the software says that its logo is, and what was fetched from there."""
    uri = software_logos.address_of(row)
    return None if uri is None else {"uri": uri, "kept": software_logos.find(row)}


def clients_of(row: Software) -> list[Client]:
    """Return the newest clients of some software."""
    return client_lists.find_of_software(row.id, CLIENTS)


def client_row(client: Client, row: Software, now: int) -> dict[str, Any]:
    """Return what the page shows of one registration."""
    return {
        "client_id": client.client_id,
        "url": url_for("clients_console.show_client", client_id=client.client_id),
        "standing": client_lists.record_of(client, row).standing(now).value,
        "created_at": client.created_at,
        "last_used_at": client.last_used_at,
        "address": client.address,
    }


def revisions(row: Software) -> list[tuple[str, str, list[Difference]]]:
    """Return client id, address and changes of each client that waits to become this software."""
    return [
        (
            client.client_id,
            url_for("clients_console.show_client", client_id=client.client_id),
            differences(client.client_metadata, client.pending_metadata or {}),
        )
        for client in client_lists.find_waiting(row.id, REVISIONS)
    ]


def events(row: Software) -> list[dict[str, Any]]:
    """Return what happened to the software lately."""
    return [event_row(event) for event in audit.find_page(Filters(subject=row.id), size=EVENTS)]


def choices(row: Software) -> dict[str, Any]:
    """Return what an approval may choose from."""
    catalogue = {scope.name: scope for scope in scopes.find_all()}
    return {
        "scopes": [catalogue[name] for name in decisions.offered_scopes(row) if name in catalogue],
        "asked": row.client_metadata.get("scope", "").split(),
        "resources": [(resource.uri, resource.name) for resource in resources.find_all()],
    }


def unknown_scopes(row: Software) -> list[str]:
    """Return the scopes it asks for that nobody has described here."""
    asked = row.client_metadata.get("scope", "").split()
    known = scopes.known(asked)
    return [name for name in asked if name not in known]
