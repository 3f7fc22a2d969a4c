"""Owns the commands about connections: connection create, list, show, token, test, delete."""

from pathlib import Path
from typing import Any

import click

from app import clock, connection_uses, logs
from app.cli import shell
from app.cli.parameters import FILE, SPAN_OF_TIME, content_of, names, secret_of_stdin
from app.config import current_key
from app.domain import connection_drafts, connections, private_keys, scopes
from app.domain.connection_drafts import Draft
from app.domain.connection_records import Connection
from app.exits import REFUSED
from app.extensions import db
from app.outbound import connection_trials
from app.outbound.connection_trials import Trial
from app.outbound.watching import Exchange
from app.views import instant

LONGEST_SECRET = 4096
GOT = "A token was got."


CREATE: list[click.Parameter] = [
    click.Argument(["name"]),
    click.Option(["--token-endpoint"], default="", help="Where this server gets its tokens."),
    click.Option(["--issuer"], default="", help="Or else whose metadata name that endpoint."),
    click.Option(["--client-id"], default="", help="What this server is called there."),
    click.Option(["--client-secret-stdin"], is_flag=True, help="Read it from standard input."),
    click.Option(
        ["--private-key"], type=FILE, help="For private_key_jwt: a file with a JWK, or - for stdin."
    ),
    click.Option(
        ["--auth-method"],
        type=click.Choice(connection_drafts.AUTH_METHODS),
        default=connection_drafts.AUTH_METHODS[0],
        show_default=True,
    ),
    click.Option(["--scope"], multiple=True, help="What to ask for; separated by spaces."),
    click.Option(["--resource"], default="", help="What the tokens are for (RFC 8707)."),
    click.Option(
        ["--expiry-buffer-seconds"],
        default=connection_drafts.BUFFER_SECONDS,
        show_default=True,
        help="A token is renewed so long before it expires.",
    ),
    click.Option(["--description"], default="", help="What it is for."),
]


@click.group("connection", cls=shell.Group)
def connection_group() -> None:
    """Logins that this server holds at others'."""


@connection_group.command("create", params=CREATE)
def create(
    name: str,
    client_secret_stdin: bool,
    private_key: Path | None,
    scope: tuple[str, ...],
    **about: Any,
) -> None:
    """Hold a login; for private_key_jwt without a key of its own the key of this server signs."""
    draft = Draft(
        client_secret=secret_of_stdin(LONGEST_SECRET) if client_secret_stdin else "",
        private_key="" if private_key is None else read_key(private_key),
        scope=scopes.join(names(scope)),
        **about,
    )
    with shell.application():
        row = connections.create(name, draft, current_key("connections"), by=shell.actor())
        answer = facts(row)
        db.session.commit()
    shell.show(answer)


def read_key(file: Path) -> str:
    """Return the text in a file, or in standard input for a dash; not yet read as a key."""
    return content_of(file, private_keys.LONGEST).decode(errors="replace")


@connection_group.command("list")
def list_all() -> None:
    """List the connections, those of the environment as the server found them when it started."""
    with shell.application():
        rows = [facts(row) for row in connections.find_all()]
    shell.show_rows(
        rows, ("name", "source", "client_id", "description", "last_used", "token_expires")
    )


@connection_group.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show a connection; its secret is shown to nobody."""
    with shell.application():
        answer = facts(connections.get(name))
    shell.show(answer)


@connection_group.command("token")
@click.argument("name")
@click.option(
    "--min-life",
    type=SPAN_OF_TIME,
    metavar="SPAN",
    help="How long the token has to live from now; one that ends earlier is renewed.",
)
def token(name: str, min_life: int | None) -> None:
    """Print an access token for a script; with --json also in how many seconds it ends."""
    with shell.application():
        logs.hush()
        tokens = connection_uses.managers().of(connections.get(name))
        db.session.rollback()
        kept = tokens.current(connection_trials.SECONDS, life_seconds=min_life or 0)
    answer = {"access_token": kept.value, "expires_in": kept.expires_at - clock.epoch()}
    shell.show(answer, kept.value)


@connection_group.command("test")
@click.argument("name")
def test(name: str) -> None:
    """Get a new token that nobody uses, and say what happened step by step.

    Ends with 1 when there is no token.
    """
    with shell.application() as app:
        logs.hush()
        held = connection_uses.managers().hold(connections.get(name))
        db.session.rollback()
        trial = connection_trials.make(
            app.extensions["gatewright.outbound"], app.extensions["gatewright.key_sets"], held
        )
        connections.note_test(connections.get(name), trial.code, by=shell.actor())
        db.session.commit()
    answer = tried(trial)
    lines = [*map(step_line, answer["steps"]), *answer["discovery"], answer["conclusion"]]
    shell.show(answer, "\n".join(lines))
    if trial.code:
        click.get_current_context().exit(REFUSED)


def tried(trial: Trial) -> dict[str, Any]:
    """Return what is told of a trial."""
    return {
        "ok": not trial.code,
        "failure": trial.code,
        "steps": [step_of(exchange) for exchange in trial.exchanges],
        "discovery": [step.conclusion for step in trial.discovery.steps] if trial.discovery else [],
        "conclusion": " ".join(trial.failure or (GOT, trial.signature)).rstrip(),
        "expires_in": trial.kept.expires_at - clock.epoch() if trial.kept else None,
    }


def step_of(exchange: Exchange) -> dict[str, Any]:
    """Return what is told of one request."""
    return {
        "method": exchange.method,
        "url": exchange.url,
        "status": exchange.answer.status if exchange.answer else None,
        "reason": exchange.reason,
        "took_ms": exchange.took_ms,
    }


def step_line(step: dict[str, Any]) -> str:
    """Write a step on one line."""
    outcome = step["status"] or f"no answer ({step['reason']})"
    return shell.written(f"{step['method']} {step['url']}: {outcome}, {step['took_ms']} ms")


@connection_group.command("delete")
@click.argument("name")
def delete(name: str) -> None:
    """Forget a login and its secret; at the other server it stays."""
    with shell.application():
        row = connections.get(name)
        answer = facts(row)
        connections.remove(row, by=shell.actor())
        db.session.commit()
    shell.show(answer)


def facts(row: Connection) -> dict[str, Any]:
    """Return what is told of a connection."""
    return {
        "name": row.name,
        "kind": row.kind,
        "source": row.source,
        "description": row.description,
        "token_endpoint": row.token_endpoint,
        "issuer": row.issuer,
        "client_id": row.client_id,
        "auth_method": row.auth_method,
        "has_private_key": row.private_key_sealed is not None,
        "scope": row.scope,
        "resource": row.resource,
        "expiry_buffer_seconds": row.expiry_buffer_seconds,
        "revision": row.revision,
        "created": instant(row.created_at),
        "created_by": row.created_by,
        "updated": instant(row.updated_at),
        "last_used": instant(row.last_used_at),
        "token_expires": instant(row.token_expires_at),
    }
