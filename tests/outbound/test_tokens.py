"""Tokens this server gets for itself: kept in time, asked for once, never shown."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest

from app import clock
from app.outbound import token_requests
from app.outbound.errors import OutboundError
from tests.outbound.token_endpoints import SECRET, Held
from tests.outbound.token_endpoints import endpoint as endpoint
from tests.services.gate import said, silent, token_answer


def test_a_token_is_kept_until_its_life_ends_and_asked_for_again_then(endpoint, clock):
    server, manager = endpoint(token_answer("first", expires_in=100), token_answer("second"))

    assert manager.token() == "first"
    clock.advance(39)
    assert manager.token() == "first"
    clock.advance(1)
    assert manager.token() == "second"
    assert len(server.requests) == 2


def test_many_threads_ask_once_and_all_get_the_answer(endpoint):
    held = Held(token_answer())
    server, manager = endpoint(held)

    with ThreadPoolExecutor(100) as threads:
        asked = [threads.submit(manager.token) for _ in range(100)]
        assert held.asked.wait(5)
        held.free.set()
        found = {each.result() for each in asked}

    assert found == {"at-0123456789"}
    assert len(server.requests) == 1


def test_a_token_that_lives_too_short_for_a_caller_is_renewed(endpoint, clock):
    server, manager = endpoint(token_answer("first", expires_in=1000), token_answer("second"))

    manager.token()
    clock.advance(700)
    assert manager.token(life_seconds=300) == "first"
    clock.advance(1)
    assert manager.token() == "first"
    assert manager.token(life_seconds=300) == "second"
    assert manager.token() == "second"
    assert len(server.requests) == 2


def test_a_new_token_is_given_however_short_it_lives(endpoint, clock):
    answers = [token_answer(name, expires_in=100) for name in ("first", "second", "third")]
    server, manager = endpoint(*answers)

    assert [manager.token(life_seconds=300) for _ in range(3)] == ["first"] * 3
    clock.advance(1)
    assert manager.token(life_seconds=300) == "second"
    assert manager.token() == "second"
    assert len(server.requests) == 2


def test_who_needs_a_longer_life_and_waits_asks_no_second_time(endpoint, clock):
    held = Held(token_answer("short", expires_in=100))
    server, manager = endpoint(held, token_answer("never"))

    with ThreadPoolExecutor(20) as threads:
        asked = [threads.submit(manager.token)]
        assert held.asked.wait(5)
        asked += [threads.submit(manager.token, life_seconds=300) for _ in range(19)]
        held.free.set()
        found = {each.result() for each in asked}

    assert (found, len(server.requests)) == ({"short"}, 1)


class Refreshing:
    """Gets tokens with a refresh token that works once, and stores its successor."""

    def __init__(self) -> None:
        self.stored = ["rt-1"]

    def __call__(self, outbound, login, seconds):
        grant = {"grant_type": "refresh_token", "refresh_token": self.stored[-1]}
        found = token_requests.ask(outbound, login, grant, seconds)
        self.store(found["refresh_token"])
        return token_requests.kept(found, login.buffer_seconds, clock.epoch())

    def store(self, refresh_token):
        self.stored.append(refresh_token)


def test_a_refresh_token_is_stored_before_anybody_has_the_access_token(endpoint):
    held = Held(token_answer("at-1", refresh_token="rt-2"))
    server, manager = endpoint(held, token_answer("at-2", refresh_token="rt-3"))
    manager.acquire = refreshing = Refreshing()

    def asked(_):
        return manager.token(), refreshing.stored[-1]

    with ThreadPoolExecutor(8) as threads:
        found = [threads.submit(asked, number) for number in range(8)]
        assert held.asked.wait(5)
        assert refreshing.stored == ["rt-1"]
        held.free.set()
        assert {each.result() for each in found} == {("at-1", "rt-2")}
    manager.clear()

    assert asked(0) == ("at-2", "rt-3")
    assert [parse_qs(body) for body in server.bodies] == [
        {"grant_type": ["refresh_token"], "refresh_token": ["rt-1"]},
        {"grant_type": ["refresh_token"], "refresh_token": ["rt-2"]},
    ]


def test_a_token_whose_refresh_token_was_lost_is_given_to_nobody(endpoint):
    _, manager = endpoint(token_answer("at-1", refresh_token="rt-2"))
    manager.acquire = refreshing = Refreshing()

    def fail(_):
        raise RuntimeError("the database has gone")

    refreshing.store = fail

    with pytest.raises(RuntimeError, match="gone"):
        manager.token()
    assert (manager.kept, manager.flight) == (None, None)


def test_who_waits_for_a_failure_fails_too_and_the_next_one_asks_again(endpoint):
    held = Held(said(400, {"error": "invalid_grant"}))
    server, manager = endpoint(held, token_answer())

    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(manager.token)]
        assert held.asked.wait(5)
        asked.append(threads.submit(manager.token))
        held.free.set()
        failures = [each.exception(5) for each in asked]
        assert [(each.reason, each.error) for each in failures] == [("token", "invalid_grant")] * 2

    assert manager.token() == "at-0123456789"
    assert len(server.requests) <= 3


def test_who_waits_gives_up_in_time(endpoint):
    held = Held(token_answer())
    _, manager = endpoint(held)

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(manager.token)
        assert held.asked.wait(5)
        with pytest.raises(OutboundError) as raised:
            manager.token(0.05)
        held.free.set()
        assert first.result() == "at-0123456789"

    assert raised.value.reason == "timeout"


def test_what_arrives_after_a_clear_is_not_kept(endpoint):
    held = Held(token_answer("old"))
    server, manager = endpoint(held, token_answer("new"))

    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(manager.token)
        assert held.asked.wait(5)
        manager.clear()
        assert manager.token() == "new"
        held.free.set()
        assert early.result() == "old"

    assert manager.token() == "new"
    assert len(server.requests) == 2


def test_a_dropped_token_is_replaced_and_its_successor_stays(endpoint):
    server, manager = endpoint(token_answer("first"), token_answer("second"))

    first = manager.token()
    manager.drop(first)
    assert manager.token() == "second"
    manager.drop(first)

    assert manager.token() == "second"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        said(400, {"error": "invalid_client", "error_description": SECRET}),
        said(401, {"error": SECRET}),
        said(500, b"<html>", "text/html"),
        said(201, {"access_token": "a-token", "token_type": "Bearer"}),
        said(302, extra="Location: http://127.0.0.1/\r\n"),
        said(200, b""),
        said(200, b'{"access_token":'),
        said(200, b'{"access_token": "a", "access_token": "b"}'),
        said(200, b"[" * 60000),
        said(200, ["a-token"]),
        said(200, {"token_type": "Bearer"}),
        said(200, {"access_token": ""}),
        said(200, {"access_token": 7}),
        said(200, {"access_token": "a\r\nX-Injected: 1"}),
        said(200, {"access_token": "a" * 20000}),
        said(200, {"access_token": "a-token", "token_type": "DPoP"}),
        said(200, {"access_token": "a-token", "token_type": None}),
        said(200, b" " * 70000),
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{}",
        b"",
    ],
)
def test_what_is_no_token_answer_gives_no_token_and_quotes_nothing(endpoint, answer, capsys):
    _, manager = endpoint(answer)

    with pytest.raises(OutboundError) as raised:
        manager.token()

    shown = capsys.readouterr()
    assert SECRET not in f"{raised.value!r} {raised.value} {manager.login!r} {shown}"
    assert manager.kept is None
    assert manager.flight is None


def test_a_token_endpoint_that_hangs_is_given_up(endpoint):
    _, manager = endpoint(silent)

    with pytest.raises(OutboundError) as raised:
        manager.token(0.1)

    assert raised.value.reason == "timeout"
