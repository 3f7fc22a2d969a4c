"""Owns the commands about signing keys: keys list, keys rotate."""

import click

from app.cli import shell
from app.config import current_key
from app.domain import signing_keys
from app.extensions import db
from app.views import instant


@click.group("keys", cls=shell.Group)
def key_group() -> None:
    """Keys that sign tokens."""


@key_group.command("list")
def list_keys() -> None:
    """List the keys, newest first."""
    with shell.application():
        rows = [
            {
                "kid": row.kid,
                "algorithm": row.algorithm,
                "state": row.state,
                "created": instant(row.created_at),
                "retired": instant(row.retired_at),
            }
            for row in signing_keys.find_all()
        ]
    shell.show_rows(rows, ("kid", "algorithm", "state", "created", "retired"))


@key_group.command("rotate")
def rotate() -> None:
    """Sign with a new key from now on; the old one verifies until its tokens have expired."""
    with shell.application():
        kid = signing_keys.create(current_key("signing keys"), by=shell.actor())
        db.session.commit()
    shell.show({"kid": kid}, f"Tokens are signed with the key {kid} from now on.")
