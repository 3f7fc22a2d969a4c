"""Owns the commands about resources: resource create, resource list."""

from typing import Any

import click

from app.cli import shell
from app.cli.parameters import ADDRESS, TITLE, names
from app.cli.scopes import check_known
from app.domain import resources
from app.domain.grants import LONGEST_SECONDS, SHORTEST_SECONDS
from app.domain.resources import Resource
from app.extensions import db


@click.group("resource", cls=shell.Group)
def resource_group() -> None:
    """Resources: what tokens can be issued for."""


@resource_group.command("create")
@click.argument("uri", type=ADDRESS)
@click.option("--name", type=TITLE, required=True, help="What people see.")
@click.option("--scope", "allowed", multiple=True, help="What can be granted for it. Repeatable.")
@click.option(
    "--access-token-seconds",
    type=click.IntRange(SHORTEST_SECONDS, LONGEST_SECONDS),
    help="Lifetime of its access tokens.",
)
def create(uri: str, name: str, allowed: tuple[str, ...], access_token_seconds: int | None) -> None:
    """Add a resource to the catalogue; its scopes must be there already."""
    wanted = names(allowed)
    with shell.application():
        check_known(wanted)

        row = resources.create(
            uri, name, wanted, by=shell.actor(), access_token_seconds=access_token_seconds
        )
        answer = facts(row)
        db.session.commit()
    shell.show(answer)


@resource_group.command("list")
def list_all() -> None:
    """List the resources of the catalogue."""
    with shell.application():
        rows = [facts(row) for row in resources.find_all()]
    shell.show_rows(rows, ("uri", "name", "scopes"))


def facts(row: Resource) -> dict[str, Any]:
    """Return a resource as it is shown."""
    return {"uri": row.uri, **resources.facts(row)}
