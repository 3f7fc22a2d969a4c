"""Tokens this server gets for itself: kept in time, asked for once, never shown."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.outbound.errors import OutboundError
from app.outbound.tokens import LONGEST_EXPIRY, life_of
from tests.outbound.token_endpoints import SECRET, Held
from tests.outbound.token_endpoints import endpoint as endpoint
from tests.services.gate import said, silent, token_answer


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


def test_a_token_is_kept_until_its_life_ends_and_asked_for_again_then(endpoint, clock):
    server, manager = endpoint(token_answer("first", expires_in=100), token_answer("second"))

    assert manager.token() == "first"
    clock.advance(39)
    assert manager.token() == "first"
    clock.advance(1)
    assert manager.token() == "second"
    assert len(server.requests) == 2


def test_an_answer_without_expires_in_is_kept_for_ten_seconds(endpoint, clock):
    server, manager = endpoint(token_answer(expires_in=None, token_type=None))

    manager.token()
    clock.advance(9)
    manager.token()
    assert len(server.requests) == 1
    clock.advance(1)
    manager.token()
    assert len(server.requests) == 2


def test_many_threads_ask_once_and_all_get_the_answer(endpoint):
    held = Held(token_answer())
    server, manager = endpoint(held)

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(manager.token) for _ in range(8)]
        assert held.asked.wait(5)
        held.free.set()
        found = {each.result() for each in asked}

    assert found == {"at-0123456789"}
    assert len(server.requests) == 1


def test_who_waits_for_a_failure_fails_too_and_the_next_one_asks_again(endpoint):
    held = Held(said(500))
    server, manager = endpoint(held, token_answer())

    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(manager.token)]
        assert held.asked.wait(5)
        asked.append(threads.submit(manager.token))
        held.free.set()
        for each in asked:
            with pytest.raises(OutboundError):
                each.result()

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
