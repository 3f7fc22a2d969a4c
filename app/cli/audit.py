"""Owns the command that reads the audit trail: audit list."""

from typing import Any

import click

from app.cli import shell
from app.cli.parameters import FILTER
from app.domain import audit
from app.domain.audit import AuditEvent, Filters
from app.views import instant


@click.group("audit", cls=shell.Group)
def audit_group() -> None:
    """Audit trail: what happened, and who did it."""


@audit_group.command("list")
@click.option(
    "--type", "tag", type=FILTER, default="", help="Tag such as client.registered, or client."
)
@click.option(
    "--client", "client_id", type=FILTER, default="", metavar="ID", help="About this client."
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--older-than", type=int, metavar="ID", help="Go on behind this event.")
def list_events(tag: str, client_id: str, limit: int, older_than: int | None) -> None:
    """List events, newest first."""
    filters = Filters(tag=tag, client_id=client_id)
    with shell.application():
        rows = [facts(each) for each in audit.find_page(filters, older_than=older_than, size=limit)]
    shell.show_rows(rows, ("id", "at", "tag", "actor", "subject", "detail"))


def facts(event: AuditEvent) -> dict[str, Any]:
    """Return an event as it is shown."""
    return {
        "id": event.id,
        "at": instant(event.at_ms // 1000),
        "at_ms": event.at_ms,
        "tag": event.tag,
        "subject": event.subject,
        "client_id": event.client_id,
        "actor": f"{event.actor_kind} {event.actor_name or event.actor_id}".strip(),
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "actor_name": event.actor_name,
        "address": event.address,
        "request_id": event.request_id,
        "detail": event.detail,
    }
