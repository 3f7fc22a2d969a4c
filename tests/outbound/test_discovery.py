"""Discovery from a URL: what is found, in which order it is looked for, and what it is not."""

import json

import pytest

from app.outbound import discovery, upstream_metadata
from app.outbound.discovery import discover_issuer
from app.outbound.walks import ABSENT, NO_DOCUMENT
from tests.outbound.sites import OAUTH, OPENID, PATH, RESOURCE, found_at, way_to
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said

PLACES = (RESOURCE + PATH, RESOURCE)
FORMS = {
    "": (OAUTH, OPENID),
    "/": (OAUTH, OPENID),
    "/tenant/a": (f"{OAUTH}/tenant/a", f"{OPENID}/tenant/a", f"/tenant/a{OPENID}"),
}


def told(found):
    """Return what each step concluded."""
    return [step.conclusion for step in found.steps]


def test_a_challenge_leads_to_the_resource_and_that_to_its_server(api, login):
    found = found_at(api, login)

    assert found.server.issuer == login.origin
    assert found.server.registration_endpoint == f"{login.origin}/register"
    assert found.server.token_endpoint_auth_methods_supported == ("none", "client_secret_basic")
    assert found.server.authorization_response_iss_parameter_supported
    assert found.resource.resource == api.url
    assert found.resource.authorization_servers == (login.origin,)
    assert found.scopes == ("read", "write")
    assert (api.asked, login.asked) == ([f"GET {PATH}", "GET /about"], [f"GET {OAUTH}"])
    assert [(step.method, step.url, step.status, step.conclusion) for step in found.steps] == [
        ("GET", api.url, 401, discovery.TELLS),
        ("GET", f"{api.origin}/about", 200, discovery.RESOURCE_FOUND),
        ("GET", f"{login.origin}{OAUTH}", 200, discovery.SERVER_FOUND),
    ]


def test_nothing_is_sent_along(api, login):
    """N-218, S-11: no credentials, no cookies, whatever was set before."""
    api.challenge(PATH, "Bearer\r\nSet-Cookie: a=b")
    api.describe_resource(PLACES[0], api.url, login.origin)
    found_at(api, login)

    sent = b"".join(api.requests + login.requests).lower()
    assert b"cookie" not in sent
    assert b"authorization:" not in sent


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("header", ["Bearer", "Basic realm=x", "", "Bearer resource_metadata"])
def test_without_a_hint_the_well_known_places_are_tried(api, login, header, place):
    api.challenge(PATH, header)
    api.describe_resource(place, api.url, login.origin, scopes_supported=["all"])

    found = found_at(api, login)

    assert found.server.issuer == login.origin
    assert found.scopes == ("all",)
    looked_at = PLACES[: PLACES.index(place) + 1]
    assert api.asked == [f"GET {PATH}", *(f"GET {each}" for each in looked_at)]
    assert told(found)[0] == discovery.ASKS


@pytest.mark.parametrize(
    "status, sentence",
    [
        (200, discovery.OPEN),
        (204, discovery.OPEN),
        (400, discovery.REFUSED),
        (403, discovery.REFUSED),
        (404, discovery.NOTHING),
        (405, discovery.REFUSED),
        (406, discovery.REFUSED),
        (410, discovery.NOTHING),
        (500, discovery.BROKEN),
    ],
)
def test_a_server_that_minds_only_posts_is_asked_as_mcp_clients_do(api, login, status, sentence):
    api.pages[f"POST {PATH}"] = api.pages.pop(f"GET {PATH}")
    api.pages[PATH] = said(status, b"")

    found = found_at(api, login)

    assert found.scopes == ("read", "write")
    assert api.asked[:2] == [f"GET {PATH}", f"POST {PATH}"]
    assert told(found)[:2] == [sentence, discovery.TELLS]
    head, _, body = api.requests[1].partition(b"\r\n\r\n")
    assert json.loads(body)["method"] == "initialize"
    assert b"Accept: application/json, text/event-stream\r\n" in head
    assert b"Content-Type: application/json\r\n" in head


def test_an_api_that_asks_for_nothing_is_looked_up_all_the_same(api, login):
    del api.pages[f"GET {PATH}"]
    api.describe_resource(PLACES[1], api.origin, login.origin)

    found = found_at(api, login)

    assert (found.challenge, found.server.issuer) == (None, login.origin)
    assert told(found)[:3] == [discovery.NOTHING, discovery.NOTHING, ABSENT]


@pytest.mark.parametrize("path, forms", FORMS.items())
@pytest.mark.parametrize("last", [False, True])
def test_an_issuer_is_looked_for_in_every_form(api, login, path, forms, last):
    issuer, place = login.origin + path, forms[-1 if last else 0]
    login.pages.clear()
    login.describe_server(place, issuer)
    api.describe_resource("/about", api.url, issuer)

    assert found_at(api, login).server.issuer == issuer
    looked_at = forms[: forms.index(place) + 1]
    assert login.asked == [f"GET {each}" for each in looked_at]


@pytest.mark.parametrize(
    "page, conclusion",
    [
        (said(200, b"<!doctype html><title>App</title>", "text/html"), NO_DOCUMENT),
        (said(200, b"{}", "text/plain"), NO_DOCUMENT),
        (said(200, b"[]"), NO_DOCUMENT),
        (said(200, b'{"issuer": "a", "issuer": "b"}'), NO_DOCUMENT),
        (said(200, b""), NO_DOCUMENT),
        (said(404, b"{}"), ABSENT),
        (said(401, b"{}"), ABSENT),
        (said(502, b"<h1>Bad gateway</h1>", "text/html"), ABSENT),
        (said(200, {}), upstream_metadata.NO_ISSUER),
    ],
)
def test_what_is_no_document_at_one_place_sends_to_the_next(api, login, page, conclusion):
    login.pages[OPENID], login.pages[OAUTH] = login.pages[OAUTH], page

    found = found_at(api, login)

    assert found.server.issuer == login.origin
    assert told(found)[2:] == [conclusion, discovery.SERVER_FOUND]


def test_the_first_server_that_works_is_taken_and_all_are_listed(api, login, site):
    broken, other = site(), site()
    other.describe_server(OAUTH, other.origin)
    servers = (broken.origin, login.origin, other.origin)
    api.describe_resource("/about", api.url, *servers)

    found = found_at(api, broken, login, other)

    assert found.resource.authorization_servers == servers
    assert found.server.issuer == login.origin
    assert other.asked == []


def test_without_metadata_the_origin_is_the_issuer_as_it_once_was(api):
    """MCP of 2025-03-26."""
    api.challenge(PATH, "Bearer")
    api.describe_server(OAUTH, api.origin)

    found = found_at(api)

    assert (found.resource, found.server.issuer) == (None, api.origin)
    assert told(found)[1:] == [ABSENT, ABSENT, discovery.OWN_ISSUER, discovery.SERVER_FOUND]
    assert (found.steps[3].method, found.steps[3].named) == ("", api.origin)


def test_an_issuer_alone_needs_no_codes(login):
    without = {"authorization_endpoint": None, "code_challenge_methods_supported": None}
    login.describe_server(OAUTH, login.origin, **without)
    login.describe_server(OPENID, login.origin)

    found = discover_issuer(way_to(login), login.origin)

    assert found.server.token_endpoint == f"{login.origin}/token"
    assert (found.resource, found.scopes, login.asked) == (None, (), [f"GET {OAUTH}"])
