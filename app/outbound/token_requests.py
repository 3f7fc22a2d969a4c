"""Owns what is asked of others' token endpoints, what counts as a token, and how long it lives."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import structlog

from app import clock
from app.outbound import json_answers, upstream_refusals
from app.outbound.client import Answer, Outbound
from app.outbound.errors import OutboundError
from app.outbound.logins import Login, basic, proof
from app.outbound.shared_tokens import Kept

log = structlog.get_logger()

SHORTEST_LIFE_SECONDS = 10
"""A token is kept so long at least, whatever is said about its end."""
LONGEST_EXPIRY = 2**31
LONGEST_TOKEN = 16384
HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_ERROR_CODE = re.compile(r"[a-z_]{1,64}")


def client_credentials(outbound: Outbound, login: Login, seconds: float) -> Kept:
    """Get a token for the login itself (RFC 6749 section 4.4); raises OutboundError."""
    grant = {"grant_type": "client_credentials", "scope": login.scope, "resource": login.resource}
    asked_at = clock.epoch()
    return kept(ask(outbound, login, grant, seconds), login.buffer_seconds, asked_at)


def ask(
    outbound: Outbound, login: Login, grant: Mapping[str, str], seconds: float
) -> dict[str, Any]:
    """Return the token answer to a grant."""
    try:
        answer = send(outbound, login, grant, seconds)
    except OutboundError as error:
        log.warning("token_not_acquired", reason=error.reason)
        raise
    return read(answer)


def send(outbound: Outbound, login: Login, parameters: Mapping[str, str], seconds: float) -> Answer:
    """Post parameters, the empty ones left out, with what proves the login."""
    way = outbound.stranger if login.strange else outbound.trusted
    headers = dict(HEADERS)
    if login.auth_method == "client_secret_basic":
        headers["Authorization"] = basic(login.client_id, login.client_secret)
    form = {**parameters, **proof(login)}
    content = urlencode({name: value for name, value in form.items() if value}).encode()
    return way(login.token_url, method="POST", headers=headers, content=content, seconds=seconds)


def read(answer: Answer) -> dict[str, Any]:
    """Return a token answer (RFC 6749 section 5.1); raises OutboundError unless it is one.

    Of an error only its registered code is logged: a body may quote what was sent.
    """
    found = json_answers.members(answer)
    token, kind = found.get("access_token"), found.get("token_type", "Bearer")
    well_formed = isinstance(token, str) and len(token) <= LONGEST_TOKEN and _TOKEN.fullmatch(token)
    is_bearer = isinstance(kind, str) and kind.lower() == "bearer"
    if answer.status == 200 and well_formed and is_bearer:
        return found
    error = error_of(answer)
    log.warning("token_not_acquired", reason="token", status=answer.status, error=error)
    raise OutboundError("token", upstream_refusals.known(error))


def error_of(answer: Answer) -> str:
    """Return the error code of an answer (RFC 6749 section 5.2), empty when there is none."""
    code = str(json_answers.members(answer).get("error", ""))
    return code if _ERROR_CODE.fullmatch(code) else ""


def kept(found: Mapping[str, Any], buffer_seconds: int, asked_at: int) -> Kept:
    """Return the token of an answer with its dates, counted from when it was asked for."""
    expires_in = found.get("expires_in")
    return Kept(
        found["access_token"],
        until=asked_at + life_of(expires_in, buffer_seconds),
        expires_at=asked_at + expiry_of(expires_in, buffer_seconds),
        got_at=clock.epoch(),
    )


def life_of(expires_in: object, buffer_seconds: int) -> int:
    """Return how many seconds a token is kept."""
    return max(expiry_of(expires_in, buffer_seconds) - buffer_seconds, SHORTEST_LIFE_SECONDS)


def expiry_of(expires_in: object, buffer_seconds: int) -> int:
    """Return in how many seconds a token expires; what is said may be missing or nonsense.

    Such a token is taken for one whose life ends with the buffer and the shortest life.
    """
    said = said_expiry(expires_in)
    return buffer_seconds + SHORTEST_LIFE_SECONDS if said is None else said


def said_expiry(expires_in: object) -> int | None:
    """Return in how many seconds a token expires, None when nothing sensible is said about it."""
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit():
        expires_in = int(expires_in[:11])
    if isinstance(expires_in, float) and expires_in.is_integer():
        expires_in = int(expires_in)
    if type(expires_in) is not int or not 0 < expires_in < LONGEST_EXPIRY:
        return None
    return expires_in
