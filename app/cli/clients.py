"""Owns the commands about existing clients: list, show, decide, stop, rotate, delete."""

from collections.abc import Callable, Iterator
from typing import Any

import click

from app import clock
from app.cli import client_documents, client_profiles, shell
from app.cli.client_creation import create
from app.cli.parameters import ADDRESS, FILTER, NAME, REASON, SPAN_OF_TIME, names
from app.config import current_key
from app.domain import (
    assertion_secrets,
    client_information,
    client_lists,
    clients,
    decisions,
    errors,
    reach,
    software,
)
from app.domain.client_lists import Filters
from app.domain.client_records import Client, Standing
from app.domain.software import Software
from app.extensions import db
from app.views import instant

PAGE = 500


@click.group("client", cls=shell.Group)
def client_group() -> None:
    """Clients: create by hand, look at, decide, stop."""


client_group.add_command(create)
client_group.add_command(client_documents.pin)
client_group.add_command(client_documents.unpin)
client_group.add_command(client_profiles.set_profile)
reason_option = click.option("--reason", type=REASON, default="", help="Kept in the audit trail.")
id_argument = click.argument("client_id", type=ADDRESS, metavar="ID")


@client_group.command("list")
@click.option("--standing", type=click.Choice([each.value for each in Standing]), default=None)
@click.option("--search", type=FILTER, default="", help="Part of the name, or the whole client_id.")
def list_clients(standing: str | None, search: str) -> None:
    """List clients, newest first; deleted ones only when asked for."""
    with shell.application():
        found = [row(*each) for each in find_all(Filters(search=search, standing=standing or ""))]
    shell.show_rows(found, ("client_id", "standing", "source", "created", "client_name"))


def find_all(filters: Filters) -> Iterator[tuple[Client, Software]]:
    """Yield the clients of all pages."""
    key = None
    while page := client_lists.find_page(filters, after=key, size=PAGE):
        yield from page
        key = page[-1][0].created_at, page[-1][0].client_id


def row(client: Client, owner: Software) -> dict[str, Any]:
    """Return what a list shows of a client."""
    record = client_lists.record_of(client, owner)
    return {
        "client_id": client.client_id,
        "client_name": owner.name,
        "standing": record.standing(clock.epoch()).value,
        "source": client.source,
        "created": instant(client.created_at),
        "last_used": instant(client.last_used_at),
        "software_id": owner.id,
    }


@client_group.command("show")
@id_argument
def show(client_id: str) -> None:
    """Show a client, its software and what waits for a decision."""
    with shell.application() as app:
        client = find(client_id)
        answer = client_information.of(client, shell.settings_of(app).issuer) | facts(client)
    shell.show(answer)


def find(client_id: str) -> Client:
    """Return a client, deleted ones included; raises NotFound."""
    return clients.find(client_id) or clients.get(client_id)


def facts(client: Client) -> dict[str, Any]:
    """Return what this server knows about a client beyond its metadata; never a digest."""
    owner = software.get(client.pending_software_id or client.software_id)
    record = client_lists.record_of(client, software.get(client.software_id))
    ceiling = record.resources
    return {
        "standing": record.standing(clock.epoch()).value,
        "source": client.source,
        "last_used": instant(client.last_used_at),
        "allowed_scopes": sorted(record.scopes),
        "allowed_resources": None if ceiling is None else sorted(ceiling),
        "introspects": client.introspects,
        "profile": "fapi2" if client.fapi2 else "none",
        "pending_metadata": client.pending_metadata,
        "software": {
            "id": owner.id,
            "name": owner.name,
            "status": owner.status,
            "revision": owner.revision,
            "seen": owner.seen_count,
            "notes": owner.notes,
            "decided": instant(owner.decided_at),
            "decided_by": owner.decided_by,
            "reason": owner.reason,
        },
    }


@client_group.command("approve")
@id_argument
@click.option("--scope", "scopes", multiple=True, help="Allow only these; may be repeated.")
@click.option("--revision", type=NAME, help="Refuse unless the software is still this one.")
@reason_option
def approve(client_id: str, scopes: tuple[str, ...], revision: str | None, reason: str) -> None:
    """Approve the software of a client, with all its registrations, or its waiting revision."""
    with shell.application():
        row = undecided(client_id)
        allowed = narrowed(decisions.offered_scopes(row), names(scopes))

        seen = revision or row.revision
        decisions.approve(row.id, seen, by=shell.actor(), allowed=allowed, reason=reason)
        answer = {"client_id": client_id, **decided(row)}
        db.session.commit()
    shell.show(answer)


@client_group.command("reject")
@id_argument
@click.option("--revision", type=NAME, help="Refuse unless the software is still this one.")
@reason_option
def reject(client_id: str, revision: str | None, reason: str) -> None:
    """Reject the software of a client, with all its registrations, or its waiting revision."""
    with shell.application():
        row = undecided(client_id)

        decisions.reject(row.id, revision or row.revision, reason, by=shell.actor())
        answer = {"client_id": client_id, **decided(row)}
        db.session.commit()
    shell.show(answer)


def undecided(client_id: str) -> Software:
    """Return the software of a client that a decision would be about."""
    client = clients.get(client_id)
    return software.get(client.pending_software_id or client.software_id)


def narrowed(offered: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scopes to allow; raises InvalidScope for one that approval does not offer."""
    unknown = [name for name in wanted if name not in offered]
    if unknown:
        raise errors.InvalidScope(
            "Approval can only allow scopes of the catalogue that the software asked for.",
            scope=" ".join(unknown),
        )
    return wanted or offered


def decided(row: Software) -> dict[str, Any]:
    """Return what a decision made of some software."""
    return {
        "software_id": row.id,
        "name": row.name,
        "status": row.status,
        "scopes": row.scopes,
        "clients": reach.count_clients(row.id),
    }


@client_group.command("suspend")
@id_argument
@reason_option
def suspend(client_id: str, reason: str) -> None:
    """Stop a client and end everything it holds."""
    change(client_id, lambda client: clients.suspend(client, reason, by=shell.actor()))


@client_group.command("resume")
@id_argument
@reason_option
def resume(client_id: str, reason: str) -> None:
    """Let a suspended client work again; what it held stays ended."""
    change(client_id, lambda client: clients.resume(client, reason, by=shell.actor()))


@client_group.command("delete")
@id_argument
@reason_option
def delete(client_id: str, reason: str) -> None:
    """Delete a client and end everything it holds; a tombstone stays."""
    change(client_id, lambda client: clients.delete(client, reason, by=shell.actor()))


def change(client_id: str, verb: Callable[[Client], None]) -> None:
    """Change the state of one client and show what came of it."""
    with shell.application():
        client = clients.get(client_id)
        verb(client)
        record = client_lists.record_of(client, software.get(client.software_id))
        answer = {"client_id": client_id, "standing": record.standing(clock.epoch()).value}
        db.session.commit()
    shell.show(answer)


@client_group.command("rotate-secret")
@id_argument
@click.option("--overlap", type=SPAN_OF_TIME, default="24h", show_default=True)
def rotate_secret(client_id: str, overlap: int) -> None:
    """Give a client a new secret; the old one works until the overlap is over.

    Prints the client information response with the new client_secret, which nobody can read again.
    """
    with shell.application() as app:
        client = clients.get(client_id)

        issued = clients.rotate_secret(client, by=shell.actor(), overlap_seconds=overlap)
        assertion_secrets.seal(client, issued.client_secret, current_key("client secrets"))
        answer = client_information.of(client, shell.settings_of(app).issuer, issued)
        answer["old_client_secret_expires_at"] = client.old_secret_expires_at
        db.session.commit()
    shell.show(answer)
