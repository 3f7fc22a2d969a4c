"""Client configuration endpoint (RFC 7592)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Response, request

from app import sectors
from app.answers import json_answer
from app.config import current_settings
from app.domain import (
    admissions,
    client_information,
    client_metadata,
    client_statements,
    clients,
    credentials,
    crowding,
    errors,
    json_objects,
    policy_versions,
)
from app.domain.audit import Actor
from app.domain.client_records import Client
from app.extensions import db
from app.limits import spend
from app.protocol import caller, gatekeeping, software_statements
from app.protocol.parameters import read_body

bp = Blueprint("clients", __name__)
REFUSED = (
    "The registration access token is not one of this client, or the client does not exist;"
    " register again."
)
SERVER_ONLY = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)


@bp.get("/clients/<path:client_id>")
def read_client(client_id: str) -> Response:
    """Return the registration of a client; its secret is never shown again."""
    client = own_client(client_id)

    return json_answer(client_information.of(client, current_settings().issuer))


@bp.put("/clients/<path:client_id>")
def update_client(client_id: str) -> Response:
    """Replace the metadata of a client (RFC 7592 section 2.2)."""
    client = own_client(client_id)
    settings = current_settings()
    spend(settings.registration_rate_limit, "update", client_id, caller.network())

    body = json_objects.read_body(read_body(), request.headers.get("Content-Type"))
    check_identity(client, body)
    statement = software_statements.of_request(body)
    metadata = client_metadata.parse(statement.over(body), settings.metadata_rules)
    client = own_client(client_id)  # fetching keys may have taken its time

    arrival = admissions.evidence(
        metadata,
        source=statement.source,
        initial_access_token=None,
        address=caller.address(),
        user_agent=request.headers.get("User-Agent", ""),
        brands=settings.brand_words,
        came_with=client.initial_access_token_id,
        is_new=False,
        statement=statement,
    )
    arrival = crowding.noted(arrival, settings.registration_pending_per_address)
    verdict = policy_versions.in_force().judge(arrival)
    if verdict.outcome != "refuse":
        sectors.check(metadata)
    verdict = gatekeeping.tightened(verdict, arrival, "update", client_id)

    client = own_client(client_id)  # sector and gate took their time
    with undisturbed():
        admissions.change(client, arrival, verdict, by=registrant(client))
        client_statements.keep(client_id, statement.text)
    db.session.commit()
    return json_answer(client_information.of(client, settings.issuer))


@bp.delete("/clients/<path:client_id>")
def delete_client(client_id: str) -> Response:
    """Delete a client (RFC 7592 section 2.3)."""
    client = own_client(client_id)
    metadata = dict(client.client_metadata)

    with undisturbed():
        clients.delete(client, "deleted by its registrant", by=registrant(client))
    db.session.commit()
    gatekeeping.tell_deleted(metadata, client_id)
    return Response(status=204)


def own_client(client_id: str) -> Client:
    """Return the client whose registration access token was presented.

    No token, an unknown one, one of another client and a deleted client look alike, so that
    nobody can find out which clients exist (GHSA-c73q-w75p-j82v).
    """
    token = caller.bearer()
    if token is None:
        raise errors.MissingToken(
            "Send the registration access token of this client as a bearer token."
        )
    client = clients.find(client_id)
    stored = client.registration_token_digest if client is not None else None
    if not credentials.matches(token, stored) or client is None or client.state == "deleted":
        raise errors.InvalidToken(REFUSED, client_id=client_id[:200].replace("\0", ""))
    return client


@contextmanager
def undisturbed() -> Iterator[None]:
    """Undo a change that lost a race; a client deleted meanwhile looks like one never seen."""
    try:
        yield
    except errors.Conflict:
        db.session.rollback()
        raise
    except errors.NotFound:
        db.session.rollback()
        raise errors.InvalidToken(REFUSED) from None


def check_identity(client: Client, body: dict[str, Any]) -> None:
    """Check what an update must and must not contain (RFC 7592 section 2.2)."""
    if body.get("client_id") != client.client_id:
        raise errors.InvalidClientMetadata(
            "An update must contain the client_id that its address names."
        )
    if any(name in body for name in SERVER_ONLY):
        raise errors.InvalidClientMetadata(
            "An update must not contain members that only the server sets."
        )
    secret = body.get("client_secret")
    if secret is not None and not (
        isinstance(secret, str) and credentials.matches(secret, client.secret_digest)
    ):
        raise errors.InvalidClientMetadata(
            "The client_secret of an update must be the current one; leave it out instead."
        )


def registrant(client: Client) -> Actor:
    """Return the holder of a registration access token as the actor."""
    name = str(client.client_metadata.get("client_name", ""))
    return caller.actor("client", client.client_id, name)
