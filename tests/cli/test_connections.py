"""`gatewright connection …`: hold logins, look at them, forget them; their secrets stay sealed."""

import json

import pytest
from joserfc.jwk import ECKey

from app.config import current_key
from app.domain import connections
from app.domain.connection_secrets import secrets_of
from tests.cli.conftest import ON_ONE_DATABASE

SECRET = "c4n4ry-0123456789"
URL = "https://id.example/token"
GOOD = ("billing", "--token-endpoint", URL, "--client-id", "gatewright")
OF_ENVIRONMENT = {
    "connection_my_api_token_endpoint": URL,
    "connection_my_api_client_id": "gatewright",
    "connection_my_api_client_secret": SECRET,
}
KEY = ECKey.generate_key("P-256", private=True).as_dict(private=True)


@pytest.fixture
def create(said):
    """Return a function that holds a login with a secret, and gives what is said of it."""

    def run(*words, stdin=f"{SECRET}\n"):
        return said("connection", "create", *words, "--client-secret-stdin", stdin=stdin)

    return run


@pytest.fixture
def opened(app):
    """Return a function that opens what a connection proves itself with."""

    def find(name):
        with app.app_context():
            return secrets_of(connections.get(name), current_key("connections"), {})

    return find


def test_a_login_is_held_shown_and_forgotten_and_nobody_sees_its_secret(run, said, create, opened):
    asked = ("--scope", "read write", "--scope", "read", "--expiry-buffer-seconds", "5")
    told = create(*GOOD, *asked, "--resource", "https://api.example/", "--description", "Bills")
    assert opened("billing").client_secret == SECRET
    assert (told["scope"], told["expiry_buffer_seconds"]) == ("read write", 5)
    assert (told["source"], told["auth_method"]) == ("console", "client_secret_basic")

    assert said("connection", "show", "billing") == told
    assert said("connection", "list") == [told]
    table = run("connection", "list").stdout
    assert "billing" in table
    assert "Bills" in table
    assert said("connection", "delete", "billing") == told
    assert said("connection", "list") == []

    trail = said("audit", "list", "--type", "connection")
    assert [event["tag"] for event in trail] == ["connection.deleted", "connection.created"]
    assert {event["actor_kind"] for event in trail} == {"cli"}
    assert SECRET not in json.dumps([told, trail]) + table


def test_a_login_by_key_has_a_key_of_its_own_or_that_of_the_server(said, opened, tmp_path):
    by_key = (*GOOD[1:], "--auth-method", "private_key_jwt")
    file = tmp_path / "key.json"
    file.write_text(json.dumps(KEY))

    own = said("connection", "create", "own", *by_key, "--private-key", str(file))
    ours = said("connection", "create", "ours", *by_key)

    assert (own["has_private_key"], ours["has_private_key"]) == (True, False)
    assert opened("own").private_key == KEY
    assert KEY["d"] not in json.dumps(own)


def test_everything_that_is_missing_is_named_in_one_line(run, refusal, tmp_path):
    (tmp_path / "key").write_bytes(b"\xff\xfe")

    assert refusal("connection", "create", "Billing") == "invalid_request"
    assert run("connection", "create", "Billing").stderr == (
        "gatewright: name must be 1 to 64 lower-case letters, digits and hyphens, with no hyphen at"
        " its ends; token_endpoint must be set, or else the issuer; client_id must be set;"
        " client_secret must be set, except for private_key_jwt.\n"
    )
    public = run("connection", "create", *GOOD, "--auth-method", "none").stderr
    assert "auth_method must be one of client_secret_basic" in public
    words = ("--auth-method", "private_key_jwt", "--private-key", str(tmp_path / "key"))
    assert (
        "private_key must be one private key" in run("connection", "create", *GOOD, *words).stderr
    )


def test_a_name_is_held_once_and_forgotten_once(refusal, said, create):
    create(*GOOD)
    again = (*GOOD, "--client-secret-stdin")

    assert refusal("connection", "create", *again, stdin=SECRET) == "conflict"
    said("connection", "delete", "billing")
    assert refusal("connection", "delete", "billing") == "not_found"
    assert refusal("connection", "show", "billing") == "not_found"


def test_a_login_of_the_environment_is_listed_and_deleted_there_only(said, refusal):
    said("db", "upgrade", **OF_ENVIRONMENT)

    (listed,) = said("connection", "list")
    assert (listed["name"], listed["source"]) == ("my-api", "environment")
    assert refusal("connection", "delete", "my-api") == "conflict"

    said("db", "upgrade")
    assert said("connection", "list") == []


def test_a_name_that_people_took_keeps_the_server_from_starting_until_they_give_it_up(
    run, said, create
):
    create("my-api", *GOOD[1:])

    result = run("db", "upgrade", **OF_ENVIRONMENT)
    assert result.exit_code == 3
    assert result.stderr == (
        "gatewright: GATEWRIGHT_CONNECTION_MY_API_* set a connection that people have made as well:"
        " end theirs with gatewright connection delete my-api, or choose another name\n"
    )
    said("connection", "delete", "my-api", **OF_ENVIRONMENT)
    said("db", "upgrade", **OF_ENVIRONMENT)
    assert said("connection", "show", "my-api")["source"] == "environment"


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "words",
    [
        ("create",),
        ("create", *GOOD, "--auth-method", "magic"),
        ("create", *GOOD, "--expiry-buffer-seconds", "soon"),
        ("create", *GOOD, "--private-key", "/nowhere/key"),
        ("show",),
    ],
)
def test_nonsense_ends_with_two(run, words):
    assert run("connection", *words).exit_code == 2
