"""Token endpoint of connections: others' access tokens for our own clients, nothing else."""

from collections.abc import Collection
from typing import Any, NamedTuple
from urllib.parse import urljoin

from flask import Blueprint, Response

from app import clock, connection_uses, grant_tokens, upstream_uses
from app.answers import json_answer
from app.config import current_settings
from app.domain import (
    connection_grants,
    connection_step_ups,
    connections,
    errors,
    grants,
    organisation_consents,
    users,
)
from app.domain.client_records import ClientRecord
from app.domain.connection_drafts import AUTHORIZATION_CODE, is_scope
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import Connection
from app.domain.tokens import TYPE_URN
from app.extensions import db
from app.outbound import upstream
from app.outbound.errors import OutboundError
from app.protocol import access_tokens, caller, introspect
from app.protocol.own_connections import page_of
from app.protocol.parameters import Parameters, read_form

bp = Blueprint("connection_tokens", __name__)
SCOPE = "connections:token"
SECONDS = 10
"""For the other server; a client waits for it."""

NEEDED = (
    "Send an access token of this server that your client got for itself, with the scope"
    " connections:token, as a bearer token."
)
INVALID = (
    "The access token is unknown, ended, or not for this server; get a new one whose resource is"
    " the issuer of this server."
)
NOT_ALLOWED = (
    "The access token must be one that a client got for itself with the scope connections:token;"
    " ask the operators of this server for that scope."
)
SUBJECT = (
    "The subject_token must be a living access token of this server that a person gave to your"
    " client or to your resource, with the subject_token_type of an access token."
)
NO_SUBJECT = (
    "This connection is a login of this server itself, so no person has a token there; leave out"
    " the subject_token."
)
ANEW = (
    "Nobody has authorized this connection, or that has ended; whoever it is for has to authorize"
    " it anew on this server."
)
MORE = (
    "Nobody has authorized this connection for all of these scopes; whoever it is for has to allow"
    " more on this server."
)
FIXED = (
    "This connection is a login of this server itself, which has other scopes; leave out the scope,"
    " or ask the operators of this server."
)
MALFORMED = "The scope parameter is malformed; send names separated by single spaces."
AWAY = "The other server gives no token now; try again later, or ask the operators of this server."


class Given(NamedTuple):
    """A token that may be handed out; without an end when that was not said."""

    value: str
    scope: str
    expires_at: int | None


@bp.post("/connections/<name>/token")
def issue_connection_token(name: str) -> Response:
    """Hand out an access token of a connection: of this server itself, or of a person."""
    parameters = read_form()

    client = calling_client()
    owner = owner_of(client, parameters)
    wanted = scopes_of(parameters)
    row = connections.get(name)
    connection_id = row.id
    check_scopes(client, row, owner, wanted)

    given = obtain(row, name, owner)

    connections.note_issue(connection_id, name, owner, by=caller.client_actor(client))
    db.session.commit()
    return json_answer(answer_of(given))


def calling_client() -> ClientRecord:
    """Return the client whose own access token was sent (RFC 6750 section 2.1, RFC 9449)."""
    token = access_tokens.in_header()
    if token is None:
        raise errors.MissingToken(NEEDED)
    claims = access_tokens.claims_of(token)
    client = caller.look_up(claims["client_id"]) if claims else None
    if (
        claims is None
        or client is None
        or current_settings().issuer not in introspect.audience(claims)
    ):
        raise errors.InvalidToken(INVALID)
    if claims["sub"] != client.client_id or SCOPE not in claims.get("scope", "").split():
        raise errors.InsufficientScope(NOT_ALLOWED, client_id=client.client_id)
    return client


def owner_of(client: ClientRecord, parameters: Parameters) -> str:
    """Return whose token is wanted: that of a person by their token (RFC 8693), else of nobody.

    The client may use only what introspection would tell it of.
    """
    token = parameters.get("subject_token")
    if token is None:
        return SERVICE
    claims = introspect.claims_of(token)
    if parameters.get("subject_token_type") != TYPE_URN or claims is None:
        raise errors.InvalidRequest(SUBJECT)
    grant = grants.find(claims.get("grant_id", ""))
    if (
        grant is None
        or "act" in claims  # the person gave it to somebody else
        or organisation_consents.is_behind(grant.id)  # or did not give it at all
        or not introspect.may_see(client, claims)
        or not users.is_enabled(grant.user_id)
    ):
        raise errors.InvalidRequest(SUBJECT)
    person: str = grant.user_id
    return person


def scopes_of(parameters: Parameters) -> tuple[str, ...]:
    """Return the scopes that the token must have, if any are named."""
    scope = parameters.get("scope") or ""
    if not is_scope(scope):
        raise errors.InvalidScope(MALFORMED)
    return tuple(dict.fromkeys(scope.split()))


def check_scopes(
    client: ClientRecord, row: Connection, owner: str, wanted: Collection[str]
) -> None:
    """Refuse scopes beyond those granted (RFC 6749 section 5.2); note them for their owner.

    Without a grant there is nothing to compare; authorizing comes first then.
    """
    if not wanted:
        return
    if row.kind != AUTHORIZATION_CODE:
        if not set(wanted) <= set(row.scope.split()):
            raise errors.InvalidScope(FIXED, connection=row.name)
        return
    grant = connection_grants.find(row.id, owner)
    lacking = connection_step_ups.want(grant, wanted) if grant else ()
    if lacking:
        raise errors.WiderAuthorizationNeeded(
            MORE,
            authorization_url=url_of(row, owner),
            client_id=client.client_id,
            connection=row.name,
            scope=" ".join(lacking),
        )


def url_of(row: Connection, owner: str) -> str:
    """Return where the browser of an owner authorizes; only what is stored here is in it."""
    return urljoin(current_settings().issuer, page_of(row, owner))


def obtain(row: Connection, name: str, owner: str) -> Given:
    """Return a token of an owner; ends the transaction of the request before it asks outside."""
    try:
        if row.kind == AUTHORIZATION_CODE:
            return of_grant(row, owner)
        return of_login(row, owner)
    except OutboundError as error:
        raise errors.Unavailable(AWAY, connection=name, reason=error.reason) from None


def of_grant(row: Connection, owner: str) -> Given:
    """Return the token of what somebody authorized; refuses when that has to be done first."""
    held = grant_tokens.of(row.id, owner, upstream_uses.outbound())
    name, url = row.name, url_of(row, owner)
    db.session.rollback()
    try:
        found = held.current(SECONDS).tokens
    except OutboundError as error:
        if upstream.has_ended(error):
            raise errors.AuthorizationNeeded(ANEW, authorization_url=url, connection=name) from None
        raise
    return Given(found.access_token, " ".join(found.scopes), found.expires_at)


def of_login(row: Connection, owner: str) -> Given:
    """Return the token of a login of this server itself."""
    if owner != SERVICE:
        raise errors.InvalidRequest(NO_SUBJECT)
    manager, scope = connection_uses.managers().of(row), row.scope
    db.session.rollback()
    kept = manager.current(SECONDS)
    return Given(kept.value, scope, kept.expires_at)


def answer_of(given: Given) -> dict[str, Any]:
    """Return a token answer (RFC 6749 section 5.1), without what is not known."""
    ends = given.expires_at
    left = {} if ends is None else {"expires_in": max(ends - clock.epoch(), 0)}
    scope = {"scope": given.scope} if given.scope else {}
    return {"access_token": given.value, "token_type": "Bearer", **left, **scope}
