"""A protected MCP server, made with the Python SDK as its users would make one.

It knows nothing of Gatewright but the issuer and an introspection client of its own.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer

from tests.services.process import accepts, started

SCOPE = "notes:read"
ROOT = Path(__file__).parents[2]
CONFIGURATION = "NOTES_SERVER"


class Introspection:
    """Asks the authorization server about every token (RFC 7662)."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known
        self.http = httpx2.AsyncClient(auth=(known["client_id"], known["client_secret"]))

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the token allows; None unless it is active and meant for this server."""
        answer = await self.http.post(f"{self.known['issuer']}/introspect", data={"token": token})
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        if not said["active"] or said["aud"] != self.known["resource"]:
            return None
        assert said["iss"] == self.known["issuer"]
        return AccessToken(
            token=token,
            client_id=said["client_id"],
            scopes=said["scope"].split(),
            expires_at=said["exp"],
            resource=said["aud"],
            subject=said["sub"],
        )


def notes_server(known: Mapping[str, str]) -> MCPServer:
    """Return the server; its metadata names the issuer as a string, byte for byte."""
    server = MCPServer(
        "notes",
        log_level="WARNING",
        token_verifier=Introspection(known),
        auth=AuthSettings(
            issuer_url=known["issuer"],
            resource_server_url=known["resource"],
            required_scopes=[SCOPE],
            validate_token_resource=True,
        ),
    )

    @server.tool()
    def whose_notes() -> str:
        """Say for whom and through which client the notes are read."""
        token = get_access_token()
        assert token is not None
        return json.dumps({"subject": token.subject, "client_id": token.client_id})

    return server


@contextmanager
def running_resource_server(known: Mapping[str, str], port: int) -> Iterator[None]:
    """Serve the notes in a process of their own while the block lasts."""
    env = {"PATH": os.environ["PATH"], CONFIGURATION: json.dumps(dict(known))}
    command = [sys.executable, "-m", "tests.flows.resource_server", str(port)]
    with started(command, ready=lambda: accepts(port), env=env, cwd=ROOT):
        yield


if __name__ == "__main__":
    notes_server(json.loads(os.environ[CONFIGURATION])).run(
        "streamable-http", host="127.0.0.1", port=int(sys.argv[1])
    )
