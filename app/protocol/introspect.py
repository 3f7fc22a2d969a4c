"""Introspection endpoint (RFC 7662)."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from app import clock
from app.answers import json_answer
from app.config import current_settings
from app.domain import audit, credentials, delegations, errors, grants, refresh_tokens, tokens
from app.domain.audit_tags import Tag
from app.domain.client_records import ClientRecord
from app.limits import spend
from app.protocol import caller, identity
from app.protocol.ceilings import current_keys
from app.protocol.parameters import read_form

bp = Blueprint("introspect", __name__)
INACTIVE = {"active": False}
SHOWN = ("scope", "client_id", "exp", "iat", "sub", "aud", "iss", "jti", "cnf", "act")


@bp.post("/introspect")
def introspect_token() -> Response:
    """Tell a resource server whether a token that is meant for it works."""
    parameters = read_form()

    client = caller.authenticate(parameters)
    if client.is_public:
        raise errors.InvalidClient(
            "Introspection needs a client that proves itself by a secret or a key."
        )
    token = parameters.get("token")
    if token is None:
        raise errors.InvalidRequest("The parameter token is missing.")

    answer = introspect(client, token)
    if not answer["active"]:
        spend(current_settings().introspection_rate_limit, "introspect", client.client_id)
    audit.record_alone(
        Tag.TOKEN_INTROSPECTED,
        answer.get("jti", ""),
        by=caller.client_actor(client),
        client_id=client.client_id,
        active=answer["active"],
    )
    return json_answer(answer)


def introspect(client: ClientRecord, token: str) -> dict[str, Any]:
    """Return the answer for one token; everything the caller may not see is inactive."""
    if token.startswith(credentials.PREFIXES["refresh"]):
        return introspect_refresh(client, token)
    claims = claims_of(token)
    if claims is None or not may_see(client, claims):
        return INACTIVE
    shown = {name: claims[name] for name in SHOWN if name in claims}
    return {"active": True, "token_type": tokens.token_type(claims), **shown}


def introspect_refresh(client: ClientRecord, token: str) -> dict[str, Any]:
    """Return the answer for a refresh token, which only its own client may see."""
    row = refresh_tokens.find_live(token)
    if row is None or row["client_id"] != client.client_id:
        return INACTIVE
    return {
        "active": True,
        "client_id": row["client_id"],
        "sub": identity.subject(client, row["user_id"]),
        "scope": " ".join(row["scopes"]),
        "exp": row["token_expires_at"],
        "iss": current_settings().issuer,
    }


def may_see(client: ClientRecord, claims: Mapping[str, Any]) -> bool:
    """Tell whether a token is the caller's own or meant for a resource of the caller."""
    return claims["client_id"] == client.client_id or is_for(client, claims)


def is_for(client: ClientRecord, claims: Mapping[str, Any]) -> bool:
    """Tell whether a token is meant for a resource that the caller stands for."""
    return bool(client.introspects & set(audience(claims)))


def audience(claims: Mapping[str, Any]) -> list[str]:
    """Return whom a token is for."""
    return claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]


def claims_of(token: str) -> dict[str, Any] | None:
    """Return the claims of an access token of ours that counts, None for any other."""
    claims = tokens.live_claims(current_keys(), current_settings().issuer, token)
    return claims if claims is not None and stands(claims) else None


def stands(claims: Mapping[str, Any]) -> bool:
    """Tell whether the clients of a token are active and nobody ended their tokens since."""
    now = clock.epoch()
    found = [caller.look_up(client_id) for client_id in clients_of(claims)]
    back = all(client is not None and client.backs(claims, now) for client in found)
    return back and tokens.are_unrevoked(claims.get("derived_from", ()))


def clients_of(claims: Mapping[str, Any]) -> list[str]:
    """Return the client of a token; of one that was exchanged, all that it came through."""
    if "act" not in claims:
        return [claims["client_id"]]
    grant = grants.find(claims["grant_id"])
    return [grant.client_id if grant else "", *delegations.actors(claims["act"])]
