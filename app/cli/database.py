"""Owns the commands about the database: db upgrade, db check."""

import click

from app import schema, serve
from app.cli import shell


@click.group("db", cls=shell.Group)
def database_group() -> None:
    """Database: bring it up to date, check its version."""


@database_group.command("upgrade")
def upgrade() -> None:
    """Bring the database to the version of this program, and make the first keys."""
    app = serve.build()
    serve.prepare(app)
    with serve.connected(app):
        version = schema.version()
    shell.show({"version": version}, f"The database is at version {version}.")


@database_group.command("check")
def check() -> None:
    """Check that the database answers and is at the version of this program."""
    with shell.application():
        version = schema.version()
    shell.show({"version": version}, f"The database is at version {version}, as it should be.")
