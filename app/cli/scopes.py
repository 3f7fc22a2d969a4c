"""Owns the commands about scopes: scope create, scope list."""

from typing import Any

import click

from app.cli import shell
from app.cli.parameters import WORDS
from app.domain import errors, scopes
from app.domain.scopes import Scope
from app.extensions import db


@click.group("scope", cls=shell.Group)
def scope_group() -> None:
    """Scopes: what may be granted at all."""


@scope_group.command("create")
@click.argument("name")
@click.option("--description", type=WORDS, required=True, help="Plain words for the consent page.")
@click.option("--risk", type=click.Choice(scopes.RISKS), default="low", show_default=True)
@click.option("--default", "is_default", is_flag=True, help="Offered although not asked for.")
@click.option("--four-eyes", is_flag=True, help="Two people have to approve software for it.")
def create(name: str, **words: Any) -> None:
    """Add a scope to the catalogue."""
    with shell.application():
        row = scopes.create(name, by=shell.actor(), **words)
        answer = facts(row)
        db.session.commit()
    shell.show(answer)


@scope_group.command("list")
def list_all() -> None:
    """List the scopes of the catalogue."""
    with shell.application():
        rows = [facts(row) for row in scopes.find_all()]
    shell.show_rows(rows, ("name", "risk", "is_default", "four_eyes", "description"))


def facts(row: Scope) -> dict[str, Any]:
    """Return a scope as it is shown."""
    return {"name": row.name, **scopes.facts(row)}


def check_known(wanted: tuple[str, ...]) -> None:
    """Raise InvalidScope for a name that is not in the catalogue."""
    known = scopes.known(wanted)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise errors.InvalidScope(
            "A scope is not in the catalogue; add it with gatewright scope create.",
            scope=" ".join(unknown),
        )
