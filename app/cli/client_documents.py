"""Owns the commands about client ID metadata documents: client pin, client unpin."""

from pathlib import Path
from typing import Any

import click

from app import clock
from app.cli import shell
from app.cli.parameters import ADDRESS, FILE, content_of
from app.config import Settings
from app.domain import (
    client_documents,
    client_lists,
    clients,
    document_admissions,
    document_rules,
    errors,
    software,
)
from app.extensions import db
from app.views import instant

url_argument = click.argument("url", type=ADDRESS)


@click.command("pin", cls=shell.Command)
@url_argument
@click.argument("file", type=FILE)
def pin(url: str, file: Path) -> None:
    """Give the document at a client_id URL by hand; it is not fetched from then on.

    FILE holds the JSON, a dash stands for standard input. The document is judged like one that was
    fetched: a new client waits for approval, and so does what the document widens.
    """
    document = read(file)
    with shell.application() as app:
        settings = shell.settings_of(app)

        take(url, document, settings)
        answer = facts(url)
        db.session.commit()
    shell.show(answer)


@click.command("unpin", cls=shell.Command)
@url_argument
def unpin(url: str) -> None:
    """Fetch the document at a client_id URL again, with the next authorization request."""
    with shell.application():
        client_documents.unpin(url, by=shell.actor())
        answer = facts(url)
        db.session.commit()
    shell.show(answer)


def read(file: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or in standard input for a dash."""
    return document_rules.pasted(content_of(file, document_rules.MAXIMUM_BYTES))


def take(url: str, document: dict[str, Any], settings: Settings) -> None:
    """Pin a document; a refusal names the rule and leaves the rest to the audit trail."""
    try:
        document_admissions.pin(
            url,
            document,
            settings.metadata_rules,
            by=shell.actor(),
            brands=settings.brand_words,
        )
    except errors.AdmissionRefused as refusal:
        rule = refusal.facts.get("rule")
        raise errors.AdmissionRefused(refusal.description, rule=rule) from None


def facts(url: str) -> dict[str, Any]:
    """Return what came of it."""
    client, row = clients.get(url), client_documents.get(url)
    record = client_lists.record_of(client, software.get(client.software_id))
    return {
        "client_id": url,
        "standing": record.standing(clock.epoch()).value,
        "waits_for_approval": client.pending_metadata is not None,
        "pinned": instant(row.pinned_at),
        "pinned_by": row.pinned_by,
    }
