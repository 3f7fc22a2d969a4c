"""Clients: the list, and where each page and form of a client is."""

from typing import Any

from flask import Response, request, url_for

from app import clock
from app.console import (
    client_actions,
    client_creation,
    client_editing,
    client_page,
    client_secrets,
)
from app.console.client_page import SOURCES
from app.console.pages import (
    PAGE_SIZES,
    address_with,
    console_blueprint,
    page_size,
    render_page,
)
from app.domain import client_lists
from app.domain.client_lists import Filters
from app.domain.client_records import Client, ClientRecord, Standing
from app.domain.software import Software

bp = console_blueprint("clients_console", __name__, "/clients")
UNUSED_DAYS = ("7", "30", "90", "180", "365")

Key = tuple[int, str]
"""What clients are sorted by: when they were made, and their identifier."""


@bp.get("/")
def list_clients() -> Response:
    """Show clients, newest first, found and filtered by the address."""
    found, newer, older = window(filters(), page_size())
    now = clock.epoch()
    rows = [row_of(client_lists.record_of(client, known), client, now) for client, known in found]
    return render_page(
        "clients.html",
        "_client_list.html",
        rows=rows,
        filters=filters(),
        chips=chips(),
        choices=choices(),
        newer_url=newer,
        older_url=older,
        clear_url=url_for("clients_console.list_clients"),
    )


def filters() -> Filters:
    """Return what the address asks for; unknown values do not narrow."""
    unused = request.args.get("unused", "")
    standing = request.args.get("standing", "")
    source = request.args.get("source", "")
    return Filters(
        search=request.args.get("q", "").replace("\0", "").strip()[:200],
        standing=standing if standing in list(Standing) else "",
        source=source if source in SOURCES else "",
        unused_days=int(unused) if unused in UNUSED_DAYS else None,
    )


def choices() -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """Return label, name, options and value of each choice in the filter form."""
    asked = filters()
    standings = [(standing.value, standing.capitalize()) for standing in Standing]
    unused = [(days, f"{days} days") for days in UNUSED_DAYS]
    sizes = [(str(size), str(size)) for size in PAGE_SIZES]
    return [
        ("Standing", "standing", [("", "All but deleted"), *standings], asked.standing),
        ("Source", "source", [("", "Any source"), *SOURCES.items()], asked.source),
        ("Unused for", "unused", [("", "Any time"), *unused], str(asked.unused_days or "")),
        ("Rows", "size", sizes, str(page_size())),
    ]


def chips() -> list[tuple[str, str, str]]:
    """Return label, value and removing address of each filter in force."""
    asked = filters()
    unused = f"{asked.unused_days} days" if asked.unused_days else ""
    source = SOURCES.get(asked.source, "")
    found = (
        ("q", "Search", asked.search),
        ("standing", "Standing", asked.standing.capitalize()),
        ("source", "Source", source),
        ("unused", "Unused for", unused),
    )
    return [
        (label, value, address_with(**{name: None, "older": None, "newer": None}))
        for name, label, value in found
        if value
    ]


def window(
    asked: Filters, size: int
) -> tuple[list[tuple[Client, Software]], str | None, str | None]:
    """Return one page of clients and the addresses of its neighbours."""
    older, newer = key_of("older"), key_of("newer")
    if newer is not None:
        found = client_lists.find_page(asked, newer_than=newer, size=size + 1)
        beyond, rows = len(found) > size, found[-size:]
        return rows, neighbour("newer", rows[:1]) if beyond else None, neighbour("older", rows[-1:])
    found = client_lists.find_page(asked, older_than=older, size=size + 1)
    beyond, rows = len(found) > size, found[:size]
    newer_url = neighbour("newer", rows[:1]) if older is not None else None
    return rows, newer_url, neighbour("older", rows[-1:]) if beyond else None


def key_of(name: str) -> Key | None:
    """Return the key of a neighbour from the address."""
    created_at, dot, client_id = request.args.get(name, "").replace("\0", "").partition(".")
    usable = dot and created_at.isascii() and created_at.isdigit() and len(created_at) <= 12
    return (int(created_at), client_id) if usable else None


def neighbour(direction: str, row: list[tuple[Client, Software]]) -> str | None:
    """Return the address of the page beside a row."""
    if not row:
        return address_with(older=None, newer=None)
    client = row[0][0]
    other = "older" if direction == "newer" else "newer"
    return address_with(**{direction: f"{client.created_at}.{client.client_id}", other: None})


def row_of(record: ClientRecord, client: Client, now: int) -> dict[str, Any]:
    """Return what the list shows of a client."""
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
bp.post("/delete/<path:client_id>")(client_actions.delete_client)
