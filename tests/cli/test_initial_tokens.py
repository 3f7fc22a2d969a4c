"""`gatewright initial-token …`: tokens that let somebody register."""

import pytest

from tests.cli.conftest import ON_ONE_DATABASE

BODY = {"client_name": "App", "redirect_uris": ["https://app.example/cb"]}


def register(client, token):
    return client.post(
        "/register", json=BODY, headers={"Authorization": f"Bearer {token}"}
    ).status_code


def test_a_token_registers_as_many_clients_as_it_may(said, client):
    made = said("initial-token", "create", "--name", "CI", "--uses", "1")

    assert made["token"].startswith("iat_")
    assert register(client, made["token"]) == 201
    assert register(client, made["token"]) == 401
    listed = said("initial-token", "list")
    assert [(row["name"], row["used_count"], row["state"]) for row in listed] == [
        ("CI", 1, "spent or expired")
    ]


def test_a_token_expires_after_its_span(said, client, clock):
    token = said("initial-token", "create", "--name", "CI", "--expires", "7d")["token"]

    clock.advance(7 * 86400 - 1)
    assert register(client, token) == 201
    clock.advance(1)
    assert register(client, token) == 401


def test_a_revoked_token_registers_nothing(said, client):
    made = said("initial-token", "create", "--name", "CI")

    assert said("initial-token", "revoke", made["id"])["state"] == "revoked"
    assert register(client, made["token"]) == 401


def test_a_person_gets_only_the_token_and_nobody_can_read_it_again(run):
    token = run("initial-token", "create", "--name", "CI").stdout.strip()
    again = run("initial-token", "list", "--json").stdout + run("audit", "list", "--json").stdout

    assert token.startswith("iat_")
    assert token not in again


def test_an_unknown_token_cannot_be_revoked(refusal):
    assert refusal("initial-token", "revoke", "nothing") == "not_found"


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "option",
    [
        ("--expires", "soon"),
        ("--expires", "0d"),
        ("--expires", "-1h"),
        ("--expires", "9999999999w"),
        ("--uses", "0"),
        ("--uses", "many"),
    ],
)
def test_nonsense_ends_with_two(run, option):
    assert run("initial-token", "create", "--name", "CI", *option).exit_code == 2
