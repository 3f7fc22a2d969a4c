"""Tokens sent to the registration gate: one for many questions, replaced once when refused."""

import pytest

from app.outbound.logins import Login
from tests.outbound.gates import QUESTION
from tests.outbound.gates import gate as gate
from tests.outbound.gates import pauses as pauses
from tests.services.gate import ALLOWED, said, scripted, silent, token_answer

SECRET = "c4n4ry-0123456789-secret"


@pytest.fixture
def with_tokens(gate):
    """Return a function that starts a gate and a token endpoint; gives both and what asks."""
    with scripted() as serve:

        def start(answers, tokens, **access):
            endpoint = serve(*tokens)
            login = Login(endpoint.url, "gatewright", SECRET, "gate:ask")
            auth_type = "oauth2_client_credentials"
            server, asking = gate(*answers, auth_type=auth_type, login=login, **access)
            return server, endpoint, asking

        yield start


def test_a_token_is_got_once_and_sent_with_every_question(with_tokens):
    server, endpoint, asking = with_tokens([ALLOWED], [token_answer("t-1"), token_answer("t-2")])

    assert [asking.ask(QUESTION).decision for _ in range(3)] == ["allow"] * 3

    assert [head["authorization"] for head in server.heads] == ["Bearer t-1"] * 3
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    "answer", [said(400, {"error": "invalid_client"}), said(500), said(200, {}), b"", silent]
)
def test_without_a_token_the_gate_is_not_asked(with_tokens, pauses, answer):
    """N-213"""
    server, endpoint, asking = with_tokens([ALLOWED], [answer], timeout_seconds=0.3)

    found = asking.ask(QUESTION)

    assert (found.decision, found.failure) == ("deny", "token")
    assert (server.requests, len(endpoint.requests), pauses) == ([], 1, [])


def test_a_refused_token_is_replaced_once(with_tokens, pauses):
    tokens = [token_answer("t-1"), token_answer("t-2")]
    server, endpoint, asking = with_tokens([said(401), ALLOWED], tokens)

    assert asking.ask(QUESTION).decision == "allow"

    assert [head["authorization"] for head in server.heads] == ["Bearer t-1", "Bearer t-2"]
    assert (len(endpoint.requests), pauses) == (2, [])


def test_a_token_that_is_refused_twice_refuses(with_tokens, pauses):
    """N-213"""
    server, endpoint, asking = with_tokens([said(401)], [token_answer()])

    assert asking.ask(QUESTION).failure == "credential"

    assert (len(server.requests), len(endpoint.requests), pauses) == (2, 2, [])


def test_one_question_takes_one_new_token_at_most(with_tokens):
    answers = [said(401), said(500), said(401), ALLOWED]
    server, endpoint, asking = with_tokens(answers, [token_answer()])

    assert asking.ask(QUESTION).failure == "credential"
    assert (len(server.requests), len(endpoint.requests)) == (3, 2)
