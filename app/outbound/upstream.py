"""Owns the tokens of a grant at an upstream: redeemed for a code, refreshed, revoked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from app import clock
from app.domain.upstream_tokens import Tokens
from app.outbound import challenges, token_requests, upstream_refusals
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline
from app.outbound.logins import Login
from app.outbound.upstream_metadata import ServerMetadata

SECONDS = 10
TokenKind = Literal["refresh_token", "access_token"]

_TOKEN = re.compile(r"[\x20-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True)
class Revocation:
    """What became of one token; ``failure`` is empty when it has ended."""

    kind: TokenKind
    failure: str = ""
    """Why the upstream could not be asked, or ``status`` when it answered something else."""
    status: int | None = None
    error: str = ""
    """The error code of the answer, if it is a known one."""


def redeem(
    outbound: Outbound,
    login: Login,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    seconds: float = SECONDS,
) -> Tokens:
    """Exchange a code for tokens (RFC 6749 section 4.1.3); raises OutboundError."""
    wanted = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    return exchange(outbound, login, wanted, seconds)


def refresh(
    outbound: Outbound, login: Login, refresh_token: str, *, seconds: float = SECONDS
) -> Tokens:
    """Exchange a refresh token (RFC 6749 section 6); it is kept when no other one comes back.

    Raises OutboundError; its ``error`` is ``invalid_grant`` when a person has to allow it anew.
    """
    wanted = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return exchange(outbound, login, wanted, seconds)


def has_ended(error: OutboundError) -> bool:
    """Tell whether there is no token because there is no grant any more: a person allows it anew.

    Either it was not there to be refreshed, or its refresh token was refused.
    """
    return error.reason == "credential" or error.error == "invalid_grant"


def exchange(outbound: Outbound, login: Login, wanted: Mapping[str, str], seconds: float) -> Tokens:
    """Return what a token endpoint grants for something."""
    asked_at = clock.epoch()
    found = token_requests.ask(outbound, login, {**wanted, "resource": login.resource}, seconds)
    expires_in = token_requests.said_expiry(found.get("expires_in"))
    return Tokens(
        found["access_token"],
        refresh_token_of(found, wanted.get("refresh_token", "")),
        scopes_of(found, login.scope),
        None if expires_in is None else asked_at + expires_in,
    )


def refresh_token_of(found: Mapping[str, Any], before: str) -> str:
    """Return the refresh token of an answer, else that of before; raises OutboundError."""
    token = found.get("refresh_token") or before
    if token and not (isinstance(token, str) and _TOKEN.fullmatch(token)):
        raise OutboundError("token")
    return str(token)


def scopes_of(found: Mapping[str, Any], wanted: str) -> tuple[str, ...]:
    """Return the scopes of an answer, those that were wanted when it does not say.

    None of a malformed scope: a refresh token that came with it must not be lost for that.
    """
    scope = found.get("scope") or wanted
    return challenges.scopes_in(scope) if isinstance(scope, str) else ()


def revoke(
    outbound: Outbound,
    server: ServerMetadata,
    login: Login,
    *,
    refresh_token: str = "",
    access_token: str = "",
    seconds: float = SECONDS,
) -> tuple[Revocation, ...]:
    """End the tokens of a grant (RFC 7009), the refresh token first; tell what became of each.

    Nothing is told of a server that revokes nothing.
    """
    if not server.revocation_endpoint:
        return ()
    at, deadline = replace(login, token_url=server.revocation_endpoint), Deadline(seconds)
    held: dict[TokenKind, str] = {"refresh_token": refresh_token, "access_token": access_token}
    return tuple(end(outbound, at, deadline, *each) for each in held.items() if each[1])


def end(
    outbound: Outbound, login: Login, deadline: Deadline, kind: TokenKind, token: str
) -> Revocation:
    """Revoke one token."""
    parameters = {"token": token, "token_type_hint": kind}
    try:
        answer = token_requests.send(outbound, login, parameters, deadline.step())
    except OutboundError as error:
        return Revocation(kind, error.reason)
    if answer.status == 200:
        return Revocation(kind, status=200)
    refused = upstream_refusals.of_answer(answer)
    return Revocation(kind, "status", answer.status, refused.error)
