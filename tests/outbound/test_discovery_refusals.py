"""Discovery of what is wrong or hostile: nothing is found, and the steps say why (N-218)."""

import pytest

from app.outbound import discovery, walks
from app.outbound.client import Outbound
from app.outbound.discovery import discover_issuer
from app.outbound.upstream_metadata import (
    MISSING,
    NO_S256,
    OTHER_ISSUER,
    OTHER_RESOURCE,
    SLASH,
    UNPROTECTED,
)
from app.outbound.walks import Step
from tests.outbound.sites import NOT_FOUND, OAUTH, PATH, RESOURCE, found_at, way_to
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import refused as refused
from tests.outbound.sites import site as site


def test_the_slash_that_two_servers_disagree_about_is_named(api, login, refused):
    api.describe_resource("/about", api.url, f"{login.origin}/")

    place, issuer = f"{login.origin}{OAUTH}", f"{login.origin}/"
    assert refused()[2] == Step("GET", place, 200, None, SLASH, issuer, login.origin)
    assert "slash" in SLASH


@pytest.mark.parametrize(
    "changes, conclusion",
    [
        ({"issuer": "https://other.example"}, OTHER_ISSUER),
        ({"code_challenge_methods_supported": ["plain"]}, NO_S256),
        ({"authorization_endpoint": None}, MISSING),
        ({"token_endpoint": "http://login.example/token"}, UNPROTECTED),
        ({"token_endpoint": "http://127.0.0.1:9/token"}, UNPROTECTED),
        ({"jwks_uri": "http://127.0.0.1/keys"}, UNPROTECTED),
    ],
)
def test_a_server_that_is_not_in_order_is_not_used(login, refused, changes, conclusion):
    login.describe_server(OAUTH, login.origin, **changes)

    assert [step.conclusion for step in refused()[2:]] == [conclusion, walks.ABSENT]


@pytest.mark.parametrize("place", ["/about", RESOURCE])
@pytest.mark.parametrize("path", ["/other", "/team/mcp/below", "/team/mc"])
def test_metadata_of_another_resource_is_not_believed(api, login, refused, path, place):
    """And its origin is not taken for the issuer instead."""
    if place == RESOURCE:
        api.challenge(PATH, "Bearer")
    other = f"{api.origin}{path}"
    api.describe_resource(place, other, login.origin)
    api.describe_server(OAUTH, api.origin)

    steps = refused()
    told = Step("GET", api.origin + place, 200, None, OTHER_RESOURCE, api.url, other)
    assert [step for step in steps if step.status == 200] == [told]
    assert (f"GET {OAUTH}" in api.asked, login.asked) == (False, [])


@pytest.mark.parametrize(
    "where",
    [
        "https://evil.example/about",
        "{login}/about",
        "https://127.0.0.1:{port}/about",
        "http://localhost:{port}/about",
        "http://ann@127.0.0.1:{port}/about",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "/about",
        "nonsense",
    ],
)
def test_a_challenge_that_leads_to_another_origin_is_shown_and_not_followed(
    api, login, refused, where
):
    """N-218: nor is anything else of it, though the well-known places hold metadata."""
    named = where.format(login=login.origin, port=api.port)
    api.challenge(PATH, f'Bearer resource_metadata="{named}"')
    login.describe_resource("/about", api.url, login.origin)
    api.describe_resource(RESOURCE, api.origin, login.origin)
    api.describe_server(OAUTH, api.origin)

    assert refused()[1:] == [Step("", "", None, None, discovery.FOREIGN, api.origin, named)]
    assert (api.asked, login.asked) == ([f"GET {PATH}"], [])


def test_metadata_that_is_promised_and_missing_is_not_replaced_by_the_origin(api, refused):
    api.pages["/about"] = NOT_FOUND
    api.describe_server(OAUTH, api.origin)

    assert [step.status for step in refused()] == [401, 404, 404, 404]


def test_a_registration_endpoint_at_another_origin_is_shown_and_not_used(api, login):
    """seed-systems 2.8."""
    foreign = f"{api.origin}/register"
    login.describe_server(OAUTH, login.origin, registration_endpoint=foreign)

    found = found_at(api, login)

    assert found.server.registration_endpoint == ""
    assert found.server.token_endpoint == f"{login.origin}/token"
    assert found.steps[-1] == Step(
        "", "", None, None, discovery.FOREIGN_REGISTRATION, login.origin, foreign
    )


@pytest.mark.parametrize(
    "issuer", ["http://login.example", "http://127.0.0.1:9", "login.example", "", "https://a#b"]
)
def test_an_issuer_that_is_no_protected_url_is_not_asked(issuer):
    found = discover_issuer(Outbound("Gatewright"), issuer)

    assert found.server is None
    assert found.steps == (Step("", "", None, None, discovery.NO_ISSUER, named=issuer),)


def test_an_issuer_alone_is_checked_byte_for_byte_too(login):
    found = discover_issuer(way_to(login), f"{login.origin}/")

    assert found.server is None
    assert [step.conclusion for step in found.steps] == [SLASH, walks.ABSENT]
