"""Owns what commands do with connections that people authorize: made, tried, ended there."""

from dataclasses import replace
from typing import Any

import click

from app import clock, grant_tokens, upstream_steps, upstream_uses
from app.cli import shell
from app.config import current_key, current_settings
from app.domain import connections, errors, upstreams
from app.domain.connection_drafts import PUBLIC, Draft
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import Connection
from app.domain.connections import Remains
from app.domain.upstream_tokens import Tokens
from app.extensions import db
from app.outbound import connection_trials, discovery, upstream
from app.outbound.discovery import Discovery
from app.outbound.errors import OutboundError
from app.outbound.upstream_clients import Client
from app.outbound.upstream_refusals import Refused
from app.outbound.upstream_trials import ANEW, UpstreamTrial
from app.outbound.walks import Step

NOWHERE = (
    "No authorization server was found from this URL, so nothing is kept; check the URL, or ask the"
    " operators of the API."
)
ENDS_EARLIER = (
    "The token ends earlier and cannot be renewed; authorize the connection again, or ask for a"
    " shorter life."
)


def make(name: str, draft: Draft, initial_access_token: str) -> tuple[Connection, Discovery]:
    """Hold what people can authorize, with a client there; nothing is kept unless all succeeds.

    Faults of the draft are found before anybody is asked.
    """
    connections.create(name, draft, current_key("connections"), by=shell.actor())
    db.session.rollback()

    found = discovery.discover(upstream_uses.outbound(), draft.url)
    if found.server is None:
        raise errors.Conflict(NOWHERE, steps="; ".join(map(step_line, found.steps)))
    wanted = replace(draft, scope=upstream_steps.scope_of(draft.scope, found))
    client = upstream_steps.become_client(
        found.server,
        wanted.scope.split(),
        given=given(draft),
        initial_access_token=initial_access_token,
    )
    if isinstance(client, Refused):
        raise errors.Conflict(client.sentence, answer=client.error, status=client.status)

    return keep(name, wanted, found, client), found


def given(draft: Draft) -> Client | None:
    """Return the client that the operators of the other server gave, if they did."""
    if not draft.client_id:
        return None
    return Client(draft.client_id, draft.auth_method, draft.client_secret)  # type: ignore[arg-type]  # checked


def keep(name: str, draft: Draft, found: Discovery, client: upstreams.Client) -> Connection:
    """Keep a connection with what was found and the client; a refusal ends the client there."""
    key, by = current_key("connections"), shell.actor()
    bare = replace(draft, client_id="", client_secret="", auth_method=PUBLIC)
    try:
        row = connections.create(name, bare, key, by=by)
        upstream_steps.keep_server(row, found, by=by)
        upstreams.note_registration(row, client, row.revision, key, by=by)
    except errors.Refusal:
        db.session.rollback()
        upstream_steps.abandon(client)
        raise
    return row


def places(row: Connection) -> dict[str, str]:
    """Return where the connection is authorized, and where the other server answers to."""
    issuer = current_settings().issuer
    return {
        "redirect_uri": upstream_uses.profile().redirect_uri,
        "authorize_at": f"{issuer}/admin/connections/{row.id}",
        "people_authorize_at": f"{issuer}/connections/{row.name}/",
    }


def made_lines(answer: dict[str, Any]) -> list[str]:
    """Write what was done, and where a person goes on."""
    return [
        *answer["discovery"],
        f"The client {answer['client_id']} there is {answer['registered_how']}.",
        f"Its redirect URI: {answer['redirect_uri']}",
        f"Authorize it for this server: {answer['authorize_at']}",
        f"People authorize it for themselves: {answer['people_authorize_at']}",
    ]


def step_line(step: Step) -> str:
    """Write a step of a discovery on one line."""
    asked = f"{step.method} {step.url}: " if step.method else ""
    return shell.written(asked + step.conclusion)


def token(row: Connection, life_seconds: int) -> Tokens:
    """Return the token of this server itself; one that ends earlier is renewed, once."""
    held = grant_tokens.of(row.id, SERVICE, upstream_uses.outbound())
    db.session.rollback()
    try:
        tokens = held.current(connection_trials.SECONDS).tokens
        if not lives(tokens, life_seconds):
            if not tokens.refresh_token:
                raise errors.InvalidGrant(ENDS_EARLIER)
            held.drop(tokens.access_token)
            tokens = held.current(connection_trials.SECONDS).tokens
    except OutboundError as error:
        if not upstream.has_ended(error):
            raise
        raise errors.InvalidGrant(" ".join(ANEW)) from None
    return tokens


def lives(tokens: Tokens, seconds: int) -> bool:
    """Tell whether a token lives so long; without a known end it does."""
    return tokens.expires_at is None or tokens.expires_at >= clock.epoch() + seconds


def attempt(row: Connection) -> UpstreamTrial:
    """Ask the API with the token of this server; the trial is recorded."""
    name, url = row.name, row.url or ""
    upstream_uses.server_of(row)
    connection_id = row.id
    db.session.rollback()

    trial = upstream_steps.attempt(connection_id, url)

    row = connections.get(name)
    upstream_uses.note_wanted(row, trial.challenge)
    connections.note_test(row, trial.code, by=shell.actor())
    db.session.commit()
    return trial


def clear(remains: Remains) -> None:
    """End at the other server what is left there, after the commit; warn of what may go on."""
    for sentence in upstream_steps.clear(remains, by=shell.actor()):
        click.echo(f"gatewright: {sentence}", err=True)
    db.session.commit()
