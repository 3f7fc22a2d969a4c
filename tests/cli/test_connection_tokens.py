"""`gatewright connection token` and `connection test`: tokens for scripts, failures explained."""

import json

import pytest

from app.domain import connections
from app.domain.connection_drafts import Draft
from app.exits import OK, REFUSED
from app.extensions import db
from app.outbound import client, connection_trials, discovery
from app.outbound.failures import ERRORS, REASONS
from tests.corpora.hostile_upstreams import LEADING_INSIDE, UNASKED
from tests.corpora.token_failures import CASES
from tests.domain.held_connections import OPERATOR
from tests.outbound.conftest import Resolver
from tests.outbound.failing import authority as authority
from tests.outbound.failing import failing as failing
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


def hold_all(app, **places):
    """Hold a login at each place, by its name."""
    key = app.extensions["gatewright.keys"]["connections"]
    with app.app_context():
        for name, place in places.items():
            draft = Draft(client_id="us", client_secret=SECRET, **place)
            connections.create(name, draft, key, by=OPERATOR)
        db.session.commit()


@pytest.fixture
def cases(app, failing):
    """Hold a login at the token endpoint of each case; give the settings of each."""
    urls = {case.name: failing(case) for case in CASES}
    hold_all(app, **{name: {"token_endpoint": url} for name, (url, _) in urls.items()})
    return [(case, {"outbound_allow": urls[case.name][1]}) for case in CASES]


def test_a_failure_ends_with_its_code_and_says_what_to_do(cases, run, monkeypatch, subtests):
    for case, settings in cases:
        with subtests.test(case.name):
            monkeypatch.setattr(connection_trials, "SECONDS", case.seconds)

            result = run("connection", "test", case.name, "--json", **settings)

            told = json.loads(result.stdout)
            assert (result.exit_code, told["failure"]) == (case.exit_code, case.code)
            assert case.says in told["conclusion"]
            assert case.advises in told["conclusion"]
            assert SECRET not in result.output


def test_without_a_token_a_script_ends_with_the_same_code(cases, run, monkeypatch, subtests):
    for case, settings in cases:
        with subtests.test(case.name):
            monkeypatch.setattr(connection_trials, "SECONDS", case.seconds)

            result = run("connection", "token", case.name, "--json", **settings)

            told = json.loads(result.stderr or "{}")
            assert (result.exit_code, told.get("error", "")) == (case.exit_code, case.code)
            assert bool(result.stdout) == (case.exit_code == OK)
            assert SECRET not in result.output
            if case.code == "token":
                assert REASONS["token"].advice in told["error_description"]
            elif case.code:
                assert case.says in told["error_description"]
                assert case.advises in told["error_description"]


def test_a_failure_is_told_last_and_recorded(held, run, said):
    _, settings = held(answered(401, {"error": "invalid_client"}))

    result = run("connection", "test", "billing", **settings)

    assert result.exit_code == REFUSED
    assert result.stdout.splitlines()[-1] == " ".join(ERRORS["invalid_client"])
    (event,) = said("audit", "list", "--type", "connection.tested")
    assert (event["detail"]["failure"], event["actor_kind"]) == ("invalid_client", "cli")


def test_an_issuer_that_leads_inside_is_told_with_the_reason(app, run, monkeypatch, subtests):
    """S-12: the operator reads what nobody else is told."""
    shown = [*UNASKED[::5], *LEADING_INSIDE[::5], LEADING_INSIDE[-1]]
    hold_all(app, **{f"c-{number}": {"issuer": each.url} for number, each in enumerate(shown)})
    for number, hostile in enumerate(shown):
        with subtests.test(hostile.name):
            monkeypatch.setattr(client, "look_up", Resolver(hostile.found))

            result = run("connection", "test", f"c-{number}")

            assert result.exit_code == REFUSED
            reason = f": no answer ({hostile.reason}), "
            told = discovery.NO_ISSUER if hostile.reason == "scheme" else reason
            assert told in result.stdout
            assert result.stdout.splitlines()[-1] == " ".join(REASONS["metadata"])


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
