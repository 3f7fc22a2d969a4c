"""What an identity provider outside says of people at apps of this server (ID-JAG)."""

import time
from typing import Any

from werkzeug.test import TestResponse

from app.domain import credentials, grant_types
from app.domain.identity_assertions import TYPE
from tests.conftest import ISSUER as OURS
from tests.protocol.machines import RESOURCE, Machine
from tests.protocol.providers import ISSUER
from tests.protocol.vendors import KEYS, jws

DATES = ("exp", "iat", "nbf", "auth_time")


def claims(machine: Machine, **changes: Any) -> dict[str, Any]:
    """Return what is said of Pia; None leaves a claim out, a date is counted from now."""
    said = {
        "iss": ISSUER,
        "sub": "pia-there",
        "aud": OURS,
        "client_id": machine.client_id,
        "jti": credentials.new_id(),
        "exp": 300,
        "iat": 0,
        "resource": RESOURCE,
        "scope": "mcp:read",
    } | changes
    now = int(time.time())
    dated = {name: now + said[name] for name in DATES if type(said.get(name)) in (int, float)}
    return {name: value for name, value in (said | dated).items() if value is not None}


def assertion(
    machine: Machine, header: dict[str, Any] | None = None, key: Any = None, **changes: Any
) -> str:
    """Sign an assertion; keywords change its claims, ``header`` its header."""
    head = {"alg": "ES256", "typ": TYPE, "kid": "ES256"} | (header or {})
    kept = {name: value for name, value in head.items() if value is not None}
    return jws(kept, claims(machine, **changes), key or KEYS[head["alg"]], head["alg"])


def bring(machine: Machine, text: str | None, **parameters: Any) -> TestResponse:
    """Ask for a token by an assertion."""
    wanted = {"grant_type": grant_types.ASSERTION, "assertion": text}
    return machine.post("/token", **wanted | parameters)
