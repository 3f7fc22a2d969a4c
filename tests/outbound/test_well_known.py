"""Where others publish their metadata, in the order in which it is looked for."""

import pytest

from app.outbound.errors import OutboundError
from app.outbound.well_known import origin, resource_places, same_origin, server_places


@pytest.mark.parametrize(
    "url, places",
    [
        ("https://api.example", ["/.well-known/oauth-protected-resource"]),
        ("https://api.example/", ["/.well-known/oauth-protected-resource"]),
        (
            "https://API.example:443/a/mcp",
            [
                "/.well-known/oauth-protected-resource/a/mcp",
                "/.well-known/oauth-protected-resource",
            ],
        ),
        (
            "https://api.example/mcp/?a=b",
            [
                "/.well-known/oauth-protected-resource/mcp/?a=b",
                "/.well-known/oauth-protected-resource",
            ],
        ),
    ],
)
def test_a_resource_is_looked_for_under_its_path_and_then_at_the_root(url, places):
    assert resource_places(url) == tuple(f"https://api.example{place}" for place in places)


ROOT_FORMS = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
PATH_FORMS = [
    "/.well-known/oauth-authorization-server/a/b",
    "/.well-known/openid-configuration/a/b",
    "/a/b/.well-known/openid-configuration",
]


@pytest.mark.parametrize(
    "issuer, places",
    [
        ("https://as.example:8443", ROOT_FORMS),
        ("https://as.example:8443/", ROOT_FORMS),
        ("https://as.example:8443/a/b", PATH_FORMS),
        ("https://as.example:8443/a/b/", PATH_FORMS),
    ],
)
def test_an_issuer_is_looked_for_in_the_order_of_mcp(issuer, places):
    assert server_places(issuer) == tuple(f"https://as.example:8443{place}" for place in places)


@pytest.mark.parametrize(
    "one, other, expected",
    [
        ("https://API.example/a", "https://api.example:443?b", True),
        ("http://127.0.0.1:80", "http://127.0.0.1/", True),
        ("https://api.example", "http://api.example", False),
        ("https://api.example", "https://api.example:8443", False),
        ("https://api.example", "https://a@api.example", False),
        ("https://api.example", "https://api.example.", False),
        ("nonsense", "nonsense", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one, other, expected):
    assert same_origin(one, other) is expected


def test_what_cannot_be_asked_has_no_origin():
    with pytest.raises(OutboundError) as raised:
        origin("/.well-known/oauth-protected-resource")

    assert raised.value.reason == "url"
