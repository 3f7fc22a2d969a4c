"""Owns the page of one client: overview, grants, activity, JSON."""

from typing import Any

import orjson
from flask import Response, request, url_for

from app import clock
from app.config import current_settings
from app.console.audit_facts import row_of
from app.console.pages import render_page
from app.console.software_facts import SOURCES
from app.domain import (
    audit,
    client_documents,
    client_information,
    client_lists,
    clients,
    errors,
    grants,
    registration_tokens,
    software,
    users,
)
from app.domain.client_records import Client
from app.domain.grants import Grant

TABS = {"overview": "Overview", "grants": "Grants", "activity": "Activity", "json": "JSON"}
EVENTS = 20
MEANINGS = {
    "pending": "It waits until somebody decides about its software.",
    "active": "It may ask for tokens.",
    "rejected": "Its software was rejected; it gets no tokens.",
    "blocked": "Its software is blocked; it gets no tokens.",
    "expired": "The approval of its software has ended; it gets no tokens.",
    "suspended": "An operator stopped this client; it gets no tokens.",
    "deleted": "It is gone; only its history is left.",
}


def show_client(client_id: str) -> Response:
    """Show one client, deleted ones included."""
    client = find(client_id)
    known = software.get(client.software_id)
    record = client_lists.record_of(client, known)
    tab = request.args.get("tab", "")
    tab = tab if tab in TABS else "overview"
    standing = record.standing(clock.epoch()).value
    return render_page(
        "client.html",
        client=client,
        software=known,
        record=record,
        name=record.name or client.client_id,
        standing=standing,
        meaning=MEANINGS[standing],
        tab=tab,
        tabs=[(label, address_of(client, each), each == tab) for each, label in TABS.items()],
        **SHOWN[tab](client),
    )


def find(client_id: str) -> Client:
    """Return a client or its tombstone; raises NotFound."""
    client = clients.find(client_id)
    if client is None:
        raise errors.NotFound("There is no client with this identifier.")
    return client


def name_of(client: Client) -> str:
    """Return what people call a client: the name of the software they approved."""
    return software.get(client.software_id).name or client.client_id


def address_of(client: Client, tab: str = "overview") -> str:
    """Return the address of a client's page."""
    shown = None if tab == "overview" else tab
    return url_for("clients_console.show_client", client_id=client.client_id, tab=shown)


def overview(client: Client) -> dict[str, Any]:
    """Return what the overview needs besides the client."""
    now = clock.epoch()
    overlap = client.old_secret_expires_at if client.old_secret_digest else None
    return {
        "source": SOURCES.get(client.source, client.source),
        "document": client_documents.find(client.client_id),
        "token": token_of(client),
        "old_secret_until": overlap if overlap is not None and overlap > now else None,
        "default_seconds": current_settings().access_token_seconds,
    }


def token_of(client: Client) -> tuple[str, str | None]:
    """Return name and address of the initial access token a client came with, or nothing."""
    identifier = client.initial_access_token_id
    if identifier is None:
        return "", None
    if identifier == registration_tokens.STATIC:
        return "the token of the settings", None
    url = url_for("initial_access_tokens.show_token", token_id=identifier)
    return registration_tokens.get(identifier).name, url


def latest_grants(client: Client) -> dict[str, Any]:
    """Return the latest grants with the people who gave them."""
    found = grants.find_latest(client_id=client.client_id)
    emails = users.emails(grant.user_id for grant in found)
    now = clock.epoch()
    rows = [(grant, emails.get(grant.user_id, grant.user_id), state(grant, now)) for grant in found]
    return {"rows": rows}


def state(grant: Grant, now: int) -> str:
    """Return whether a grant lives."""
    if grant.revoked_at is not None:
        return "revoked"
    return "active" if grant.expires_at > now else "expired"


def activity(client: Client) -> dict[str, Any]:
    """Return the latest events."""
    asked = audit.Filters(client_id=client.client_id)
    return {
        "rows": [row_of(event) for event in audit.find_page(asked, size=EVENTS)],
        "audit_url": url_for("audit.list_events", client_id=client.client_id),
    }


def as_json(client: Client) -> dict[str, Any]:
    """Return the client information response, without secrets (RFC 7591 section 3.2.1)."""
    information = client_information.of(client, current_settings().issuer)
    return {"json": orjson.dumps(information, option=orjson.OPT_INDENT_2).decode()}


SHOWN = {"overview": overview, "grants": latest_grants, "activity": activity, "json": as_json}
"""What each tab reads; the others are not asked."""
