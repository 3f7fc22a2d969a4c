"""Rate limits: counted in memory or in Redis, and stricter, never laxer, when Redis is lost."""

from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from app import limits
from app.domain import errors
from tests.conftest import Clock

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def allowed(app: Flask, limit: str, *keys: str, tries: int = 50) -> int:
    """Return how many of some requests pass a limit."""
    passed = 0
    with app.test_request_context("/"):
        for _ in range(tries):
            try:
                limits.spend(limit, *keys)
            except errors.TooManyRequests:
                continue
            passed += 1
    return passed


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"rate_limit_enabled": True}


def test_a_limit_allows_its_number_for_each_key(app: Flask, clock: Clock) -> None:
    assert allowed(app, "5 per minute", "register", "a") == 5
    assert allowed(app, "5 per minute", "register", "b") == 5
    clock.advance(61)
    assert allowed(app, "5 per minute", "register", "a") == 5


def test_a_refusal_says_when_to_come_back(app: Flask, clock: Clock) -> None:
    with app.test_request_context("/"):
        limits.spend("1 per minute", "key")
        with pytest.raises(errors.TooManyRequests) as refused:
            limits.spend("1 per minute", "key")
    assert 1 <= refused.value.retry_after <= 60


class TestWithRedis:
    @pytest.fixture
    def overrides(self, redis_url: str) -> dict[str, Any]:
        return {"rate_limit_enabled": True, "redis_url": redis_url}

    def test_the_count_is_in_redis(self, app: Flask, redis_url: str) -> None:
        assert allowed(app, "5 per minute", "register", "a") == 5
        with redis.Redis.from_url(redis_url) as connection:
            assert any(b"register" in key for key in connection.keys("*"))

    def test_no_key_name_in_redis_holds_more_than_the_key(self, app: Flask, redis_url: str) -> None:
        allowed(app, "5 per minute", "sign-in", "127.0.0.1", tries=1)
        with redis.Redis.from_url(redis_url) as connection:
            assert connection.keys("*") == [b"LIMITS:LIMITER/sign-in/127.0.0.1/5/1/minute"]


class TestWhenRedisIsLost:
    @pytest.fixture
    def overrides(self) -> dict[str, Any]:
        return {"rate_limit_enabled": True, "redis_url": "redis://127.0.0.1:1/0"}

    def test_less_is_allowed_and_nothing_fails(self, app: Flask) -> None:
        """F-30: the loss of Redis never grants more."""
        assert allowed(app, "20 per minute", "register", "a") == 5

    def test_a_small_limit_still_allows_one(self, app: Flask) -> None:
        assert allowed(app, "2 per minute", "register", "b") == 1


class TestSwitchedOff:
    @pytest.fixture
    def overrides(self) -> dict[str, Any]:
        return {"rate_limit_enabled": False}

    def test_everything_passes(self, app: Flask) -> None:
        assert allowed(app, "1 per minute", "register", "a") == 50

    def test_the_budget_of_recorded_refusals_still_holds(self, app: Flask) -> None:
        with app.test_request_context("/"):
            kept = [limits.local_budget("3 per minute", "refusals", "x") for _ in range(9)]
        assert kept.count(True) == 3


class TestAtTheEndpoints:
    @pytest.fixture
    def overrides(self) -> dict[str, Any]:
        return {"rate_limit_enabled": True, "token_rate_limit": "3 per minute"}

    def test_refusals_of_the_token_endpoint_are_limited_by_address(
        self, client: FlaskClient
    ) -> None:
        """N-016."""
        form = {"grant_type": "client_credentials", "client_id": "nobody"}
        answers = [client.post("/token", data=form) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert answers[3].get_json()["error"] == "temporarily_unavailable"
        assert 1 <= int(answers[3].headers["Retry-After"]) <= 60

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_guesses_at_client_configuration_are_limited_whatever_client_they_name(
        self, client: FlaskClient, method: str
    ) -> None:
        token = {"Authorization": "Bearer rat_guessed"}
        answers = [
            client.open(f"/clients/guess-{n}", method=method, headers=token) for n in range(12)
        ]
        assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 9
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
