"""Owns what a token says, in words, and what a resource server would say to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app import clock
from app.config import current_key, current_settings
from app.domain import client_records, generations, id_tokens, signing_keys, tokens
from app.domain.signing_keys import Keys

LATEST = 253402300799
"""The last second of the year 9999, the last that can be written as a date."""
TIMES = ("exp", "iat", "nbf", "auth_time")
MEANINGS = {
    "iss": "Who issued it. A resource server accepts no other issuer.",
    "sub": "Whom it is about: a person, or the client itself when no person is there.",
    "aud": "Whom it is for. A resource server that is not named here must refuse it.",
    "client_id": "The client it was issued to.",
    "scope": "What it allows, as names with spaces between them.",
    "exp": "When it ends. Clocks that differ by more than a minute make this go wrong.",
    "iat": "When it was issued.",
    "nbf": "From when on it counts.",
    "jti": "Its own number, by which it can be revoked alone and found in the audit trail.",
    "auth_time": "When the person signed in.",
    "acr": "How trustworthy the sign-in was: by a password over an encrypted connection.",
    "amr": "What the person proved: pwd a password, otp a code, pop a passkey, mfa more than one.",
    "at_hash": "Ties it to the access token that came with it.",
    "cnf": "The key it is bound to. Who sends it has to prove that key by DPoP.",
    "grant_id": "The grant it belongs to. Revoking the grant ends all tokens of its family.",
    "nonce": "What the client sent along, so that no other sign-in can be passed off as this one.",
}
OTHER = "A claim that this server gives no meaning to."


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and how it turned out."""

    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim: its value as text, its moment if it is one, and what it means."""

    name: str
    value: str
    moment: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """One token taken apart; ``state`` is what introspection would say, None for an ID token."""

    header: str
    claims: tuple[Claim, ...]
    checks: tuple[Check, ...]
    state: Check | None


def of_access_token(token: str, resource: str | None) -> TokenFacts | None:
    """Return the facts of an access token for a resource, None when it is no JWT."""
    parts = decoded(token)
    if parts is None:
        return None
    header, claims = parts
    checks = [*common_checks(header, claims, token, tokens.ACCESS_TOKEN)]
    checks.append(for_resource(claims, resource))
    return TokenFacts(written(header), explained(claims), tuple(checks), state(token))


def of_id_token(token: str, client_id: str, nonce: str) -> TokenFacts | None:
    """Return the facts of an ID token that a client got for a nonce."""
    parts = decoded(token)
    if parts is None:
        return None
    header, claims = parts
    checks = [
        *common_checks(header, claims, token, id_tokens.TYPE),
        Check(claims.get("aud") == client_id, "aud is the client."),
        Check(claims.get("nonce") == nonce, "nonce is the one that was sent."),
    ]
    return TokenFacts(written(header), explained(claims), tuple(checks), None)


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return header and claims without believing them, or None."""
    try:
        header, claims = (
            orjson.loads(signing_keys.decode(part.encode())) for part in token.split(".")[:2]
        )
    except ValueError:
        return None
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) else None


def common_checks(
    header: Mapping[str, Any], claims: Mapping[str, Any], token: str, kind: str
) -> list[Check]:
    """Return what a resource server or a client checks without asking this server."""
    keys, kid, until = current_keys(), str(header.get("kid", "")), claims.get("exp")
    signed = signing_keys.verify(keys, kind, token) is not None
    by = f"The signature is right: {header.get('alg')}, by the key {kid} of our JWKS."
    return [
        Check(signed, by if signed else "The signature is not one of a key of our JWKS."),
        Check(header.get("typ") == kind, f"typ is {kind}."),
        Check(claims.get("iss") == current_settings().issuer, "iss is this server."),
        Check(isinstance(until, int) and until > clock.epoch(), "exp is in the future."),
    ]


def for_resource(claims: Mapping[str, Any], resource: str | None) -> Check:
    """Return whether a resource is in the audience; None stands for whichever is named there."""
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if resource is None:
        return Check(bool(audience), f"aud names {', '.join(map(str, named))} and no other.")
    return Check(resource in named, f"aud holds {resource}.")


def state(token: str) -> Check:
    """Return what introspection says to a resource server that the token is meant for."""
    claims = signing_keys.verify(current_keys(), tokens.ACCESS_TOKEN, token)
    if claims is None or claims.get("iss") != current_settings().issuer:
        return Check(False, "This server did not issue it.")
    if claims["exp"] <= clock.epoch():
        return Check(False, "It has expired.")
    if tokens.is_revoked(claims):
        return Check(False, "It was revoked, alone or with its grant.")
    client = client_records.look_up(claims["client_id"], generations.read()["clients"])
    if client is None or not client.backs(claims, clock.epoch()):
        return Check(False, "Its client is stopped, or an operator ended the tokens of its client.")
    return Check(True, "Neither it, nor its grant, nor its client was stopped.")


def current_keys() -> Keys:
    """Return the keys that sign and verify tokens."""
    return signing_keys.current(current_key("signing keys"), generations.read()["keys"])


def explained(claims: Mapping[str, Any]) -> tuple[Claim, ...]:
    """Return each claim with what it means."""
    return tuple(
        Claim(name, plain(value), moment(name, value), MEANINGS.get(name, OTHER))
        for name, value in claims.items()
    )


def plain(value: Any) -> str:
    """Write a value the way people read it."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def moment(name: str, value: Any) -> str | None:
    """Return a claim of time as an ISO instant, None for what is no time."""
    if name not in TIMES or not isinstance(value, int) or not 0 <= value <= LATEST:
        return None
    return clock.instant(value)


def written(header: Mapping[str, Any]) -> str:
    """Write a header for reading."""
    return orjson.dumps(header, option=orjson.OPT_INDENT_2).decode()
