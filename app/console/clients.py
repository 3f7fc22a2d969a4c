"""Clients: the list, and where each page and form of a client is."""

from typing import Any

from flask import Response, url_for

from app import clock
from app.console import (
    client_actions,
    client_creation,
    client_documents,
    client_editing,
    client_page,
    client_secrets,
)
from app.console.pages import (
    PAGE_SIZES,
    asked,
    console_blueprint,
    page_size,
    render_page,
)
from app.console.software_facts import SOURCES
from app.console.windows import chips, first, window
from app.domain import client_lists
from app.domain.client_lists import Filters
from app.domain.client_records import Client, Standing
from app.domain.software import Software

bp = console_blueprint("clients_console", __name__, "/clients")
UNUSED_DAYS = ("7", "30", "90", "180", "365")

Found = tuple[Client, Software]


@bp.get("/")
def list_clients() -> Response:
    """Show clients, newest first, found and filtered by the address."""
    shown = window(find_page, key_of)
    now = clock.epoch()
    return render_page(
        "clients.html",
        "_client_list.html",
        rows=[row_of(client, known, now) for client, known in shown.rows],
        filters=filters(),
        chips=chips(named()),
        choices=choices(),
        size=page_size(),
        sizes=[(each, first(size=each)) for each in PAGE_SIZES],
        newer_url=shown.newer_url,
        older_url=shown.older_url,
        clear_url=url_for("clients_console.list_clients"),
    )


def filters() -> Filters:
    """Return what the address asks for; unknown values do not narrow."""
    unused, standing, source = asked("unused"), asked("standing"), asked("source")
    return Filters(
        search=asked("q"),
        standing=standing if standing in list(Standing) else "",
        source=source if source in SOURCES else "",
        unused_days=int(unused) if unused in UNUSED_DAYS else None,
    )


def choices() -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """Return label, name, options and value of each choice in the filter form."""
    wanted = filters()
    standings = [(standing.value, standing.capitalize()) for standing in Standing]
    unused = [(days, f"{days} days") for days in UNUSED_DAYS]
    return [
        ("Standing", "standing", [("", "All but deleted"), *standings], wanted.standing),
        ("Source", "source", [("", "Any source"), *SOURCES.items()], wanted.source),
        ("Unused for", "unused", [("", "Any time"), *unused], str(wanted.unused_days or "")),
    ]


def named() -> list[tuple[str, str, str]]:
    """Return name, label and value in words of each filter."""
    wanted = filters()
    return [
        ("q", "Search", wanted.search),
        ("standing", "Standing", wanted.standing.capitalize()),
        ("source", "Source", SOURCES.get(wanted.source, "")),
        ("unused", "Unused for", f"{wanted.unused_days} days" if wanted.unused_days else ""),
    ]


def find_page(older: str | None, newer: str | None, size: int) -> list[Found]:
    """Return one page of clients with their software."""
    return client_lists.find_page(
        filters(), older_than=key(older), newer_than=key(newer), size=size
    )


def key(text: str | None) -> tuple[int, str] | None:
    """Return what clients are sorted by: when they were made, and their identifier."""
    created_at, dot, client_id = (text or "").partition(".")
    usable = dot and created_at.isascii() and created_at.isdigit() and len(created_at) <= 12
    return (int(created_at), client_id) if usable else None


def key_of(found: Found) -> str:
    """Write the key of a row into an address."""
    return f"{found[0].created_at}.{found[0].client_id}"


def row_of(client: Client, known: Software, now: int) -> dict[str, Any]:
    """Return what the list shows of a client."""
    record = client_lists.record_of(client, known)
    return {
        "client_id": client.client_id,
        "name": record.name or client.client_id,
        "standing": record.standing(now).value,
        "source": SOURCES.get(client.source, client.source),
        "created_at": client.created_at,
        "last_used_at": client.last_used_at,
        "waits": client.pending_metadata is not None,
    }


bp.get("/new")(client_creation.new_client)
bp.post("/new")(client_creation.create_client)
bp.get("/<path:client_id>")(client_page.show_client)
bp.get("/edit/<path:client_id>")(client_editing.edit_client)
bp.post("/edit/<path:client_id>")(client_editing.save_client)
bp.post("/check-redirect-uris")(client_editing.check_redirect_uris)
bp.get("/rotate-secret/<path:client_id>")(client_secrets.ask_rotation)
bp.post("/rotate-secret/<path:client_id>")(client_secrets.rotate_secret)
bp.post("/suspend/<path:client_id>")(client_actions.suspend_client)
bp.post("/resume/<path:client_id>")(client_actions.resume_client)
bp.post("/revoke-tokens/<path:client_id>")(client_actions.revoke_tokens)
bp.post("/delete")(client_actions.delete_selected)
bp.post("/delete/<path:client_id>")(client_actions.delete_client)
bp.post("/pin/<path:client_id>")(client_documents.pin_document)
bp.post("/unpin/<path:client_id>")(client_documents.unpin_document)
