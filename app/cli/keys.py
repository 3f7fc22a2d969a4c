"""Owns the commands about signing keys: keys list, keys rotate."""

import click

from app.cli import shell
from app.config import current_key
from app.domain import key_rotation, signing_keys
from app.extensions import db
from app.views import instant


@click.group("keys", cls=shell.Group)
def key_group() -> None:
    """Keys that sign tokens."""


@key_group.command("list")
def list_keys() -> None:
    """List the keys, newest first."""
    with shell.application():
        keys = signing_keys.find_all()
        rows = [
            {
                "kid": row.kid,
                "algorithm": row.algorithm,
                "state": key_rotation.standing(row),
                "created": instant(row.created_at),
                "since": instant(key_rotation.since(row, keys)),
                "until": instant(row.until),
            }
            for row in keys
        ]
    shell.show_rows(rows, ("kid", "algorithm", "state", "since", "until"))


@key_group.command("rotate")
@click.option("--now", "early", is_flag=True, help="Even if the next key is not in every cache.")
@click.option("--compromised", is_flag=True, help="End all keys at once, with their tokens.")
def rotate(early: bool, compromised: bool) -> None:
    """Sign with the next key from now on; the old one verifies until its tokens have expired."""
    if compromised:
        replace()
        return
    with shell.application():
        kid = key_rotation.rotate(current_key("signing keys"), by=shell.actor(), early=early)
        db.session.commit()
    shell.show({"kid": kid}, f"Tokens are signed with the key {kid} from now on.")


def replace() -> None:
    """End all keys and say what follows."""
    with shell.application():
        sealing_key = current_key("signing keys")
        ended = key_rotation.replace_compromised(sealing_key, by=shell.actor())
        kid = signing_keys.load(sealing_key).kid
        db.session.commit()
    text = f"Tokens are signed with the key {kid} from now on. {key_rotation.CONSEQUENCES}"
    shell.show({"kid": kid, "ended": ended}, text)
