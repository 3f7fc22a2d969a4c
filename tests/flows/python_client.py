"""The Python SDK's client, used as its documentation says; it asks for no authentication method."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio.to_thread
import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

from tests.services.callback import Callback

NAME = "Notes reader in Python"
Visit = Callable[[str], None]


class AccessDeniedError(Exception):
    """Raised when the authorization server sent an error instead of a code."""


class Storage:
    """Keeps what the SDK gives it, as a file would."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.information: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.information

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.information = client_info


class PythonClient:
    """One installation of the client; ``visit`` is called with each authorization URL."""

    name = NAME

    def __init__(self, portal: BlockingPortal, resource: str, callback: Callback) -> None:
        self.portal, self.resource, self.callback = portal, resource, callback
        self.storage = Storage()
        self.visit: Visit | None = None
        self.provider = OAuthClientProvider(
            resource,
            OAuthClientMetadata(client_name=NAME, redirect_uris=[callback.uri]),
            self.storage,
            self.redirect,
            self.receive,
        )

    @property
    def information(self) -> dict[str, Any]:
        """Return what the registration answered."""
        return self.storage.information.model_dump(mode="json", exclude_none=True)

    @property
    def tokens(self) -> dict[str, Any]:
        """Return the stored token answer."""
        return self.storage.tokens.model_dump(mode="json", exclude_none=True)

    def expire(self) -> None:
        """Make the client believe that its access token is too old."""
        self.provider.context.token_expiry_time = 1.0

    def call_tool(self, visit: Visit) -> dict[str, str]:
        """Return what the tool says, after whatever the SDK does to get there."""
        self.visit = visit
        try:
            return self.portal.call(self.call)
        except BaseExceptionGroup as group:
            raise first_cause(group) from group

    async def call(self) -> dict[str, str]:
        """Connect, call the tool and hang up."""
        async with httpx2.AsyncClient(auth=self.provider, timeout=30) as http:
            transport = streamable_http_client(self.resource, http_client=http)
            async with Client(transport) as client:
                answer = await client.call_tool("whose_notes")
        assert not answer.is_error, answer
        return json.loads(answer.content[0].text)

    async def redirect(self, url: str) -> None:
        """Send the person to the authorization server."""
        await anyio.to_thread.run_sync(self.visit, url)

    async def receive(self) -> AuthorizationCodeResult:
        """Wait for the person's browser."""
        brought = await anyio.to_thread.run_sync(self.callback.take)
        if "error" in brought:
            raise AccessDeniedError(f"{brought['error']}: {brought['error_description']}")
        return AuthorizationCodeResult(
            code=brought["code"], state=brought.get("state"), iss=brought.get("iss")
        )


def first_cause(error: BaseException) -> BaseException:
    """Return the exception inside groups of one."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@contextmanager
def running_python_client(resource: str, callback: Callback) -> Iterator[PythonClient]:
    """Run the client's event loop while the block lasts."""
    with start_blocking_portal() as portal:
        yield PythonClient(portal, resource, callback)
