"""Revocation endpoint (RFC 7009)."""

from flask import Blueprint, Response

from app.answers import json_answer
from app.domain import credentials, errors, grants, refresh_tokens, tokens
from app.domain.client_records import ClientRecord
from app.domain.signing_keys import verify
from app.extensions import db
from app.protocol import caller
from app.protocol.ceilings import current_keys
from app.protocol.parameters import read_form

bp = Blueprint("revoke", __name__)


@bp.post("/revoke")
def revoke_token() -> Response:
    """End a token of the calling client; what is unknown or ended already is answered alike."""
    parameters = read_form()

    client = caller.authenticate(parameters)
    token = parameters.get("token")
    if token is None:
        raise errors.InvalidRequest("The parameter token is missing.")

    revoke(client, token)
    db.session.commit()
    return json_answer({})


def revoke(client: ClientRecord, token: str) -> None:
    """End a refresh token with its family, or one access token; the hint is not needed."""
    by = caller.client_actor(client)
    if token.startswith(credentials.PREFIXES["refresh"]):
        grant = refresh_tokens.find(token)
        if grant is not None:
            check_owner(client, grant["client_id"])
            grants.revoke(grant["id"], "revoked by the client", by=by)
        return
    claims = verify(current_keys(), tokens.ACCESS_TOKEN, token)
    if claims is not None:
        check_owner(client, claims["client_id"])
        tokens.revoke_access(claims, by=by)


def check_owner(client: ClientRecord, owner: str) -> None:
    """Refuse to end a token of another client (RFC 7009 section 2.1)."""
    if owner != client.client_id:
        raise errors.InvalidGrant("The token was not issued to this client.")
