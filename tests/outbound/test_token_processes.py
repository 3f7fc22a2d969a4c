"""A token of two real processes: asked for once, also after Redis ended, and when it is back."""

import time
from contextlib import ExitStack, closing

import pytest
import redis

from tests.outbound.asking_processes import AskingProcess
from tests.outbound.token_endpoints import Held
from tests.services.gate import scripted, token_answer
from tests.services.process import free_port
from tests.services.redis import running_redis

LIVES = {"expires_in": 100}
EXPIRY = 40
"""So long is such a token kept."""


@pytest.fixture
def endpoint():
    """Return a function that starts a token endpoint."""
    with scripted() as serve:
        yield serve


@pytest.fixture
def processes():
    """Return a function that starts two processes and waits until they run."""
    with ExitStack() as started:

        def start(*urls):
            both = [started.enter_context(closing(AskingProcess(*urls))) for _ in range(2)]
            for each in both:
                each.advance(0)
            return both

        yield start


def all_of(processes):
    """Return what the threads of all processes get that ask at once."""
    asked = [each.ask() for each in processes]
    return set().union(*(each.result() for each in asked))


def expire(processes):
    """Let the token that each process keeps expire."""
    for each in processes:
        each.advance(EXPIRY)


def wait_until(is_so):
    """Return when something is so, which takes no long time."""
    for _ in range(500):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("that is never so")


def sets_of(url):
    """Return how often Redis was told to keep something: a token, or who asks for all."""
    with redis.Redis.from_url(url) as connection:
        return connection.info("commandstats").get("cmdstat_set", {}).get("calls", 0)


def wait_until_one_awaits_the_other(url, before):
    """Return when one process asks for all, and another one has tried that in vain, twice."""
    wait_until(lambda: sets_of(url) >= before + 3)


def test_the_threads_of_two_processes_ask_a_slow_endpoint_once(endpoint, processes, redis_url):
    held = Held(token_answer("first"))
    server = endpoint(held, token_answer("never"))
    both, before = processes(server.url, redis_url), sets_of(redis_url)

    asked = [each.ask() for each in both]
    assert held.asked.wait(5)
    wait_until_one_awaits_the_other(redis_url, before)
    held.free.set()

    assert [each.result() for each in asked] == [{"first"}] * 2
    assert len(server.requests) == 1


def test_a_redis_that_ends_costs_each_process_one_request_an_expiry_until_it_is_back(
    endpoint, processes
):
    port, held = free_port(), Held(token_answer("held", **LIVES))
    server = endpoint(token_answer("shared", **LIVES), held, token_answer("own", **LIVES))

    with running_redis(port) as url:
        both = processes(server.url, url)
        assert all_of(both) == {"shared"}
        expire(both)
        before = sets_of(url)
        asked = [each.ask() for each in both]
        assert held.asked.wait(5)
        wait_until_one_awaits_the_other(url, before)
    wait_until(lambda: len(server.requests) == 3)
    held.free.set()
    assert sorted(each.result().pop() for each in asked) == ["held", "own"]

    for requests in (3, 5):
        assert all_of(both) <= {"held", "own"}
        assert len(server.requests) == requests
        expire(both)
    with running_redis(port):
        assert all_of(both) == {"own"}
    assert len(server.requests) == 6
