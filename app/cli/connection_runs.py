"""Owns the commands that use connections: connection token, connection test."""

from collections.abc import Iterable
from typing import Any

import click

from app import clock, connection_uses, logs
from app.cli import shell, upstreams
from app.cli.parameters import SPAN_OF_TIME
from app.domain import connections
from app.domain.connection_drafts import AUTHORIZATION_CODE
from app.domain.connection_records import Connection
from app.exits import REFUSED
from app.extensions import db
from app.outbound import connection_trials
from app.outbound.connection_trials import Trial
from app.outbound.watching import Exchange

GOT = "A token was got."
TAKES = "The API takes the token."


@click.command("token", cls=shell.Command)
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
        value, expires_at = token_of(connections.get(name), min_life or 0)
    left = None if expires_at is None else expires_at - clock.epoch()
    shell.show({"access_token": value, "expires_in": left}, value)


def token_of(row: Connection, life_seconds: int) -> tuple[str, int | None]:
    """Return a token of this server itself and when it ends, if that is known."""
    if row.kind == AUTHORIZATION_CODE:
        tokens = upstreams.token(row, life_seconds)
        return tokens.access_token, tokens.expires_at
    manager = connection_uses.managers().of(row)
    db.session.rollback()
    kept = manager.current(connection_trials.SECONDS, life_seconds=life_seconds)
    return kept.value, kept.expires_at


@click.command("test", cls=shell.Command)
@click.argument("name")
def test(name: str) -> None:
    """Get a new token that nobody uses, or ask the API that people authorize with the one it has.

    Says what happened step by step. Ends with 1 when that fails.
    """
    with shell.application():
        logs.hush()
        row = connections.get(name)
        answer = tried_upstream(row) if row.kind == AUTHORIZATION_CODE else tried_login(row)
    lines = [*map(step_line, answer["steps"]), *answer["discovery"], answer["conclusion"]]
    shell.show(answer, "\n".join(lines))
    if not answer["ok"]:
        click.get_current_context().exit(REFUSED)


def tried_login(row: Connection) -> dict[str, Any]:
    """Get a token of a login of this server; return what is told of it."""
    name, held = row.name, connection_uses.managers().hold(row)
    db.session.rollback()

    trial = connection_uses.attempt(held)

    connections.note_test(connections.get(name), trial.code, by=shell.actor())
    db.session.commit()
    return tried(trial)


def tried(trial: Trial) -> dict[str, Any]:
    """Return what is told of a trial."""
    found = trial.discovery.steps if trial.discovery else ()
    doubts = [" ".join(doubt) for doubt in trial.doubts]
    sentences = trial.failure or (GOT, trial.signature, *doubts)
    return told(trial.code, trial.exchanges, sentences) | {
        "discovery": [step.conclusion for step in found],
        "expires_in": trial.kept.expires_at - clock.epoch() if trial.kept else None,
    }


def tried_upstream(row: Connection) -> dict[str, Any]:
    """Try a connection that people authorize; return what is told of it."""
    trial = upstreams.attempt(row)
    return told(trial.code, trial.exchanges, trial.failure or (TAKES,))


def told(code: str, exchanges: Iterable[Exchange], sentences: Iterable[str]) -> dict[str, Any]:
    """Return what is told of every trial."""
    return {
        "ok": not code,
        "failure": code,
        "steps": [step_of(exchange) for exchange in exchanges],
        "discovery": [],
        "conclusion": " ".join(filter(None, sentences)),
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
