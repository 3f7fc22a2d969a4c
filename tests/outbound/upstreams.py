"""An upstream on loopback that answers in turn what a test wants, and this server as its client.

Test files import its fixture ``upstream``.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from app.outbound import registration, upstream_logins
from app.outbound.client import Outbound
from app.outbound.logins import Login, Sign
from app.outbound.upstream_clients import Client, Profile
from app.outbound.upstream_metadata import ServerMetadata
from tests.services.gate import ScriptedServer, said, scripted

REDIRECT = "https://gatewright.example/connections/callback"
PROFILE = Profile("Gatewright", REDIRECT, ("ops@gatewright.example",), "1.0")
BY_KEY = Profile("Gatewright", REDIRECT, jwks_uri="https://gatewright.example/jwks.json")
UPSTREAM = "https://upstream.example"
RESOURCE = "https://api.example/mcp"
CLIENT = Client("c-1", "client_secret_post", "s3cret")
OURS = {"client_id": ["c-1"], "client_secret": ["s3cret"]}
"""How this client proves itself in a form."""
ANSWER = {
    "client_id": "c-1",
    "client_secret": "s3cret",
    "client_secret_expires_at": 0,
    "redirect_uris": [REDIRECT],
    "token_endpoint_auth_method": "client_secret_basic",
}


def answered(*left_out: str, **changes: Any) -> dict[str, Any]:
    """Return the answer to a registration with members changed or left out."""
    return {name: value for name, value in (ANSWER | changes).items() if name not in left_out}


def metadata(origin: str = UPSTREAM, **changes: Any) -> ServerMetadata:
    """Return what an upstream says of itself; all its endpoints are at its origin."""
    said: dict[str, Any] = {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/authorize",
        "token_endpoint": f"{origin}/token",
        "registration_endpoint": f"{origin}/register",
        "revocation_endpoint": f"{origin}/revoke",
        "token_endpoint_auth_methods_supported": ("none", "client_secret_basic"),
    }
    return ServerMetadata(**said | changes)


class Upstream:
    """An upstream, and the way out on which it is allowed."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.origin = f"http://127.0.0.1:{server.port}"
        self.outbound = Outbound("Gatewright", allow=[f"127.0.0.1:{server.port}"])

    def metadata(self, **changes: Any) -> ServerMetadata:
        return metadata(self.origin, **changes)

    @property
    def asked(self) -> list[str]:
        """Return method and path of each request."""
        return [" ".join(each.decode().split(" ")[:2]) for each in self.server.requests]


def registered_at(at: Upstream, **options: Any) -> Any:
    """Register at an upstream."""
    return registration.register(at.outbound, at.metadata(), PROFILE, **options)


def login(
    at: Upstream,
    client: Client = CLIENT,
    *,
    grant_id: str = "g-1",
    resource: str = RESOURCE,
    sign: Sign | None = None,
) -> Login:
    """Return this server at the token endpoint of an upstream."""
    used = upstream_logins.Upstream(at.metadata(), client, ("a", "b"), resource, 60, sign)
    return used.login(grant_id)


def forms(at: Upstream) -> list[dict[str, list[str]]]:
    """Return the form of each request."""
    return [parse_qs(body) for body in at.server.bodies]


def refused(code: str, status: int = 400) -> bytes:
    """Write a refusal of OAuth."""
    return said(status, {"error": code, "error_description": "c4n4ry"})


@pytest.fixture
def upstream() -> Iterator[Callable[..., Upstream]]:
    """Return a function that starts an upstream."""
    with scripted() as serve:
        yield lambda *answers: Upstream(serve(*answers))
