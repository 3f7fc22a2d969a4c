"""Connections of the environment: a group of variables each, whole or refused, never shown."""

import pytest

from app.config import ConfigurationError, load, unknown_variables
from app.console import setting_groups
from app.domain.connection_drafts import Draft

SECRET = "c4n4ry-0123456789"
URL = "https://id.example/token"
WHOLE = {"TOKEN_ENDPOINT": URL, "CLIENT_ID": "gatewright", "CLIENT_SECRET": SECRET}


@pytest.fixture
def env(monkeypatch):
    """Return a function that sets the variables of one connection."""

    def set_variables(name="MY_API", /, **values):
        for member, value in values.items():
            monkeypatch.setenv(f"GATEWRIGHT_CONNECTION_{name}_{member}", value)

    return set_variables


def faults():
    """Return the faults of the settings without what they begin with."""
    with pytest.raises(ConfigurationError) as raised:
        load()
    assert all(fault.startswith("GATEWRIGHT_CONNECTION_") for fault in raised.value.faults)
    return [fault.removeprefix("GATEWRIGHT_CONNECTION_") for fault in raised.value.faults]


def test_without_variables_there_are_no_connections():
    assert load().connections == {}


def test_a_group_of_variables_is_a_connection(env):
    env(**WHOLE)
    env("CRM", ISSUER="https://crm.example/", CLIENT_ID="g", AUTH_METHOD="private_key_jwt")
    env("CRM", SCOPE="a b", RESOURCE="https://crm.example/api", EXPIRY_BUFFER_SECONDS="0")

    assert load().connections == {
        "my-api": Draft(token_endpoint=URL, client_id="gatewright", client_secret=SECRET),
        "crm": Draft(
            issuer="https://crm.example/",
            client_id="g",
            auth_method="private_key_jwt",
            scope="a b",
            resource="https://crm.example/api",
            expiry_buffer_seconds=0,
        ),
    }


def test_a_secret_is_read_from_the_file_that_a_variable_names(env, tmp_path):
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    env(TOKEN_ENDPOINT=URL, CLIENT_ID="gatewright", CLIENT_SECRET_FILE=str(path))

    assert load().connections["my-api"].client_secret == SECRET


def test_an_empty_variable_counts_as_not_set(env):
    env(**WHOLE, SCOPE="", ISSUER="", EXPIRY_BUFFER_SECONDS="", CLIENT_SECRET_FILE="")
    env("CRM", TOKEN_ENDPOINT="", CLIENT_ID="")

    assert list(load().connections) == ["my-api"]
    assert load().connections["my-api"].expiry_buffer_seconds == 60


def test_every_fault_of_every_group_is_named_at_once_and_no_value_shown(env, monkeypatch, tmp_path):
    env("CRM", SCOPE=f"{SECRET} ")
    env("EMPTY", CLIENT_SECRET_FILE=str(tmp_path / SECRET), CLIENT_ID="x", TOKEN_ENDPOINT=URL)
    env("HALF", ISSUER=f"http://{SECRET}.example", TOKEN_ENDPOINT=URL, CLIENT_SECRET=SECRET)
    env("HALF", EXPIRY_BUFFER_SECONDS=SECRET, AUTH_METHOD=SECRET, RESOURCE=SECRET)
    (tmp_path / "secret").write_text("another")
    env("TWICE", **WHOLE, CLIENT_SECRET_FILE=str(tmp_path / "secret"))

    found = faults()

    assert [fault.split()[0] for fault in found] == [
        "CRM_SCOPE",
        "CRM_TOKEN_ENDPOINT",
        "CRM_CLIENT_ID",
        "CRM_CLIENT_SECRET",
        "EMPTY_CLIENT_SECRET_FILE",
        "HALF_ISSUER",
        "HALF_RESOURCE",
        "HALF_EXPIRY_BUFFER_SECONDS",
        "HALF_AUTH_METHOD",
        "HALF_CLIENT_ID",
        "TWICE_CLIENT_SECRET",
    ]
    assert [fault for fault in found if SECRET in fault] == []


@pytest.mark.parametrize(
    "name, member",
    [
        ("MY_API", "SECRET"),
        ("MY_API", "CLIENT_ID_FILE"),
        ("MY_API", "PRIVATE_KEY"),
        ("MY-API", "CLIENT_ID"),
        ("MY_API_", "CLIENT_ID"),
        ("_MY_API", "CLIENT_ID"),
        ("X" * 65, "CLIENT_ID"),
        ("CLIENT", "ID"),
    ],
)
def test_a_variable_that_is_no_setting_of_a_connection_keeps_the_server_from_starting(
    env, name, member
):
    env(**WHOLE)
    env(name, **{member: "x"})

    [fault] = faults()

    assert fault.startswith(f"{name}_{member} must end with one of _TOKEN_ENDPOINT, _ISSUER, ")
    assert unknown_variables() == [f"GATEWRIGHT_CONNECTION_{name}_{member}"]


def test_the_system_page_groups_connections_and_hides_their_secrets(env):
    env(**WHOLE)

    groups = dict(setting_groups.grouped(load()))
    shown = {each.variable: each for each in groups["Connections"]}

    assert "Other" not in groups
    assert shown["GATEWRIGHT_CONNECTION_MY_API_TOKEN_ENDPOINT"].value == URL
    secret = shown["GATEWRIGHT_CONNECTION_MY_API_CLIENT_SECRET"]
    assert (secret.value, secret.is_secret, secret.source) == ("********", True, "environment")
    assert SECRET not in repr((load(), groups, load().connections))
