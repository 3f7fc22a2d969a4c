"""Explanations of failures: one for whatever the way out or a token endpoint may say."""

from typing import get_args

import pytest

from app.exits import REFUSED, explain
from app.outbound import failures, upstream_refusals
from app.outbound.client import Answer
from app.outbound.errors import OutboundError, Reason
from app.outbound.failures import ERRORS, REASONS

ALL = {**REASONS, **ERRORS, **failures.STATUSES}


def test_every_reason_is_explained_and_every_explained_error_is_known():
    assert REASONS.keys() == set(get_args(Reason))
    assert {upstream_refusals.known(code) for code in ERRORS} == ERRORS.keys()


@pytest.mark.parametrize("name", ALL)
def test_an_explanation_is_two_sentences(name):
    assert all(part[0].isupper() and part.endswith(".") for part in ALL[name])


@pytest.mark.parametrize(
    "status, body, explained",
    [
        (400, b'{"error": "invalid_scope"}', ERRORS["invalid_scope"]),
        (401, b'{"error": "go away"}', ERRORS["invalid_client"]),
        (401, b"", ERRORS["invalid_client"]),
        (404, b"<h1>", failures.STATUSES[404]),
        (400, b'{"error": ["invalid_scope"]}', failures.REFUSED),
        (502, b"", failures.BROKEN),
        (307, b"", REASONS["redirect"]),
        (200, b"{}", failures.NO_TOKEN),
    ],
)
def test_the_error_counts_before_the_status(status, body, explained):
    assert failures.of_token_answer(Answer(status, {}, body)) == explained


def test_a_command_ends_with_what_to_do():
    ending = explain(OutboundError("token", "invalid_scope"))

    assert (ending.code, ending.error) == (REFUSED, "invalid_scope")
    assert ending.sentences == (" ".join(ERRORS["invalid_scope"]),)
    assert explain(OutboundError("dns")).error == "dns"
