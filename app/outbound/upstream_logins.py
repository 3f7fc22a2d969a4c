"""Owns connections that people authorize as they are used: their server, our client, our logins."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import Row

from app.domain.connection_records import Connection
from app.outbound.logins import AuthMethod, Login, Sign
from app.outbound.registration import Registered
from app.outbound.upstream_clients import Client
from app.outbound.upstream_metadata import ServerMetadata

MEMBERS = frozenset(member.name for member in fields(ServerMetadata))


@dataclass(frozen=True, slots=True)
class Upstream:
    """A connection that people authorize, at one revision."""

    server: ServerMetadata
    client: Client
    scopes: tuple[str, ...]
    resource: str
    buffer_seconds: int
    sign: Sign | None = field(default=None, repr=False)
    """For private_key_jwt."""
    registration_client_uri: str = ""
    registration_token: str = field(default="", repr=False)

    def login(self, grant_id: str) -> Login:
        """Return what this server is at the token endpoint, for one grant.

        ``grant_id`` keeps the tokens of one person from all others. Assertions are for the issuer:
        a hostile server may name the token endpoint of another one as its own.
        """
        return Login(
            self.server.token_endpoint,
            self.client.client_id,
            self.client.client_secret,
            " ".join(self.scopes),
            self.client.auth_method,
            sign=self.sign,
            resource=self.resource,
            revision=grant_id,
            strange=True,
            audience=self.server.issuer,
        )

    @property
    def registered(self) -> Registered:
        """Return the client as it was registered."""
        return Registered(
            self.client,
            registration_client_uri=self.registration_client_uri,
            registration_access_token=self.registration_token,
        )


def of(
    row: Connection | Row[Any], client_secret: str, registration_token: str, sign: Sign
) -> Upstream:
    """Return a connection as it is used, with its credentials opened."""
    auth_method: AuthMethod = row.auth_method  # type: ignore[assignment]  # checked when made
    return Upstream(
        server_of(row.server or {}),
        Client(row.client_id, auth_method, client_secret),
        tuple(row.scope.split()),
        row.resource,
        row.expiry_buffer_seconds,
        sign if auth_method == "private_key_jwt" else None,
        row.registration_client_uri or "",
        registration_token,
    )


def server_of(kept: Mapping[str, Any]) -> ServerMetadata:
    """Return the metadata of a server as a connection keeps them."""
    known: dict[str, Any] = {
        name: tuple(said) if isinstance(said, list) else said
        for name, said in kept.items()
        if name in MEMBERS
    }
    return ServerMetadata(**known)


def kept_of(server: ServerMetadata) -> dict[str, Any]:
    """Return what a connection keeps of a server: what it said."""
    return {
        name: list(said) if isinstance(said, tuple) else said
        for name, said in asdict(server).items()
        if said
    }
