"""Calls of protected APIs: with a token that is replaced once, again when it may help, for whom."""

import socket
import struct
import time

import pytest

from app.outbound import limits
from app.outbound.calls import Access, Call, make
from app.outbound.client import Outbound
from app.outbound.logins import Login
from app.outbound.tokens import TokenManager
from tests.outbound.exchange import reason_of
from tests.outbound.gates import pauses as pauses
from tests.services.gate import said, scripted, silent, token_answer

SECRET = "c4n4ry-0123456789-secret"
USER = "0199c0de-0000-7000-8000-000000000001"
DONE = said(200, {"done": True})


def reset(connection: socket.socket) -> None:
    """End a connection so that the other side takes it for a failure of the network."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.fixture
def api(pauses):
    """Return a function that starts an API and a token endpoint; gives both and the access.

    Nobody really sleeps between attempts.
    """
    with scripted() as serve:

        def start(*answers, tokens=None, outbound=None, way="trusted", **patience):
            server = serve(*(answers or [DONE]))
            endpoint = serve(*(tokens or [token_answer(f"t-{number}") for number in range(1, 5)]))
            outbound = outbound or Outbound("Gatewright")
            manager = TokenManager(outbound, Login(endpoint.url, "us", SECRET))
            chosen = {"audit_header": "X-Gatewright-User"} | patience
            return server, endpoint, Access(getattr(outbound, way), manager, **chosen)

        yield start


def bearers(server):
    return [head["authorization"].removeprefix("Bearer ") for head in server.heads]


def test_a_call_carries_the_token_and_the_person(api):
    server, endpoint, access = api()
    call = Call(server.url, "POST", {"Content-Type": "text/plain"}, b"hello", USER)

    assert [make(access, call).status, make(access, call).status] == [200, 200]

    head = server.heads[0]
    assert bearers(server) == ["t-1", "t-1"]
    assert (head["x-gatewright-user"], head["content-type"]) == (USER, "text/plain")
    assert server.requests[0].startswith(b"POST /gate ")
    assert server.bodies == ["hello", "hello"]
    assert len(endpoint.requests) == 1


def test_the_header_of_the_person_has_the_name_that_was_chosen(api):
    server, _, access = api(audit_header="X-On-Behalf-Of")

    make(access, Call(server.url, user_id=USER))

    assert server.heads[0]["x-on-behalf-of"] == USER
    assert "x-gatewright-user" not in server.heads[0]


@pytest.mark.parametrize("user_id", ["", USER])
def test_nobody_else_says_who_we_are_and_for_whom(api, user_id):
    server, _, access = api()
    headers = {"authorization": "Bearer forged", "x-GATEWRIGHT-user": "root", "X-Other": "kept"}

    make(access, Call(server.url, headers=headers, user_id=user_id))

    assert (bearers(server), server.heads[0]["x-other"]) == (["t-1"], "kept")
    assert server.heads[0].get("x-gatewright-user", "") == user_id
    assert b"root" not in server.requests[0]
    assert b"forged" not in server.requests[0]


@pytest.mark.parametrize("user_id", ["a\r\nX-Admin: 1", "a\n", "a\0", "\u00e9", "a b", "x" * 201])
def test_a_person_who_fits_into_no_header_is_not_told(user_id):
    with pytest.raises(ValueError, match="printable ASCII") as raised:
        Call("https://api.example", user_id=user_id)
    assert user_id not in str(raised.value)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_token_is_replaced_and_the_call_sent_once_more(api, pauses, method):
    server, endpoint, access = api(said(401), DONE)

    assert make(access, Call(server.url, method)).status == 200
    assert make(access, Call(server.url, method)).status == 200

    assert bearers(server) == ["t-1", "t-2", "t-2"]
    assert (len(endpoint.requests), pauses) == (2, [])


def test_a_second_refusal_is_the_answer(api, pauses):
    server, _, access = api(said(401, {"error": "invalid_token"}))

    answer = make(access, Call(server.url))

    assert (answer.status, answer.content) == (401, b'{"error": "invalid_token"}')
    assert (bearers(server), pauses) == (["t-1", "t-2"], [])
    make(access, Call(server.url))
    assert bearers(server)[2:] == ["t-2", "t-3"]


def test_one_call_takes_one_new_token_however_often_it_is_repeated(api, pauses):
    server, endpoint, access = api(said(401), said(503), said(401), DONE)

    assert make(access, Call(server.url)).status == 401

    assert bearers(server) == ["t-1", "t-2", "t-2"]
    assert (len(endpoint.requests), pauses) == (2, [1])


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_api_that_is_busy_is_asked_three_more_times_and_ever_more_rarely(api, pauses, status):
    server, endpoint, access = api(said(status, {"error": "busy"}))

    assert make(access, Call(server.url)).status == status

    assert (len(server.requests), pauses) == (4, [1, 2, 4])
    assert len(endpoint.requests) == 1


def test_the_first_pause_can_be_chosen(api, pauses):
    server, _, access = api(said(503), first_pause_seconds=0.5)

    make(access, Call(server.url))

    assert pauses == [0.5, 1, 2]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 501])
def test_an_answer_that_stays_the_same_is_given_at_once(api, pauses, status):
    server, _, access = api(said(status))

    assert make(access, Call(server.url)).status == status
    assert (len(server.requests), pauses) == (1, [])


@pytest.mark.parametrize(
    "said_when, made",
    [
        ("7", [7]),
        ("0", [1]),
        ("1", [1]),
        ("29", [29]),
        ("-5", [1]),
        ("1.5", [1]),
        ("\u0663", [1]),
        ("7, 7", [1]),
        ("Wed, 21 Oct 2026 07:28:00 GMT", [1]),
        ("9" * 4000, [1]),
    ],
)
def test_an_api_is_left_alone_for_as_long_as_it_wants(api, pauses, said_when, made):
    server, _, access = api(said(429, extra=f"Retry-After: {said_when}\r\n"), DONE)

    assert make(access, Call(server.url)).status == 200
    assert pauses == made


@pytest.mark.parametrize("said_when", ["31", "3600", "999999999"])
def test_who_is_told_to_come_back_too_late_does_not_wait(api, pauses, said_when):
    server, _, access = api(said(429, extra=f"Retry-After: {said_when}\r\n"), DONE)

    assert make(access, Call(server.url)).status == 429
    assert (len(server.requests), pauses) == (1, [])


def test_after_a_failure_of_the_network_the_api_is_asked_again(api, pauses):
    server, _, access = api(reset, silent, DONE, timeout_seconds=0.2)

    assert make(access, Call(server.url)).status == 200
    assert (len(server.requests), pauses) == (3, [1, 2])


def test_a_name_that_is_not_found_at_first_is_looked_up_again(api, pauses, resolver):
    names = resolver(OSError(), ["127.0.0.1"])
    server, _, access = api(outbound=Outbound("Gatewright", resolve=names))

    answer = make(access, Call(f"http://api.example:{server.port}/"))

    assert (answer.status, len(names.asked), pauses) == (200, 2, [1])


def test_a_network_that_stays_down_is_given_up_after_the_third_repetition(api, pauses):
    server, _, access = api(reset)

    assert reason_of(make, access, Call(server.url)) == "network"
    assert (len(server.requests), pauses) == (4, [1, 2, 4])


@pytest.mark.parametrize(
    "answer, reason",
    [
        (said(302, extra="Location: http://127.0.0.1/\r\n"), "redirect"),
        (said(304), "redirect"),
        (said(200, b" " * 70000), "size"),
        (b"nonsense\r\n\r\n", "protocol"),
        (said(200, extra="Content-Encoding: gzip\r\n"), "encoding"),
    ],
)
def test_a_failure_that_stays_the_same_is_not_repeated(api, pauses, answer, reason):
    server, _, access = api(answer)

    assert reason_of(make, access, Call(server.url)) == reason
    assert (len(server.requests), pauses) == (1, [])


@pytest.mark.parametrize("method", ["POST", "PATCH", "post"])
def test_what_may_have_been_done_is_not_done_twice(api, pauses, method):
    server, _, access = api(said(503), reset, DONE)

    assert make(access, Call(server.url, method)).status == 503
    assert reason_of(make, access, Call(server.url, method)) == "network"
    assert (len(server.requests), pauses) == (2, [])


@pytest.mark.parametrize(
    "method, may_repeat", [("PUT", False), ("DELETE", False), ("HEAD", False), ("POST", True)]
)
def test_what_does_no_harm_twice_is_repeated(api, pauses, method, may_repeat):
    server, _, access = api(said(503), reset, said(204))

    assert make(access, Call(server.url, method, may_repeat=may_repeat)).status == 204
    assert (len(server.requests), pauses) == (3, [1, 2])


@pytest.mark.parametrize("answer", [said(400, {"error": "invalid_client"}), said(503), reset])
def test_without_a_token_the_api_is_not_asked(api, pauses, answer):
    server, endpoint, access = api(tokens=[answer])

    assert reason_of(make, access, Call(server.url)) == "token"
    assert (server.requests, len(endpoint.requests), pauses) == ([], 1, [])


def test_one_deadline_is_over_all_attempts(api, monkeypatch):
    patience = {"timeout_seconds": 0.2, "deadline_seconds": 0.5, "first_pause_seconds": 0.01}
    server, _, access = api(silent, **patience)
    monkeypatch.setattr(limits, "pause", time.sleep)
    began = time.monotonic()

    assert reason_of(make, access, Call(server.url)) == "timeout"
    assert time.monotonic() - began < 3
    assert 2 <= len(server.requests) <= 3


def test_a_pause_that_would_end_after_the_deadline_is_not_made(api, pauses):
    server, _, access = api(said(503), deadline_seconds=1.5)

    assert make(access, Call(server.url)).status == 503
    assert (len(server.requests), pauses) == (2, [1])


def test_an_api_that_was_entered_is_called_as_a_stranger(api):
    server, endpoint, access = api(way="stranger")

    assert reason_of(make, access, Call(server.url)) == "scheme"
    assert (server.requests, len(endpoint.requests)) == ([], 1)


def test_a_failed_call_shows_no_credential(api, capsys):
    server, _, access = api(said(200, b" " * 70000), tokens=[token_answer("c4n4ry-token")])
    call = Call(server.url, "POST", {"X-Key": "c4n4ry-key"}, b"c4n4ry-body")

    assert reason_of(make, access, call) == "size"

    assert "c4n4ry" not in f"{call!r} {access!r} {capsys.readouterr()}"
