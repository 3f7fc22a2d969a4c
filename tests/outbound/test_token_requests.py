"""Requests to others' token endpoints: how long what they answer is kept, and where they may be."""

import pytest

from app.outbound.client import Outbound
from app.outbound.logins import Login
from app.outbound.token_requests import LONGEST_EXPIRY, client_credentials, life_of
from tests.outbound.exchange import reason_of
from tests.outbound.token_endpoints import LOGIN
from tests.outbound.token_endpoints import endpoint as endpoint
from tests.services.gate import said, scripted, token_answer


@pytest.mark.parametrize(
    "expires_in, buffer, life",
    [
        (3600, 60, 3540),
        (3600, 0, 3600),
        (71, 60, 11),
        (70, 60, 10),
        (60, 60, 10),
        (1, 60, 10),
        (3600.0, 60, 3540),
        ("3600", 60, 3540),
        ("9" * 5000, 60, 10),
        ("\u0663", 60, 10),
        (LONGEST_EXPIRY, 60, 10),
        (0, 60, 10),
        (-3600, 60, 10),
        (3599.5, 60, 10),
        (True, 60, 10),
        (None, 60, 10),
        ("soon", 60, 10),
        ([3600], 60, 10),
        ({}, 60, 10),
    ],
)
def test_a_token_lives_until_it_expires_minus_the_buffer_and_ten_seconds_at_least(
    expires_in, buffer, life
):
    assert life_of(expires_in, buffer) == life


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b', "expires_in": null',
        b', "expires_in": 5',
        b', "expires_in": 0',
        b', "expires_in": -3600',
        b', "expires_in": true',
        b', "expires_in": 3599.5',
        b', "expires_in": 1e308',
        b', "expires_in": 99999999999999999999',
        b', "expires_in": "soon"',
        b', "expires_in": "-1"',
        b', "expires_in": [3600]',
    ],
)
def test_a_token_whose_end_is_near_or_nonsense_is_kept_for_ten_seconds(endpoint, clock, member):
    answer = said(200, b'{"access_token": "first"' + member + b"}")
    server, manager = endpoint(answer, token_answer("second"))

    assert manager.token() == "first"
    clock.advance(9)
    assert manager.token() == "first"
    assert len(server.requests) == 1
    clock.advance(1)
    assert manager.token() == "second"


def test_a_token_whose_end_is_not_said_lives_for_the_buffer_and_ten_seconds(endpoint, clock):
    _, manager = endpoint(token_answer("first", expires_in=None), token_answer("second"))

    manager.token()
    clock.advance(5)
    assert manager.token(life_seconds=65) == "first"
    assert manager.token(life_seconds=66) == "second"


def test_a_token_endpoint_that_was_entered_is_asked_as_a_stranger():
    with scripted() as serve:
        server = serve(token_answer(), said(302, extra="Location: https://a.example/\r\n"))
        login = Login(server.url, **LOGIN, strange=True)
        allowing = Outbound("Gatewright", allow=[f"127.0.0.1:{server.port}"])

        assert reason_of(client_credentials, Outbound("Gatewright"), login, 5) == "scheme"
        assert server.requests == []
        assert client_credentials(allowing, login, 5).value == "at-0123456789"
        assert reason_of(client_credentials, allowing, login, 5) == "redirect"
