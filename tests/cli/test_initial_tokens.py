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
        ("CI", 1, "used up")
    ]


def test_a_token_is_made_with_all_its_terms_and_shown_with_its_clients(said, client):
    made = said(
        *("initial-token", "create", "--name", "CI", "--purpose", "Nightly", "--owner", "Rosebud"),
        *("--network", "127.0.0.1", "--network", "2001:DB8::/32", "--scope", "a b", "--scope", "c"),
        *("--resource", "https://api.example/mcp", "--access-token-seconds", "60"),
        *("--approve-days", "30", "--verdict", "hold", "--uses", "5"),
    )
    assert [register(client, made["token"]) for _ in range(2)] == [201, 201]

    shown = said("initial-token", "show", made["id"])

    told = {
        "name": "CI",
        "purpose": "Nightly",
        "owner": "Rosebud",
        "state": "usable",
        "uses_left": 3,
        "used_count": 2,
        "clients": 2,
        "networks": ["127.0.0.1/32", "2001:db8::/32"],
        "verdict": "hold",
        "scopes": ["a", "b", "c"],
        "resources": ["https://api.example/mcp"],
        "access_token_seconds": 60,
        "approve_days": 30,
    }
    assert {name: shown[name] for name in told} == told
    assert made["token"] not in str(shown)


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
    assert refusal("initial-token", "show", "nothing") == "not_found"


@pytest.mark.parametrize(
    "option, error",
    [(("--scope", 'a"b'), "invalid_scope"), (("--resource", "api"), "invalid_target")],
)
@ON_ONE_DATABASE
def test_a_bound_that_cannot_be_is_refused(refusal, option, error):
    assert refusal("initial-token", "create", "--name", "CI", *option) == error


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
        ("--network", "192.0.2.1/24"),
        ("--network", "office"),
        ("--verdict", "refuse"),
        ("--owner", "a" * 201),
        ("--access-token-seconds", "29"),
        ("--approve-days", "3651"),
    ],
)
def test_nonsense_ends_with_two(run, option):
    result = run("initial-token", "create", "--name", "CI", *option)

    assert result.exit_code == 2
    assert f"'{option[0]}'" in result.stderr
