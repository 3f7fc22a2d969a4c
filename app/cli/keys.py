"""Owns the commands about signing keys: keys list, keys rotate."""

from collections.abc import Mapping
from typing import Any

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
    with shell.application() as app:
        keys = signing_keys.find_all()
        turns_at = key_rotation.turns_at(shell.settings_of(app).key_rotation_days)
        rows = [
            {
                "kid": row.kid,
                "algorithm": row.algorithm,
                "state": key_rotation.standing(row),
                "created": instant(row.created_at),
                "since": instant(key_rotation.since(row, keys)),
                "until": instant(row.until),
                "signs_from": instant(turns_at) if row.state == "next" else None,
            }
            for row in keys
        ]
    shell.show_rows(rows, ("kid", "algorithm", "state", "since", "until", "signs_from"))


@key_group.command("rotate")
@click.option("--now", "early", is_flag=True, help="Even if the next key is not in every cache.")
@click.option("--compromised", is_flag=True, help="End all keys at once, with their tokens.")
def rotate(early: bool, compromised: bool) -> None:
    """Sign with the next keys from now on; the old ones verify until their tokens have expired."""
    if compromised:
        replace()
        return
    with shell.application():
        kids = key_rotation.rotate(current_key("signing keys"), by=shell.actor(), early=early)
        db.session.commit()
    shell.show(shown(kids), sentence(kids))


def shown(kids: Mapping[str, str]) -> dict[str, Any]:
    """Return the key that signs access tokens, and those of all algorithms."""
    return {"kid": kids[signing_keys.ALGORITHM], "kids": dict(kids)}


def sentence(kids: Mapping[str, str]) -> str:
    """Say which keys sign."""
    named = " and ".join(f"{kid} ({algorithm})" for algorithm, kid in kids.items())
    return f"Tokens are signed with the keys {named} from now on."


def replace() -> None:
    """End all keys and say what follows."""
    with shell.application():
        sealing_key = current_key("signing keys")
        ended = key_rotation.replace_compromised(sealing_key, by=shell.actor())
        signers = signing_keys.load(sealing_key).signers
        kids = {algorithm: signer.kid for algorithm, signer in signers.items()}
        db.session.commit()
    text = f"{sentence(kids)} {key_rotation.CONSEQUENCES}"
    shell.show(shown(kids) | {"ended": ended}, text)
