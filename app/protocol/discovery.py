"""Metadata and keys of this server (RFC 8414, OpenID Connect Discovery, RFC 7517)."""

from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Blueprint, Response, request

from app import upstream_uses
from app.answers import refusal_answer
from app.config import Settings, current_settings
from app.domain import (
    client_assertions,
    errors,
    foreign_jwts,
    id_tokens,
    identity_assertions,
    identity_claims,
    openid_metadata,
    registration_modes,
    scopes,
    signing_keys,
)
from app.domain.client_metadata import MetadataRules
from app.outbound import upstream_clients
from app.protocol.answers import MODES
from app.protocol.ceilings import current_keys
from app.protocol.sign_in_demands import PROMPTS

bp = Blueprint("discovery", __name__)
METADATA_SECONDS = 300
AUTH_METHODS = list(MetadataRules.auth_methods)
AUTHENTICATION: dict[str, Any] = {
    "token_endpoint_auth_methods_supported": AUTH_METHODS,
    "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
    "introspection_endpoint_auth_methods_supported": [
        method for method in AUTH_METHODS if method != "none"
    ],
    **{
        f"{endpoint}_endpoint_auth_signing_alg_values_supported": client_assertions.ALGORITHMS
        for endpoint in ("token", "revocation", "introspection")
    },
}
"""How clients prove themselves (RFC 8414 section 2)."""
ABILITIES: dict[str, Any] = {
    "response_types_supported": ["code"],
    "response_modes_supported": MODES,
    **AUTHENTICATION,
    "code_challenge_methods_supported": ["S256"],
    "dpop_signing_alg_values_supported": foreign_jwts.ALGORITHMS,
    "authorization_response_iss_parameter_supported": True,
    "request_parameter_supported": True,
    "request_object_signing_alg_values_supported": foreign_jwts.ALGORITHMS,
    "require_signed_request_object": False,
    "request_uri_parameter_supported": False,
    "require_pushed_authorization_requests": False,
    "claims_parameter_supported": True,
    "prompt_values_supported": sorted(PROMPTS),
    "subject_types_supported": openid_metadata.SUBJECT_TYPES,
    "id_token_signing_alg_values_supported": openid_metadata.ALGORITHMS,
    "userinfo_signing_alg_values_supported": openid_metadata.ALGORITHMS,
    "acr_values_supported": [id_tokens.PASSWORD],
    "claims_supported": [*id_tokens.CLAIMS, *identity_claims.SCOPE_OF],
    "backchannel_logout_supported": True,
    "backchannel_logout_session_supported": True,
}
"""What this server can do however it is set up."""


@bp.get("/.well-known/oauth-authorization-server")
@bp.get("/.well-known/oauth-authorization-server/<path:issuer_path>")
@bp.get("/.well-known/openid-configuration")
@bp.get("/.well-known/openid-configuration/<path:issuer_path>")
def show_metadata(issuer_path: str = "") -> Response:
    """Return the metadata, in both documents and all places that clients look."""
    settings = current_settings()
    path = urlsplit(settings.issuer).path
    if request.script_root + (f"/{issuer_path}" if issuer_path else "") != path:
        return not_found()
    return cacheable(orjson.dumps(metadata(settings)), METADATA_SECONDS)


@bp.get("/.well-known/jwks.json")
def show_keys() -> Response:
    """Return the public keys (RFC 7517 section 5)."""
    return cacheable(current_keys().jwks, signing_keys.JWKS_SECONDS)


@bp.get(upstream_clients.DOCUMENT_PATH)
def show_own_document() -> Response:
    """Return what this server is as a client of others; its URL is its client_id there."""
    settings = current_settings()
    if not settings.secure or request.script_root != urlsplit(settings.issuer).path:
        return not_found()
    document = upstream_clients.own_document(settings.issuer, upstream_uses.profile())
    return cacheable(orjson.dumps(document), METADATA_SECONDS)


@bp.route("/.well-known/", defaults={"_rest": ""})
@bp.route("/.well-known/<path:_rest>")
def show_nothing(_rest: str) -> Response:
    """Answer 404 for every other well-known name, never a page."""
    return not_found()


def metadata(settings: Settings) -> dict[str, Any]:
    """Describe what is switched on, without empty members (RFC 8414 section 2)."""
    issuer = settings.issuer
    described: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "revocation_endpoint": f"{issuer}/revoke",
        "introspection_endpoint": f"{issuer}/introspect",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "end_session_endpoint": f"{issuer}/logout",
        "scopes_supported": [scope.name for scope in scopes.find_all()],
        "grant_types_supported": list(settings.grant_types),
        **ABILITIES,
    }
    if registration_modes.current(settings.registration_mode) != "closed":
        described["registration_endpoint"] = f"{issuer}/register"
    if settings.id_jag_enabled:
        described["authorization_grant_profiles_supported"] = [identity_assertions.PROFILE]
    if registration_modes.takes_documents(settings.cimd_enabled):
        described["client_id_metadata_document_supported"] = True
    return described


def cacheable(body: bytes, seconds: int) -> Response:
    """Answer with an ETag, or 304 when the caller has it already."""
    response = Response(body, mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.add_etag()
    response.make_conditional(request)
    return response


def not_found() -> Response:
    """Answer 404 as JSON."""
    return refusal_answer(errors.NotFound("There is no document here."))
