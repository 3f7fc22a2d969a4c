"""Owns what this server asks identity providers for: the tokens of a code, and who somebody is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain import foreign_id_tokens
from app.outbound import json_answers, token_requests
from app.outbound.client import JSON, Outbound
from app.outbound.logins import AuthMethod, Login
from app.outbound.upstream_metadata import ServerMetadata

SECONDS = 10
USER_INFO_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Answered:
    """What a code was exchanged for; nothing in it is proven yet."""

    id_token: str = field(repr=False)
    """Empty without one."""
    access_token: str = field(repr=False)


def redeem(
    outbound: Outbound,
    server: ServerMetadata,
    client_id: str,
    client_secret: str,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
) -> Answered:
    """Exchange a code (OpenID Connect Core section 3.1.3); raises OutboundError."""
    method = auth_method(server)
    login = Login(server.token_endpoint, client_id, client_secret, auth_method=method, strange=True)
    wanted = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    found = token_requests.ask(outbound, login, wanted, SECONDS)
    return Answered(foreign_id_tokens.text_of(found.get("id_token")), found["access_token"])


def auth_method(server: ServerMetadata) -> AuthMethod:
    """Return how the secret is sent: in the header unless only the body is offered."""
    offered = server.token_endpoint_auth_methods_supported
    by_body = "client_secret_post" in offered and "client_secret_basic" not in offered
    return "client_secret_post" if by_body else "client_secret_basic"


def user_info(outbound: Outbound, server: ServerMetadata, answered: Answered) -> Mapping[str, Any]:
    """Return what the UserInfo endpoint tells (OpenID Connect Core section 5.3).

    Raises OutboundError. Whose claims they are is for the caller to compare.
    """
    headers = {**JSON, "Authorization": f"Bearer {answered.access_token}"}
    url = server.userinfo_endpoint
    return json_answers.read_document(
        outbound.stranger(url, headers=headers, seconds=USER_INFO_SECONDS)
    )
