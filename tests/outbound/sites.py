"""Sites on loopback with a page for each path: a protected API and its authorization server.

Test files import the fixtures ``site``, ``api``, ``login`` and ``refused``.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from app.outbound.client import Outbound
from app.outbound.discovery import Discovery, discover
from app.outbound.walks import Step
from tests.outbound.conftest import Script, Server
from tests.services.gate import said

PATH = "/team/mcp"
"""Where the API is."""
OAUTH, OPENID = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
RESOURCE = "/.well-known/oauth-protected-resource"
NOT_FOUND = said(404, b"<h1>Nothing here</h1>", "text/html")


class Site(Server):
    """Answers each path with its page; ``"POST /path"`` has a page of its own."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Script] = {}
        self.host = "client.example" if tls else "127.0.0.1"
        super().__init__(self.answer, tls, "127.0.0.1", greets=False)

    def answer(self, connection: socket.socket) -> None:
        method, path = self.asked[-1].split(" ")
        page = self.pages.get(f"{method} {path}", self.pages.get(path, NOT_FOUND))
        if callable(page):
            page(connection)
        else:
            connection.sendall(page)

    @property
    def name(self) -> str:
        """Return what an operator writes into the list of exceptions."""
        return f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.name}"

    @property
    def url(self) -> str:
        """Return where the API is, if this is its site."""
        return f"{self.origin}{PATH}"

    @property
    def asked(self) -> list[str]:
        """Return method and path of each request."""
        return [" ".join(request.decode().split(" ")[:2]) for request in self.requests]

    def challenge(self, path: str, header: str) -> None:
        """Ask whoever gets a path for authorization."""
        self.pages[f"GET {path}"] = said(401, b"", "", f"WWW-Authenticate: {header}\r\n")

    def describe_resource(self, place: str, resource: str, *servers: str, **more: Any) -> None:
        """Publish metadata of a resource at a path."""
        document = {"resource": resource, "authorization_servers": servers} | more
        self.pages[place] = said(200, document)

    def describe_server(self, place: str, issuer: str, /, **changes: Any) -> None:
        """Publish metadata of an authorization server at a path."""
        self.pages[place] = said(200, server_document(issuer) | changes)


def server_document(issuer: str) -> dict[str, Any]:
    """Return metadata that is in order; its endpoints are at the origin of the issuer."""
    scheme, _, host = issuer.split("/")[:3]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{scheme}//{host}/authorize",
        "token_endpoint": f"{scheme}//{host}/token",
        "registration_endpoint": f"{scheme}//{host}/register",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": {"unknown": None},
    }


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    """Return a function that starts a site."""
    with ExitStack() as sites:
        yield lambda tls=None: sites.enter_context(closing(Site(tls=tls)))


@pytest.fixture
def api(site: Callable[..., Site]) -> Site:
    """Return the site of an API that is protected and says where its metadata is."""
    api = site()
    api.challenge(PATH, f'Bearer resource_metadata="{api.origin}/about", scope="read write"')
    return api


@pytest.fixture
def login(site: Callable[..., Site], api: Site) -> Site:
    """Return the site of its authorization server; everything is in order."""
    login = site()
    api.describe_resource("/about", api.url, login.origin, scopes_supported=["all"])
    login.describe_server(OAUTH, login.origin)
    return login


def way_to(*sites: Site) -> Outbound:
    """Return a way out on which these sites are allowed."""
    return Outbound("Gatewright", allow=[each.name for each in sites])


def found_at(api: Site, *others: Site, **options: Any) -> Discovery:
    """Discover an API."""
    return discover(way_to(api, *others), api.url, **options)


@pytest.fixture
def refused(api: Site, login: Site) -> Callable[..., list[Step]]:
    """Return a function that discovers the API, finds nothing and gives the steps."""

    def find(*others: Site, **options: Any) -> list[Step]:
        found = found_at(api, login, *others, **options)
        assert found.server is None
        return list(found.steps)

    return find
