"""Owns the tokens of a grant at an upstream: redeemed for a code, refreshed, revoked."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from app import clock
from app.outbound import challenges, token_requests, upstream_refusals
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline
from app.outbound.logins import BUFFER_SECONDS, Login, Sign
from app.outbound.shared_tokens import Kept
from app.outbound.tokens import Acquire
from app.outbound.upstream_clients import Client
from app.outbound.upstream_metadata import ServerMetadata

SECONDS = 10

TokenKind = Literal["refresh_token", "access_token"]

_TOKEN = re.compile(r"[\x20-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True)
class Grant:
    """What an upstream granted."""

    kept: Kept = field(repr=False)
    """The access token, for the token manager."""
    refresh_token: str = field(repr=False)
    """Empty when there is none."""
    expires_at: int | None
    """When the access token expires, if that was said."""
    scopes: tuple[str, ...]

    @property
    def access_token(self) -> str:
        """Return the access token."""
        return self.kept.value


@dataclass(frozen=True, slots=True)
class Revocation:
    """What became of one token; ``failure`` is empty when it has ended."""

    kind: TokenKind
    failure: str = ""
    """Why the upstream could not be asked, or ``status`` when it answered something else."""
    status: int | None = None
    error: str = ""
    """The error code of the answer, if it is a known one."""


def login_at(
    server: ServerMetadata,
    client: Client,
    *,
    grant_id: str,
    scopes: Iterable[str] = (),
    resource: str = "",
    buffer_seconds: int = BUFFER_SECONDS,
    sign: Sign | None = None,
) -> Login:
    """Return what this server is at the token endpoint of an upstream, for one grant.

    ``grant_id`` keeps the tokens of one person from all others. Assertions are for the issuer:
    a hostile server may name the token endpoint of another one as its own.
    """
    return Login(
        server.token_endpoint,
        client.client_id,
        client.client_secret,
        " ".join(scopes),
        client.auth_method,
        buffer_seconds,
        sign=sign,
        resource=resource,
        revision=grant_id,
        strange=True,
        audience=server.issuer,
    )


def redeem(
    outbound: Outbound,
    login: Login,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    seconds: float = SECONDS,
) -> Grant:
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
) -> Grant:
    """Exchange a refresh token (RFC 6749 section 6); it is kept when no other one comes back.

    Raises OutboundError; its ``error`` is ``invalid_grant`` when a person has to allow it anew.
    """
    wanted = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return exchange(outbound, login, wanted, seconds)


def exchange(outbound: Outbound, login: Login, wanted: Mapping[str, str], seconds: float) -> Grant:
    """Return what a token endpoint grants for something."""
    asked_at = clock.epoch()
    found = token_requests.ask(outbound, login, {**wanted, "resource": login.resource}, seconds)
    expires_in = token_requests.said_expiry(found.get("expires_in"))
    return Grant(
        token_requests.kept(found, login.buffer_seconds, asked_at),
        refresh_token_of(found, wanted.get("refresh_token", "")),
        None if expires_in is None else asked_at + expires_in,
        scopes_of(found, login.scope),
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


def acquiring(find: Callable[[], str], store: Callable[[Grant], None]) -> Acquire:
    """Return what gets a token manager new tokens by the refresh token that ``find`` returns.

    ``store`` has kept the new refresh token when it returns; if it raises, nobody uses the token.
    When another process was faster and has spent the refresh token, the one that it stored is
    used, once.
    """

    def acquire(outbound: Outbound, login: Login, seconds: float) -> Kept:
        deadline = Deadline(seconds)
        held = find()
        if not held:
            raise OutboundError("credential")
        try:
            grant = refresh(outbound, login, held, seconds=deadline.step())
        except OutboundError as error:
            newer = find() if error.error == "invalid_grant" else held
            if newer in ("", held):
                raise
            grant = refresh(outbound, login, newer, seconds=deadline.step())
        store(grant)
        return grant.kept

    return acquire


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
