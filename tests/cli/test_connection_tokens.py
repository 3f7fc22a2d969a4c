"""`gatewright connection token` and `connection test`: tokens for scripts, failures explained."""

import pytest

from app.outbound.failures import ERRORS, REASONS
from tests.services.gate import said as answered
from tests.services.gate import scripted, token_answer

SECRET = "c4n4ry-0123456789"


@pytest.fixture
def held(said):
    """Return a function that holds a login at a token endpoint; gives it and the settings."""
    with scripted() as serve:

        def start(*answers):
            server = serve(*answers)
            words = ("billing", "--token-endpoint", server.url, "--client-id", "us")
            said("connection", "create", *words, "--client-secret-stdin", stdin=SECRET)
            return server, {"outbound_allow": f"127.0.0.1:{server.port}"}

        yield start


def test_a_script_gets_a_token_that_works_now(held, run, said):
    server, settings = held(token_answer("first", expires_in=600), token_answer("second"))

    plain = run("connection", "token", "billing", **settings)
    told = said("connection", "token", "billing", "--min-life", "900", **settings)

    assert (plain.exit_code, plain.stdout, plain.stderr) == (0, "first\n", "")
    assert (told["access_token"], len(server.requests)) == ("second", 2)
    assert 3595 <= told["expires_in"] <= 3600
    shown = said("connection", "show", "billing")
    assert shown["last_used"] < shown["token_expires"]


def test_calls_of_the_command_share_a_token_through_redis(held, said, redis_url, clock):
    server, settings = held(token_answer("first", expires_in=600), token_answer("second"))
    settings["redis_url"] = redis_url

    def token(*words):
        return said("connection", "token", "billing", *words, **settings)["access_token"]

    assert [token(), token()] == ["first", "first"]
    clock.advance(1)
    assert [token("--min-life", "15m"), token()] == ["second", "second"]
    assert len(server.requests) == 2


def test_a_token_that_cannot_be_had_is_refused_with_the_reason(held, run, refusal):
    _, settings = held(answered(401, {"error": "invalid_client"}))

    assert refusal("connection", "token", "billing", **settings) == "invalid_client"
    assert refusal("connection", "token", "billing") == "scheme"
    assert REASONS["scheme"].advice in run("connection", "token", "billing").stderr
    assert refusal("connection", "token", "nobody") == "not_found"


def test_a_test_tells_step_by_step_what_happened_and_is_recorded(held, run, said):
    server, settings = held(token_answer("first"))

    plain = run("connection", "test", "billing", **settings)
    told = said("connection", "test", "billing", **settings)

    assert plain.exit_code == 0
    assert plain.stdout.startswith(f"POST {server.url}: 200, ")
    assert plain.stdout.endswith("ms\nA token was got.\n")
    (step,) = told["steps"]
    assert (told["ok"], told["failure"], step["status"]) == (True, "", 200)
    assert said("connection", "show", "billing")["last_used"] is None
    trail = said("audit", "list", "--type", "connection.tested")
    assert [event["detail"] for event in trail] == [{"name": "billing", "failure": ""}] * 2
    assert SECRET not in plain.output + str(told)


@pytest.mark.parametrize(
    "answer, code, failure",
    [
        (answered(401, {"error": "invalid_client"}), "invalid_client", ERRORS["invalid_client"]),
        (answered(503), "token", ERRORS["temporarily_unavailable"]),
        (answered(302, extra="Location: /\r\n"), "redirect", REASONS["redirect"]),
        (b"", "protocol", REASONS["protocol"]),
    ],
)
def test_a_test_that_fails_ends_with_one_and_says_what_to_do(
    held, run, said, answer, code, failure
):
    _, settings = held(answer)

    result = run("connection", "test", "billing", **settings)

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == f"{failure.sentence} {failure.advice}"
    (event,) = said("audit", "list", "--type", "connection.tested")
    assert (event["detail"]["failure"], event["actor_kind"]) == (code, "cli")


def test_a_login_of_the_environment_gives_tokens_without_a_list_of_exceptions(held, said):
    server, _ = held(token_answer("first"))
    settings = {
        "connection_my_api_token_endpoint": server.url,
        "connection_my_api_client_id": "us",
        "connection_my_api_client_secret": SECRET,
    }
    said("db", "upgrade", **settings)

    assert said("connection", "token", "my-api", **settings)["access_token"] == "first"
    assert said("connection", "test", "my-api", **settings)["ok"]
