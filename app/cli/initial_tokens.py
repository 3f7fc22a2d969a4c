"""Owns the commands about initial access tokens: create, list, show, revoke."""

from typing import Any

import click

from app import clock
from app.cli import shell
from app.cli.parameters import ADDRESS, NAME, NETWORK, REMARK, SPAN_OF_TIME, names
from app.domain import client_lists, grants, registration_tokens, rules
from app.domain.obligations import TOKEN_VERDICTS, Terms
from app.domain.registration_tokens import InitialAccessToken
from app.extensions import db
from app.views import instant


@click.group("initial-token", cls=shell.Group)
def initial_token_group() -> None:
    """Make and end the tokens that let somebody register (RFC 7591 section 3)."""


OPTIONS: list[click.Parameter] = [
    click.Option(["--name"], type=NAME, required=True, help="Whom or what it is for."),
    click.Option(["--purpose"], type=REMARK, default="", help="Why it is given out."),
    click.Option(["--owner"], type=REMARK, default="", help="Who answers for it."),
    click.Option(
        ["--uses"], type=click.IntRange(1, 1_000_000), help="How many clients it may register."
    ),
    click.Option(["--expires"], type=SPAN_OF_TIME, help="Life span such as 12h or 7d."),
    click.Option(
        ["--network", "networks"],
        type=NETWORK,
        multiple=True,
        help="Works only from here, such as 192.0.2.0/24. Repeatable.",
    ),
    click.Option(
        ["--verdict"],
        type=click.Choice(TOKEN_VERDICTS),
        default="rules",
        show_default=True,
        help="admit lets in what no rule decides; hold leaves everything new to a person.",
    ),
    click.Option(
        ["--scope", "allowed"], multiple=True, help="All its clients may have. Repeatable."
    ),
    click.Option(
        ["--resource", "targets"],
        type=ADDRESS,
        multiple=True,
        help="All its clients get tokens for. Repeatable.",
    ),
    click.Option(
        ["--access-token-seconds"],
        type=click.IntRange(grants.SHORTEST_SECONDS, grants.LONGEST_SECONDS),
        help="Longest life of their access tokens.",
    ),
    click.Option(
        ["--approve-days"],
        type=click.IntRange(1, rules.LONGEST_APPROVAL_DAYS),
        help="What is approved without a person is approved for so long.",
    ),
]


@initial_token_group.command("create", params=OPTIONS)
def create(*, expires: int | None, networks: tuple[str, ...], **about: Any) -> None:
    """Make a token and print it; nobody can read it again."""
    described = {name: about.pop(name) for name in ("name", "purpose", "owner", "uses")}
    listed = rules.lines("network", networks)
    terms = read_terms(**about)
    with shell.application():
        row, token = registration_tokens.create(
            **described,
            by=shell.actor(),
            expires_at=shell.after(expires),
            networks=listed,
            terms=terms,
        )
        answer = {"token": token, **facts(row)}
        db.session.commit()
    shell.show(answer, token)


def read_terms(
    *, verdict: Any, allowed: tuple[str, ...], targets: tuple[str, ...], **lengths: int | None
) -> Terms:
    """Return what the token says about what registers with it; without options no bound."""
    ceilings = {"scopes": names(allowed) or None, "resources": targets or None}
    return Terms(verdict, rules.obligations(ceilings | lengths))


@initial_token_group.command("list")
def list_tokens() -> None:
    """List all tokens, newest first; never their values."""
    with shell.application():
        rows = [facts(row) for row in registration_tokens.find_all()]
    columns = ("id", "state", "used_count", "uses_left", "expires", "verdict", "owner", "name")
    shell.show_rows(rows, columns)


@initial_token_group.command("show")
@click.argument("token_id", type=NAME, metavar="ID")
def show(token_id: str) -> None:
    """Show one token and how many clients it has made, deleted ones not counted."""
    with shell.application():
        row = registration_tokens.get(token_id)
        answer = {**facts(row), "clients": client_lists.count_of_token(row.id)}
    shell.show(answer)


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
    said = registration_tokens.facts(row)
    return {
        "id": row.id,
        "name": said.pop("name"),
        "state": registration_tokens.state(row, clock.epoch()),
        "uses_left": row.uses_left,
        "used_count": row.used_count,
        "last_used": instant(row.last_used_at),
        "expires": instant(said.pop("expires_at")),
        "created": instant(row.created_at),
        "created_by": row.created_by,
        **said,
    }
