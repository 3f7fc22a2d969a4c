"""Owns logins: what this server is at someone else's token endpoint, and how it proves it."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus

from app import clock
from app.domain import client_assertions, credentials
from app.domain.connection_drafts import BUFFER_SECONDS

ASSERTION_SECONDS = 60

AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
Sign = Callable[[dict[str, Any]], str]
"""Signs claims with the key of this server; raises OutboundError when it has none."""


@dataclass(frozen=True, slots=True)
class Login:
    """What this server is at someone else's token endpoint (RFC 6749 section 4.4)."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    auth_method: AuthMethod = "client_secret_basic"
    buffer_seconds: int = BUFFER_SECONDS
    """A token is renewed so long before it expires."""
    sign: Sign | None = field(default=None, repr=False)
    """For private_key_jwt."""
    resource: str = ""
    """What the tokens are for (RFC 8707)."""
    revision: str = ""
    """What changes with the login, so that no token of its former self is used."""
    strange: bool = False
    """Whether the URL was entered or found, and may lead only where strangers' URLs may."""
    audience: str = ""
    """For whom assertions are, if not for the token endpoint."""

    @property
    def name(self) -> str:
        """Return what tells this login from others."""
        told_apart_by = (self.client_id, self.scope, self.resource, self.auth_method, self.revision)
        return credentials.thumbprint(json.dumps([self.token_url, *told_apart_by]))

    def __post_init__(self) -> None:
        """Refuse a buffer that is no whole number of seconds."""
        if type(self.buffer_seconds) is not int or self.buffer_seconds < 0:
            raise ValueError("the buffer must be a whole number of seconds, at least 0")
        if self.auth_method == "private_key_jwt" and self.sign is None:
            raise ValueError("private_key_jwt needs what signs")


def proof(login: Login) -> dict[str, str]:
    """Return the parameters by which a login proves itself, none for HTTP Basic."""
    if login.auth_method == "none":
        return {"client_id": login.client_id}
    if login.auth_method == "client_secret_post":
        return {"client_id": login.client_id, "client_secret": login.client_secret}
    if login.sign is None or login.auth_method == "client_secret_basic":
        return {}
    now = clock.epoch()
    claims = {
        "iss": login.client_id,
        "sub": login.client_id,
        "aud": login.audience or login.token_url,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": credentials.new_id(),
    }
    return {
        "client_id": login.client_id,
        "client_assertion_type": client_assertions.KIND,
        "client_assertion": login.sign(claims),
    }


def basic(client_id: str, client_secret: str) -> str:
    """Return the header of HTTP Basic, both halves form-encoded (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
