"""Owns what a client is told of itself: the client information response (RFC 7591)."""

from typing import Any

from app import clock
from app.domain import client_statements, scopes, software
from app.domain.client_records import Client
from app.domain.clients import Issued
from app.domain.obligations import narrowed


def of(client: Client, issuer: str, issued: Issued | None = None) -> dict[str, Any]:
    """Return the client information response (RFC 7591 section 3.2.1), without empty members.

    ``scope`` is what this server understood, and what a client that named none may expect.
    """
    answer: dict[str, Any] = {
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
        **client.client_metadata,
        "scope": scopes.join(announced_scopes(client)),
        "software_statement": client_statements.find(client.client_id),
    }
    answer = {name: value for name, value in answer.items() if value != ""}
    if client.registration_token_digest:
        answer["registration_client_uri"] = f"{issuer}/clients/{client.client_id}"
    if issued is not None and issued.client_secret:
        answer |= {"client_secret": issued.client_secret, "client_secret_expires_at": 0}
    if issued is not None and issued.registration_access_token:
        answer["registration_access_token"] = issued.registration_access_token
    answer["registration_status"] = registration_status(client)
    return answer


def registration_status(client: Client) -> str:
    """Return how far admission is, for whoever registered: ``pending``, ``approved`` and so on."""
    if client.pending_metadata is not None:
        return "revision_pending"
    if client.state != "live":
        return client.state
    row = software.get(client.software_id)
    return software.standing(row.status, row.approved_until, clock.epoch())


def announced_scopes(client: Client) -> tuple[str, ...]:
    """Return the known scopes a client named, else its ceiling, else what approval would offer."""
    named = client.client_metadata.get("scope", "").split()
    if named:
        return scopes.known(named)
    row = software.get(client.software_id)
    if row.status != "approved":
        return scopes.offered(client.client_metadata)
    ceiling = narrowed(row.scopes, client.scopes) or ()
    return tuple(name for name in row.scopes if name in ceiling)
