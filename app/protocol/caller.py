"""Owns who is calling: the actor, client authentication and bearer tokens of the machine door."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from flask import current_app, g, request

from app import clock
from app.config import current_key, current_settings
from app.domain import (
    assertion_secrets,
    client_assertions,
    client_records,
    credentials,
    errors,
    fapi,
    generations,
    networks,
)
from app.domain.assertion_keys import HMAC, KeySource
from app.domain.audit import Actor
from app.domain.client_records import ClientRecord, Standing
from app.domain.foreign_jwts import ForeignJwt, is_signed_by
from app.domain.passwords import Passwords
from app.outbound.errors import OutboundError
from app.protocol import published_keys
from app.protocol.parameters import Parameters

FAILED = (
    "Client authentication failed: the client is unknown, stopped or deleted, or its secret, key or"
    " authentication method is wrong; register again or ask the operators of this server."
)
UNFETCHED = "The keys at the jwks_uri of this client cannot be fetched now; try again later."
LONGEST_HEADER = 8192
LONGEST_BEARER = 512


def address() -> str:
    """Return the address of the caller, as far as trusted proxies vouch for it."""
    return (request.remote_addr or "")[:64]


def network() -> str:
    """Return what limits count the caller by: the network of the address."""
    return networks.network_of(address())


def actor(kind: str = "anonymous", identifier: str = "", name: str = "") -> Actor:
    """Return who does what this request does."""
    return Actor(kind, identifier, name[:255], address(), g.get("request_id", ""))


def client_actor(client: ClientRecord) -> Actor:
    """Return an authenticated client as the actor."""
    return actor("client", client.client_id, client.name)


def current_generations(seen: dict[str, int] | None = None) -> dict[str, int]:
    """Return the generation counters, read once in a request unless older ones will do."""
    if "generations" not in g:
        g.generations = seen or generations.read()
    found: dict[str, int] = g.generations
    return found


def forget_generations() -> None:
    """Read the counters again: this request has changed something, or has waited."""
    g.pop("generations", None)


def look_up(client_id: str) -> ClientRecord | None:
    """Return the record of a client; None means never seen."""
    return client_records.look_up(client_id, current_generations()["clients"])


def authenticate(parameters: Parameters) -> ClientRecord:
    """Return the active client that sent this request (RFC 6749 section 2.3).

    Raises InvalidClient alike for unknown, stopped, deleted and wrongly authenticated clients,
    InvalidRequest for two methods at once, and AccessDenied for a client that proved itself but
    waits for approval.
    """
    jwt = assertion(parameters)
    if jwt is not None:
        return authenticate_signer(jwt)
    return proven(parameters, request.headers.get("Authorization"))


def proven(parameters: Parameters, header: str | None) -> ClientRecord:
    """Return the active client that an Authorization header or the body proves by its secret."""
    method, client_id, secret = presented(parameters, header)
    client = look_up(client_id)
    if not prove(client, method, secret, clock.epoch()):
        client = None
    return approved(client, client_id=client_id[:200], method=method)


def authenticate_signer(jwt: ForeignJwt) -> ClientRecord:
    """Return the active client that signed an assertion, and use the assertion up."""
    facts = client_assertions.facts_of(jwt)
    client = holder_of_secret(jwt) if jwt.algorithm == HMAC else holder_of_key(jwt)
    if client is None:
        raise errors.InvalidClient(FAILED, **facts)
    if client.fapi2:
        fapi.check_assertion(jwt, current_settings().issuer)
    client_assertions.spend(jwt)
    return approved(client, **facts)


def holder_of_secret(jwt: ForeignJwt) -> ClientRecord | None:
    """Return the client that signed an assertion with its secret, None for any other."""
    client = look_up(jwt.claims["sub"])
    if client is None:
        return None
    sealing_key = current_key("client secrets")
    signed = assertion_secrets.have_signed(client, jwt, sealing_key, clock.epoch())
    return client if signed else None


def holder_of_key(jwt: ForeignJwt) -> ClientRecord | None:
    """Return the client that signed an assertion with a key of its own, None for any other."""
    client = look_up(jwt.claims["sub"])
    keys = client.assertion_keys if client is not None else None
    if keys is None or not keys.takes(jwt):
        return None
    facts = client_assertions.facts_of(jwt)
    if keys.jwks_uri is not None:
        approved(client, **facts)  # nothing is fetched for a stranger whom nobody has let in
    found = keys.jwks or fetched(keys, jwt, errors.InvalidClient, **facts)
    client = look_up(jwt.claims["sub"])  # fetching took its time
    same = client is not None and client.assertion_keys == keys
    return client if same and is_signed_by(jwt, found) else None


def fetched(
    keys: KeySource, jwt: ForeignJwt, refusal: type[errors.Refusal], **facts: str
) -> Iterable[Mapping[str, Any]]:
    """Return the keys that a client publishes; raises a refusal when they cannot be had."""
    try:
        return published_keys.find(str(keys.jwks_uri), jwt.kid)
    except OutboundError as error:
        raise refusal(UNFETCHED, **facts, reason=error.reason) from None
    finally:
        forget_generations()


def approved(client: ClientRecord | None, **facts: str) -> ClientRecord:
    """Return a client that proved itself, None being one that did not, if people let it in."""
    standing = client.standing(clock.epoch()) if client is not None else Standing.DELETED
    if client is None or standing not in (Standing.ACTIVE, Standing.PENDING):
        raise errors.InvalidClient(FAILED, **facts)
    if standing is Standing.PENDING:
        raise errors.AccessDenied(waiting_sentence(), client_id=client.client_id)
    return client


def waiting_sentence() -> str:
    """Say who decides about software that waits."""
    return f"This client is waiting for approval by {current_settings().contact}."


def prove(client: ClientRecord | None, method: str, secret: str, now: int) -> bool:
    """Tell whether a client used its registered method and the right secret.

    An unknown client costs the same comparisons as a known one; one of FAPI 2.0 only signs.
    """
    if client is None or client.fapi2:
        credentials.matches(secret, None)
        credentials.matches(secret, None)
        return False
    if method == "none":
        return client.auth_method == "none"
    return client.has_secret(secret, now) and client.auth_method == method


def assertion(parameters: Parameters) -> ForeignJwt | None:
    """Return the assertion in a request, not yet proven; None when there is none (RFC 7523)."""
    kind, text = parameters.get("client_assertion_type"), parameters.get("client_assertion")
    if kind is None and text is None:
        return None
    if kind is None or text is None:
        raise errors.InvalidRequest("Send client_assertion and client_assertion_type together.")
    if "Authorization" in request.headers or parameters.get("client_secret") is not None:
        raise errors.InvalidRequest("Authenticate the client in one way only: by the assertion.")
    issuer = current_settings().issuer
    here = (issuer, f"{issuer}/token", issuer + request.path)
    jwt = client_assertions.read(kind, text, here)
    if parameters.get("client_id") not in (None, jwt.claims["sub"]):
        raise errors.InvalidClient(FAILED, method="assertion")
    return jwt


def presented(parameters: Parameters, header: str | None) -> tuple[str, str, str]:
    """Return method, client_id and secret as sent."""
    body_id, body_secret = parameters.get("client_id"), parameters.get("client_secret")
    if header is not None:
        if body_secret is not None:
            raise errors.InvalidRequest(
                "Authenticate the client in one way only: by header or in the body."
            )
        client_id, secret = basic(header)
        if body_id is not None and body_id != client_id:
            raise errors.InvalidRequest(
                "The client_id in the body is not the one in the Authorization header."
            )
        return "client_secret_basic", client_id, secret
    if body_id is None:
        raise errors.InvalidClient(FAILED, method="absent")
    if body_secret is not None:
        return "client_secret_post", body_id, body_secret
    return "none", body_id, ""


def basic(header: str) -> tuple[str, str]:
    """Decode HTTP Basic strictly; both halves are form-encoded (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic" or len(header) > LONGEST_HEADER:
            raise ValueError
        decoded = base64.b64decode(encoded, validate=True).decode()
        client_id, colon, secret = decoded.partition(":")
        halves = [unquote_plus(half, errors="strict") for half in (client_id, secret)]
        if not colon or any("\0" in half for half in halves):
            raise ValueError
    except (ValueError, binascii.Error):
        raise errors.InvalidClient(FAILED, method="malformed") from None
    return halves[0], halves[1]


def bearer() -> str | None:
    """Return the bearer token of the Authorization header, or None (RFC 6750 section 2.1).

    Not for access tokens, which may be bound to a key.
    """
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    return token.strip()[:LONGEST_BEARER]


def passwords() -> Passwords:
    """Return what hashes and verifies people's passwords."""
    found: Passwords = current_app.extensions["gatewright.passwords"]
    return found
