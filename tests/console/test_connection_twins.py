"""The curl command of a test sends the same request, with credentials of its environment."""

import subprocess
from html import unescape
from urllib.parse import parse_qsl

import pytest

from tests.console.markup import texts
from tests.console.trying import QUOTED, SECRET, TOKEN
from tests.console.trying import endpoint as endpoint
from tests.console.trying import tried as tried
from tests.services.gate import said, token_answer


def curl_of(page):
    """Return the command that a page shows."""
    return unescape(page.partition('data-twin="curl">')[2].partition("</pre>")[0])


@pytest.mark.parametrize("auth_method", ["client_secret_basic", "client_secret_post"])
def test_the_curl_command_sends_the_same_request(endpoint, tried, auth_method):
    server = endpoint(token_answer(TOKEN))
    command = curl_of(tried(server.url, auth_method=auth_method, resource="https://a.example/'"))
    encoded = {"client_secret_basic": QUOTED[1], "client_secret_post": SECRET}[auth_method]

    ran = subprocess.run(
        ["sh", "-c", command], env={"CLIENT_SECRET": encoded, "PATH": "/usr/bin:/bin"}, check=True
    )

    first, second = server.heads
    assert ran.returncode == 0
    assert first.get("authorization") == second.get("authorization")
    assert first["content-type"] == second["content-type"]
    assert sorted(parts(server.bodies[0])) == sorted(parts(server.bodies[1]))


def parts(body):
    """Return the parameters of a form, however they are encoded."""
    return parse_qsl(body)


def test_the_key_of_this_server_signs_and_the_assertion_is_hidden(signing_key, endpoint, tried):
    server = endpoint(said(401, {"error": "invalid_client"}))

    page = tried(server.url, auth_method="private_key_jwt", client_secret="")

    assert "client_assertion=ey" in server.bodies[0]
    assert "client_assertion=***" in texts(page)
    assert "eyJ" not in page
    assert '--data-urlencode client_assertion="$CLIENT_ASSERTION"' in curl_of(page)
