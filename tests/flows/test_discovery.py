"""What this server finds of a real MCP server and of another instance of itself."""

from urllib.parse import urlsplit

import pytest

from app.domain.client_metadata import MetadataRules
from app.outbound.client import Outbound
from app.outbound.discovery import RESOURCE_FOUND, SERVER_FOUND, TELLS, discover, discover_issuer
from app.outbound.upstream_metadata import SLASH
from tests.flows.conftest import World
from tests.flows.world import SCOPE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is published does not depend on where rows are."""


@on_sqlite
def test_a_protected_mcp_server_leads_to_another_instance_of_this_server(world: World) -> None:
    names = [urlsplit(url).netloc for url in (world.resource, world.issuer)]
    outbound = Outbound("Gatewright", allow=names)

    found = discover(outbound, world.resource)

    assert [step.conclusion for step in found.steps] == [TELLS, RESOURCE_FOUND, SERVER_FOUND]
    assert found.resource is not None
    assert found.resource.resource == world.resource
    assert found.resource.authorization_servers == (world.issuer,)
    assert found.scopes == (SCOPE,)
    assert found.server is not None
    assert found.server.issuer == world.issuer
    assert found.server.authorization_endpoint == f"{world.issuer}/authorize"
    assert found.server.token_endpoint == f"{world.issuer}/token"
    assert found.server.registration_endpoint == f"{world.issuer}/register"
    assert found.server.authorization_response_iss_parameter_supported
    assert set(found.server.token_endpoint_auth_methods_supported) == set(
        MetadataRules.auth_methods
    )

    alone = discover_issuer(outbound, world.issuer)
    assert alone.server == found.server
    slashed = discover_issuer(outbound, f"{world.issuer}/")
    assert (slashed.server, slashed.steps[0].conclusion) == (None, SLASH)
