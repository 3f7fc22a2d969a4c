"""UserInfo endpoint (OpenID Connect Core section 5.3)."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from app.answers import NOT_KEPT, json_answer
from app.config import current_settings
from app.domain import errors, grants, id_tokens, identity_claims, profiles, signing_keys
from app.protocol import access_tokens, caller, introspect
from app.protocol.access_tokens import Presented
from app.protocol.ceilings import current_keys
from app.protocol.parameters import FORM, read_form

bp = Blueprint("userinfo", __name__)
NEEDED = "Send an access token that a person gave to your client, as a bearer token."
ONCE = "Send the access token once: in the Authorization header or in the form, never in the query."
INVALID = (
    "The access token is unknown or ended, or it is for another resource than this server; get a"
    " new one without the resource parameter."
)
NOT_ALLOWED = "The access token does not allow to know who the person is; ask for the scope openid."
CHALLENGE = 'Bearer realm="gatewright", error="insufficient_scope", scope="openid"'


@bp.get("/userinfo")
@bp.post("/userinfo")
def show_person() -> Response:
    """Tell a client about the person who gave it an access token."""
    claims = access_tokens.claims_of(presented())
    if claims is None or not is_for_us(claims):
        raise errors.InvalidToken(INVALID)
    if "openid" not in scopes_of(claims):
        raise lacking_scope(claims["client_id"])

    grant = grants.find(claims["grant_id"])
    known = profiles.claims_of(grant.user_id) if grant is not None else None
    if grant is None or known is None:
        raise errors.InvalidToken(INVALID, reason="person disabled")
    asked = (grant.claims or {}).get("userinfo", ())
    names = (*identity_claims.of_scopes(scopes_of(claims)), *asked)
    told = {"sub": claims["sub"]} | identity_claims.chosen(known, names)
    return answer(claims["client_id"], told)


def answer(client_id: str, told: dict[str, Any]) -> Response:
    """Answer in JSON, or signed for a client that registered for that (section 5.3.2)."""
    client = caller.look_up(client_id)
    algorithm = client.openid.userinfo_algorithm if client is not None else None
    if algorithm is None:
        return json_answer(told)
    said = {"iss": current_settings().issuer, "aud": client_id} | told
    signed = signing_keys.sign(current_keys(), id_tokens.TYPE, said, algorithm)
    return Response(signed, mimetype="application/jwt", headers=NOT_KEPT)


def presented() -> Presented:
    """Return the one access token of the request (RFC 6750 section 2)."""
    in_header = access_tokens.in_header()
    sent = read_form().get("access_token") if request.mimetype == FORM else None
    if "access_token" in request.args or (in_header is not None and sent is not None):
        raise errors.InvalidRequest(ONCE)
    token = in_header if sent is None else Presented(sent)
    if token is None:
        raise errors.MissingToken(NEEDED)
    return token


def is_for_us(claims: Mapping[str, Any]) -> bool:
    """Tell whether a token is for this server, and not for a resource that could pass it on."""
    settings = current_settings()
    return bool({settings.issuer, settings.resource} & set(introspect.audience(claims)))


def scopes_of(claims: Mapping[str, Any]) -> list[str]:
    """Return what a token allows."""
    found: list[str] = claims.get("scope", "").split()
    return found


def lacking_scope(client_id: str) -> errors.Refusal:
    """Return the refusal that names the scope (RFC 6750 section 3.1)."""
    refusal = errors.InsufficientScope(NOT_ALLOWED, client_id=client_id)
    refusal.challenge = CHALLENGE
    return refusal
