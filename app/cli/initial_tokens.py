"""Owns the commands about initial access tokens: create, list, revoke."""

from typing import Any

import click

from app import clock
from app.cli import shell
from app.cli.parameters import NAME, SPAN_OF_TIME
from app.domain import registration_tokens
from app.domain.registration_tokens import InitialAccessToken
from app.extensions import db
from app.views import instant


@click.group("initial-token", cls=shell.Group)
def initial_token_group() -> None:
    """Make and end the tokens that let somebody register (RFC 7591 section 3)."""


@initial_token_group.command("create")
@click.option("--name", type=NAME, required=True, help="Whom or what it is for.")
@click.option("--uses", type=click.IntRange(1, 1_000_000), help="How many clients it may register.")
@click.option("--expires", type=SPAN_OF_TIME, help="Life span such as 12h or 7d.")
def create(name: str, uses: int | None, expires: int | None) -> None:
    """Make a token and print it; nobody can read it again."""
    with shell.application():
        row, token = registration_tokens.create(
            name, by=shell.actor(), uses=uses, expires_at=shell.after(expires)
        )
        answer = {"token": token, **facts(row)}
        db.session.commit()
    shell.show(answer, token)


@initial_token_group.command("list")
def list_tokens() -> None:
    """List all tokens, newest first; never their values."""
    with shell.application():
        rows = [facts(row) for row in registration_tokens.find_all()]
    shell.show_rows(rows, ("id", "state", "used_count", "uses_left", "expires", "name"))


@initial_token_group.command("revoke")
@click.argument("token_id", type=NAME, metavar="ID")
def revoke(token_id: str) -> None:
    """End a token; the clients it has registered stay."""
    with shell.application():
        answer = facts(registration_tokens.revoke(token_id, by=shell.actor()))
        db.session.commit()
    shell.show(answer)


def facts(row: InitialAccessToken) -> dict[str, Any]:
    """Return what may be shown of a token."""
    return {
        "id": row.id,
        "name": row.name,
        "state": state_of(row),
        "uses_left": row.uses_left,
        "used_count": row.used_count,
        "expires": instant(row.expires_at),
        "created": instant(row.created_at),
        "created_by": row.created_by,
    }


def state_of(row: InitialAccessToken) -> str:
    """Say in one word whether a token can still be used."""
    if row.revoked_at is not None:
        return "revoked"
    return "usable" if registration_tokens.usable(row, clock.epoch()) else "spent or expired"
