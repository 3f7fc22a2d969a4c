"""Owns logout tokens (OpenID Connect Back-Channel Logout section 2.4), and what became of them."""

from collections.abc import Mapping
from typing import Any

from app import clock
from app.domain import audit, credentials, signing_keys
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.domain.foreign_logout_tokens import EVENT
from app.domain.signing_keys import Keys
from app.domain.webhooks import Outcome

TYPE = "logout+jwt"
LIFETIME_SECONDS = 120


def mint(keys: Keys, issuer: str, *, client_id: str, subject: str, sid: str, algorithm: str) -> str:
    """Return what tells a client that a session has ended; each attempt has one of its own."""
    now = clock.epoch()
    claims = {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "jti": credentials.new_id(),
        "events": {EVENT: {}},
        "sid": sid,
    }
    return signing_keys.sign(keys, TYPE, claims, algorithm)


def note(payload: Mapping[str, Any], outcome: Outcome, state: str) -> None:
    """Record what became of one attempt to tell a client."""
    client_id = payload["client_id"]
    told = {"sid": payload["sid"], "status": outcome.status}
    if outcome.failure:
        tag, told = Tag.CLIENT_LOGOUT_FAILED, told | {"failure": outcome.failure, "state": state}
    else:
        tag = Tag.CLIENT_LOGOUT_DELIVERED
    audit.record(tag, client_id, by=SERVER, client_id=client_id, **told)
