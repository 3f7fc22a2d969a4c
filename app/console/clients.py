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
from app.console.pages import asked, console_blueprint, render_page
from app.console.software_facts import SOURCES
from app.console.sorting import headers, order_of, read, written
from app.console.windows import Window, chips, window
from app.domain import client_lists
from app.domain.client_lists import ORDERS, Filters
from app.domain.client_records import Client, Standing
from app.domain.software import Software

bp = console_blueprint("clients_console", __name__, "/clients")
UNUSED_DAYS = ("7", "30", "90", "180", "365")

Found = tuple[Client, Software]


@bp.get("/")
def list_clients() -> Response:
    """Show clients, found, filtered and sorted by the address."""
    wanted = filters()
    shown = find_window(wanted)
    now = clock.epoch()
    return render_page(
        "clients.html",
        "_client_list.html",
        rows=[row_of(client, known, now) for client, known in shown.rows],
        shown=shown,
        headers=headers(ORDERS),
        filters=wanted,
        chips=chips(named()),
        choices=choices(),
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


def find_window(wanted: Filters) -> Window[Found]:
    """Return the page of clients with their software that the address asks for."""
    order = order_of(ORDERS)

    def find(older: str | None, newer: str | None, size: int) -> list[Found]:
        after, before = read(order, older), read(order, newer)
        return client_lists.find_page(wanted, order=order, after=after, before=before, size=size)

    return window(find, lambda found: written(order.key(*found)))


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
