"""Identity providers of the environment: a group of variables each, whole or refused."""

import pytest

from app.config import ConfigurationError, load, unknown_variables
from app.console import setting_groups
from app.domain.identity_provider_drafts import Draft

SECRET = "c4n4ry-0123456789"
ISSUER = "https://id.example/tenant/"
WHOLE = {"ISSUER": ISSUER, "CLIENT_ID": "gatewright", "CLIENT_SECRET": SECRET}


@pytest.fixture
def env(monkeypatch):
    """Return a function that sets the variables of one provider."""

    def set_variables(name="ACME_STAFF", /, **values):
        for member, value in values.items():
            monkeypatch.setenv(f"GATEWRIGHT_IDP_{name}_{member}", value)

    return set_variables


def faults():
    """Return the faults of the settings without what they begin with."""
    with pytest.raises(ConfigurationError) as raised:
        load()
    return [fault.removeprefix("GATEWRIGHT_IDP_") for fault in raised.value.faults]


def test_without_variables_there_are_no_providers():
    assert load().identity_providers == {}


def test_a_group_of_variables_is_a_provider(env, tmp_path):
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    env(**WHOLE)
    env("CRM", ISSUER=ISSUER, CLIENT_ID="g", CLIENT_SECRET_FILE=str(path), SCOPE="openid")
    env("CRM", ALLOWED_DOMAINS="example.org, example.com")

    assert load().identity_providers == {
        "acme-staff": Draft(ISSUER, "gatewright", SECRET),
        "crm": Draft(ISSUER, "g", SECRET, "openid", "example.org example.com"),
    }
    assert unknown_variables() == []


def test_every_fault_of_every_group_is_named_at_once_and_no_value_shown(env, tmp_path):
    env("EMPTY", CLIENT_SECRET_FILE=str(tmp_path / SECRET), CLIENT_ID="x", ISSUER=ISSUER)
    env("HALF", SCOPE=f"{SECRET} email", ALLOWED_DOMAINS="@example.org")
    env("PLAIN", **WHOLE | {"ISSUER": f"http://{SECRET}.example"})

    found = faults()

    assert [fault.split()[0] for fault in found] == [
        "EMPTY_CLIENT_SECRET_FILE",
        "HALF_SCOPE",
        "HALF_ALLOWED_DOMAINS",
        "HALF_ISSUER",
        "HALF_CLIENT_ID",
        "HALF_CLIENT_SECRET",
        "PLAIN_ISSUER",
    ]
    assert [fault for fault in found if SECRET in fault] == []


@pytest.mark.parametrize("text, expected", [("true", True), ("False", False)])
def test_a_provider_of_the_environment_vouches_only_if_that_is_said(env, text, expected):
    env(**WHOLE)
    env("CRM", **WHOLE, VOUCHES=text)

    vouch = {name: draft.vouches for name, draft in load().identity_providers.items()}
    assert vouch == {"acme-staff": False, "crm": expected}


def test_a_switch_that_is_neither_on_nor_off_keeps_the_server_from_starting(env):
    env(**WHOLE, VOUCHES="maybe")

    assert faults() == ["ACME_STAFF_VOUCHES must be true or false"]


@pytest.mark.parametrize("name, member", [("ACME", "SECRET"), ("ACME_", "ISSUER"), ("A", "ROLE")])
def test_a_variable_that_is_no_setting_of_a_provider_keeps_the_server_from_starting(
    env, name, member
):
    env(**WHOLE)
    env(name, **{member: "x"})

    [fault] = faults()

    assert fault.startswith(f"{name}_{member} must end with one of _ISSUER, _CLIENT_ID, ")


def test_the_system_page_groups_them_and_masks_their_secrets(env):
    env(**WHOLE)

    shown = dict(setting_groups.grouped(load()))[setting_groups.PROVIDERS]

    assert SECRET not in str(shown)
    assert {each.variable: each.value for each in shown if each.is_secret} == {
        "GATEWRIGHT_IDP_ACME_STAFF_CLIENT_SECRET": "********"
    }
