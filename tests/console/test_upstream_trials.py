"""Test now of what was authorized: the API is asked with the token, which no page shows."""

import pytest

from app.outbound.failures import BROKEN, ERRORS
from app.outbound.upstream_trials import ANEW, REFUSED, WANTS_MORE
from app.upstream_uses import UNDISCOVERED
from tests.console.markup import texts
from tests.console.upstreaming import ACCESS, REFRESH, SECRET
from tests.console.upstreaming import upstream as upstream
from tests.outbound.sites import PATH
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said, token_answer

INITIALIZE, READ = f"POST {PATH}", f"GET {PATH}"
RENEWED = "c4n4ry-renewed"


def hidden(page):
    """Tell whether a page shows no credential."""
    return not any(each in page for each in (ACCESS, REFRESH, SECRET, RENEWED))


def test_an_mcp_server_is_asked_as_its_clients_begin(upstream, happened):
    upstream.authorized()
    upstream.api.pages[INITIALIZE] = said(200, {"you": f"sent {ACCESS}"})

    page = upstream.do("try").text

    assert "It works The API takes the token." in texts(page)
    assert '"method":"initialize"' in texts(page).replace("&quot;", '"').replace("&#34;", '"')
    assert f"Authorization: Bearer {ACCESS}\r\n".encode() in upstream.api.requests[-1]
    assert happened("connection.tested")[0].detail["failure"] == ""
    assert hidden(page)


def test_an_api_that_does_not_speak_mcp_is_read(upstream):
    upstream.authorized()
    upstream.api.pages |= {INITIALIZE: said(405), READ: said(200, {"notes": []})}

    assert "It works" in texts(upstream.do("try").text)
    assert upstream.api.asked[-2:] == [INITIALIZE, READ]


@pytest.mark.parametrize(
    "answer, failure, code",
    [
        (said(401), REFUSED, "status 401"),
        (said(403), WANTS_MORE, "status 403"),
        (said(500), BROKEN, "status 500"),
    ],
)
def test_each_answer_that_is_none_is_explained(upstream, happened, answer, failure, code):
    upstream.authorized()
    upstream.api.pages[INITIALIZE] = answer

    page = upstream.do("try").text

    assert f"{failure.sentence} {failure.advice}" in texts(page)
    assert happened("connection.tested")[0].detail["failure"] == code
    assert hidden(page)


def test_a_refused_token_is_renewed_before_the_eyes_of_the_operator(upstream):
    upstream.authorized()
    upstream.api.pages[INITIALIZE] = said(401)
    upstream.login.pages["POST /token"] = token_answer(RENEWED, refresh_token="r-2")

    page = upstream.do("try").text

    asked = texts(page)
    assert "grant_type=refresh_token&refresh_token=***" in asked.replace("&amp;", "&")
    assert asked.count("Request as sent") == 3
    assert hidden(page)
    assert upstream.tokens().access_token == RENEWED


@pytest.mark.parametrize(
    "error, failure", [("invalid_grant", ANEW), ("invalid_client", ERRORS["invalid_client"])]
)
def test_tokens_that_cannot_be_renewed_are_explained(upstream, error, failure):
    upstream.authorized()
    upstream.api.pages[INITIALIZE] = said(401)
    upstream.login.pages["POST /token"] = said(400, {"error": error})

    assert f"{failure.sentence} {failure.advice}" in texts(upstream.do("try").text)
    assert (upstream.tokens() is None) == (error == "invalid_grant")


def test_without_a_server_it_is_said_to_look_for_it_first(upstream):
    refused = upstream.make().do("try")

    assert (refused.status_code, UNDISCOVERED in texts(refused.text)) == (409, True)


def test_without_an_authorization_nothing_is_asked(upstream):
    upstream.ready()
    before = len(upstream.api.requests)

    assert ANEW.sentence in texts(upstream.do("try").text)
    assert len(upstream.api.requests) == before
