"""Tokens shared by processes through Redis: asked for once, sealed, and never missed for long."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import orjson
import pytest
import redis

from app.domain import credentials
from app.outbound import shared_tokens
from app.outbound.client import Outbound
from app.outbound.logins import Login
from app.outbound.shared_tokens import PREFIX, SharedTokens
from app.outbound.tokens import TokenManager
from tests.outbound.token_endpoints import Held
from tests.services.gate import scripted, token_answer
from tests.services.process import free_port

KEY = b"k" * 32


@pytest.fixture
def processes(redis_url):
    """Return a function that gives a token endpoint and the managers of several processes."""
    with scripted() as serve:

        def start(*answers, url=redis_url, number=2, **changes):
            server = serve(*answers)
            login = Login(server.url, **{"client_id": "us", "client_secret": "s"} | changes)
            managers = [
                TokenManager(Outbound("Gatewright"), login, SharedTokens(url, KEY))
                for _ in range(number)
            ]
            return server, managers

        yield start


def test_many_processes_ask_once(processes):
    held = Held(token_answer())
    server, managers = processes(held, number=6)

    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(each.token) for each in managers]
        assert held.asked.wait(5)
        held.free.set()
        found = {each.result() for each in asked}

    assert (found, len(server.requests)) == ({"at-0123456789"}, 1)


def test_what_is_shared_is_sealed_and_ends_with_the_token(processes, redis_url, clock):
    server, (one, other) = processes(token_answer("canary-token", expires_in=100), token_answer())
    one.token()

    with redis.Redis.from_url(redis_url) as connection:
        (name,) = connection.keys("gatewright:token:*")
        assert b"canary" not in connection.get(name)
        assert 0 < connection.ttl(name) <= 40
    clock.advance(40)
    assert other.token() == "at-0123456789"
    assert len(server.requests) == 2


def test_a_token_that_lives_too_short_is_renewed_for_all_and_once(processes, clock):
    answers = [token_answer("old", expires_in=1000), token_answer("new"), token_answer("never")]
    server, managers = processes(*answers, number=4)
    one, other, third, fourth = managers

    one.token()
    clock.advance(701)
    assert [other.token(), other.token(life_seconds=300)] == ["old", "new"]
    assert [third.token(), one.token(life_seconds=300)] == ["new", "new"]
    assert [fourth.token(life_seconds=300), len(server.requests)] == ["new", 2]


def test_who_waits_is_not_content_with_what_is_enough_for_the_first(processes, clock, monkeypatch):
    server, (one, other) = processes(token_answer("old", expires_in=1000), token_answer("new"))
    looking, joined, find, wait = Event(), Event(), other.shared.find, other._await
    one.token()
    clock.advance(701)

    def find_when_joined(name, need):
        looking.set()
        assert joined.wait(5)
        return find(name, need)

    def join(flight, deadline):
        joined.set()
        return wait(flight, deadline)

    monkeypatch.setattr(other.shared, "find", find_when_joined)
    monkeypatch.setattr(other, "_await", join)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(other.token)
        assert looking.wait(5)
        assert other.token(life_seconds=300) == "new"

    assert (first.result(), len(server.requests)) == ("old", 2)


@pytest.mark.parametrize("entry", [["old", 2**40], ["old", 2**40, 2**40, 2**40, 2**40], []])
def test_what_another_version_has_kept_is_not_found(processes, redis_url, entry):
    server, (one, other) = processes(token_answer("new"))
    name = one.login.name
    sealed = credentials.seal(KEY, orjson.dumps(entry), name)

    with redis.Redis.from_url(redis_url) as connection:
        connection.set(PREFIX + name, sealed)
        one.drop("old")
        assert connection.get(PREFIX + name) == sealed

    assert [one.token(), other.token(), len(server.requests)] == ["new", "new", 1]


def test_a_refused_token_is_dropped_for_all_and_its_successor_stays(processes):
    server, (one, other) = processes(token_answer("old"), token_answer("new"))
    assert one.token() == other.token() == "old"

    one.drop("old")
    assert one.token() == "new"
    other.drop("old")

    assert other.token() == "new"
    assert len(server.requests) == 2


def test_what_arrives_after_a_clear_is_kept_nowhere(processes):
    held = Held(token_answer("old"))
    server, (one, other) = processes(held, token_answer("new"))

    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(one.token)
        assert held.asked.wait(5)
        one.clear()
        assert other.token() == "new"
        held.free.set()
        assert early.result() == "old"

    assert [one.token(), other.token()] == ["new", "new"]
    assert len(server.requests) == 2


def test_logins_that_differ_share_nothing(processes, redis_url):
    server, (one, _) = processes(token_answer("one"), token_answer("two"))
    other = TokenManager(
        Outbound("Gatewright"),
        Login(server.url, "us", "s", scope="more"),
        SharedTokens(redis_url, KEY),
    )

    assert [one.token(), other.token()] == ["one", "two"]


def deaf(connection):
    """Hear everything and say nothing."""
    while connection.recv(1024):
        pass


@pytest.mark.parametrize("loss", ["no redis", "no answer", "another key"])
def test_without_what_is_shared_each_process_asks_for_itself(
    processes, redis_url, serve, monkeypatch, loss
):
    monkeypatch.setattr(shared_tokens, "ANSWER_SECONDS", 0.05)
    silent = serve(deaf, greets=True)
    ports = {"no redis": free_port(), "no answer": silent.port}
    url = f"redis://127.0.0.1:{ports[loss]}" if loss in ports else redis_url
    server, (one, other) = processes(token_answer(), url=url)
    if loss == "another key":
        other.shared.key = b"x" * 32

    assert one.token() == other.token()
    assert len(server.requests) == 2
