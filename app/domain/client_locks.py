"""Owns how those who change one client at the same time take turns, and bounds of a client."""

from dataclasses import replace
from typing import Any

from sqlalchemy import update

from app import clock
from app.domain import client_metadata, errors
from app.domain.client_records import Client
from app.domain.obligations import UNBOUNDED, Obligations, narrowed, shortest
from app.extensions import db


def claim(client: Client) -> None:
    """Keep others from changing a client until the commit.

    Raises Conflict when it is not any more what was read, and NotFound when it was deleted. A
    write that changes nothing makes others wait on both databases, except those who only refer to
    the client: a token request that is under way goes on.
    """
    seen = what_may_change(client)
    db.session.execute(
        update(Client)
        .where(Client.client_id == client.client_id)
        .values(state=Client.state)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(client)
    if client.state == "deleted":
        raise errors.NotFound("There is no client with this identifier.")
    if what_may_change(client) != seen:
        raise errors.Conflict("The client has changed meanwhile; look at it again.")


def what_may_change(client: Client) -> tuple[Any, ...]:
    """Return what registrants and operators change about a client."""
    return (
        client.state,
        client.software_id,
        client.client_metadata,
        client.pending_metadata,
        client.scopes,
        client.access_token_seconds,
        client.pkce_optional,
        client.fapi2,
        client.secret_digest,
    )


def editable(client: Client) -> dict[str, Any]:
    """Return what an operator may change by hand."""
    return {
        "scopes": client.scopes,
        "redirect_uris": client.client_metadata.get("redirect_uris", []),
        **{name: client.client_metadata.get(name) for name in client_metadata.LOGOUT},
        "access_token_seconds": client.access_token_seconds,
        "pkce_optional": client.pkce_optional,
        "fapi2": client.fapi2,
    }


def bound(client: Client, bounds: Obligations) -> None:
    """Bound one client, whatever its software is approved for; never wider than it was."""
    if replace(bounds, approve_days=None) == UNBOUNDED:
        return
    claim(client)
    if bounds.scopes is not None:
        client.scopes = sorted(narrowed(client.scopes, bounds.scopes) or ())
    if bounds.resources is not None:
        client.resources = sorted(narrowed(client.resources, bounds.resources) or ())
    client.access_token_seconds = shortest(client.access_token_seconds, bounds.access_token_seconds)
    db.session.flush()


def end_own_tokens(client_id: str) -> None:
    """End the access tokens that a client has had until now, for the client itself or a person."""
    db.session.execute(
        update(Client)
        .where(Client.client_id == client_id)
        .values(tokens_ended_at=clock.epoch())
        .execution_options(synchronize_session=False)
    )
