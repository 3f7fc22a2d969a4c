"""`gatewright scope …` and `gatewright resource …`: what can be granted."""

import pytest

from app.domain.scopes import BUILT_IN
from tests.cli.conftest import ON_ONE_DATABASE

SCOPE = ("scope", "create", "tool:read", "--description", "Read with the tool")
RESOURCE = ("resource", "create", "https://api.example/mcp", "--name", "Tools")


def test_a_scope_is_listed_beside_the_built_in_ones(said):
    made = said(*SCOPE, "--risk", "medium", "--default", "--four-eyes")

    assert made == {
        "name": "tool:read",
        "description": "Read with the tool",
        "risk": "medium",
        "is_default": True,
        "four_eyes": True,
    }
    assert {row["name"] for row in said("scope", "list")} == {*BUILT_IN, "tool:read"}


def test_a_resource_is_listed_with_its_scopes(said):
    said(*SCOPE)

    made = said(*RESOURCE, "--scope", "tool:read", "--access-token-seconds", "300")

    assert made["scopes"] == ["tool:read"]
    assert made["access_token_seconds"] == 300
    assert said("resource", "list") == [made]


@pytest.mark.parametrize(
    "words, error",
    [
        pytest.param(SCOPE, "conflict", id="scope twice"),
        pytest.param((*SCOPE[:2], 'a"b', *SCOPE[3:]), "invalid_request", id="quote"),
        pytest.param((*SCOPE[:2], "a b", *SCOPE[3:]), "invalid_request", id="space"),
        pytest.param((*SCOPE[:2], "\udcff", *SCOPE[3:]), "invalid_request", id="raw bytes"),
        pytest.param((*RESOURCE, "--scope", "nope"), "invalid_scope", id="unknown scope"),
        pytest.param(
            (*RESOURCE[:2], "https://api.example/mcp#a", *RESOURCE[3:]),
            "invalid_target",
            id="fragment",
        ),
        pytest.param((*RESOURCE[:2], "api", *RESOURCE[3:]), "invalid_target", id="no URI"),
    ],
)
def test_what_cannot_be_is_refused(said, refusal, words, error):
    said(*SCOPE)

    assert refusal(*words) == error


def test_a_resource_is_there_once_whatever_its_slash(said, refusal):
    said("resource", "create", "https://api.example", "--name", "Tools")

    assert refusal("resource", "create", "https://api.example/", "--name", "Tools") == "conflict"


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(SCOPE[:3], id="no description"),
        pytest.param((*SCOPE[:4], "x" * 501), id="description too long"),
        pytest.param((*SCOPE, "--risk", "huge"), id="unknown risk"),
        pytest.param(RESOURCE[:3], id="no name"),
        pytest.param((*RESOURCE, "--access-token-seconds", "1"), id="lifetime too short"),
    ],
)
def test_wrong_usage_ends_with_two(run, words):
    assert run(*words).exit_code == 2
