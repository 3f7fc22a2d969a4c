"""Owns the commands about software statements: issue one, trust and distrust who issues them."""

from pathlib import Path
from typing import Any

import click

from app.cli import shell
from app.cli.parameters import ADDRESS, FILE, FILTER, NAME, Text, content_of, names
from app.config import current_key
from app.domain import (
    client_metadata,
    errors,
    foreign_jwts,
    scopes,
    signing_keys,
    software_statements,
    statement_issuers,
)
from app.domain.client_metadata import MetadataRules
from app.domain.statement_issuers import StatementIssuer
from app.extensions import db
from app.views import instant

DAY = 86400
NOTE = Text(statement_issuers.NOTE_LENGTH, shortest=0)


@click.group("statement", cls=shell.Group)
def statement_group() -> None:
    """Make software statements, and say whose count (RFC 7591 section 2.3)."""


@statement_group.command("issue")
@click.option("--software-id", type=NAME, required=True, help="What the software is.")
@click.option("--name", type=NAME, required=True, help="What people see.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="Repeatable.")
@click.option("--scope", multiple=True, help="What it asks for; separated by spaces.")
@click.option(
    "--grant",
    "grants",
    type=click.Choice(MetadataRules.grant_types),
    multiple=True,
    help="Repeatable.",
)
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True)
def issue(days: int, **about: Any) -> None:
    """Sign a statement with our key and print it; what is not given, registrations may choose."""
    with shell.application() as app:
        settings = shell.settings_of(app)
        metadata = said(settings.metadata_rules, **about)
        sealing_key = current_key("signing keys")
        signing_keys.ensure(sealing_key, by=shell.actor())

        identifier, statement = software_statements.issue(
            signing_keys.load(sealing_key),
            settings.issuer,
            metadata,
            seconds=days * DAY,
            by=shell.actor(),
        )
        answer = {
            "software_statement": statement,
            "jti": identifier,
            "expires": instant(shell.after(days * DAY)),
            **metadata,
        }
        db.session.commit()
    shell.show(answer, statement)


def said(
    rules: MetadataRules,
    *,
    software_id: str,
    name: str,
    redirect_uris: tuple[str, ...],
    scope: tuple[str, ...],
    grants: tuple[str, ...],
) -> dict[str, Any]:
    """Return the options as client metadata, checked as at registration."""
    given = {
        "software_id": software_id,
        "client_name": name,
        "redirect_uris": list(redirect_uris),
        "scope": scopes.join(names(scope)),
        "grant_types": list(grants),
    }
    open_grants = {} if redirect_uris or grants else {"grant_types": ["client_credentials"]}
    checked = client_metadata.parse(given | open_grants, rules)
    return {member: checked[member] for member, value in given.items() if value}


@statement_group.command("trust")
@click.argument("issuer", type=ADDRESS)
@click.option("--jwks-uri", type=FILTER, default="", help="Where its keys are.")
@click.option("--jwks", type=FILE, help="Its keys: a file with a JWK set, or - for stdin.")
@click.option(
    "--algorithm",
    "algorithms",
    type=click.Choice(foreign_jwts.ALGORITHMS),
    multiple=True,
    default=["ES256"],
    show_default=True,
    help="Repeatable.",
)
@click.option("--software-id", "software_ids", type=NAME, multiple=True, help="Repeatable.")
@click.option("--note", type=NOTE, default="", help="What operators tell each other.")
def trust(issuer: str, jwks: Path | None, **about: Any) -> None:
    """Let the statements of an issuer count; without --software-id about any software."""
    keys = None if jwks is None else read_keys(jwks)
    with shell.application() as app:
        ours = shell.settings_of(app).issuer
        row = statement_issuers.create(issuer, by=shell.actor(), ours=ours, jwks=keys, **about)
        answer = facts(row)
        db.session.commit()
    shell.show(answer)


def read_keys(file: Path) -> dict[str, object]:
    """Return the JWK set in a file, or in standard input for a dash."""
    return statement_issuers.pasted_keys(content_of(file, statement_issuers.JWKS_BYTES))


@statement_group.command("list")
def list_issuers() -> None:
    """List the trusted issuers."""
    with shell.application():
        rows = [facts(row) for row in statement_issuers.find_all()]
    shell.show_rows(rows, ("issuer", "keys", "algorithms", "software_ids", "note"))


@statement_group.command("distrust")
@click.argument("issuer", type=ADDRESS)
def distrust(issuer: str) -> None:
    """Let the statements of an issuer count no more; clients that came with them stay."""
    with shell.application():
        row = statement_issuers.find(issuer)
        if row is None:
            raise errors.NotFound("This server does not trust this issuer.")
        answer = facts(statement_issuers.remove(row.id, by=shell.actor()))
        db.session.commit()
    shell.show(answer)


def facts(row: StatementIssuer) -> dict[str, Any]:
    """Return what is told of an issuer."""
    kept = [key.get("kid", "no kid") for key in (row.jwks or {"keys": []})["keys"]]
    return {
        "id": row.id,
        "issuer": row.issuer,
        "keys": row.jwks_uri or kept,
        "algorithms": row.algorithms,
        "software_ids": row.software_ids,
        "note": row.note,
        "created": instant(row.created_at),
        "created_by": row.created_by,
    }
