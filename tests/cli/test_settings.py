"""`gatewright config …`: faults, sources, masks, and the page in docs/."""

from pathlib import Path

from tests.cli.conftest import ON_ONE_DATABASE

ROOT = Path(__file__).parents[2]

pytestmark = ON_ONE_DATABASE


def rows(said, **changes):
    return {row["name"]: row for row in said("config", "show", **changes)}


def test_the_page_in_docs_is_what_the_settings_say(run):
    assert (ROOT / "docs" / "settings.md").read_text() == run("config", "table").stdout


def test_every_setting_is_shown_with_its_source(said, tmp_path):
    secret = tmp_path / "key"
    secret.write_text("a" * 40)

    shown = rows(said, secret_key=None, secret_key_file=str(secret), waiting_seconds="30")

    assert shown["GATEWRIGHT_WAITING_SECONDS"]["value"] == 30
    assert shown["GATEWRIGHT_WAITING_SECONDS"]["source"] == "environment"
    assert shown["GATEWRIGHT_SECRET_KEY"]["source"] == "file"
    assert shown["GATEWRIGHT_CODE_SECONDS"]["source"] == "default"


def test_secrets_are_masked(run, said, cli_env, tmp_path):
    shown = rows(said, registration_token="a-token-of-the-environment")
    text = run("config", "show", registration_token="a-token-of-the-environment").stdout

    for name in ("SECRET_KEY", "DATABASE_URL", "REGISTRATION_TOKEN"):
        assert shown[f"GATEWRIGHT_{name}"]["value"] == "********"
    assert shown["GATEWRIGHT_REDIS_URL"]["value"] == ""
    assert "a-token-of-the-environment" not in text
    assert cli_env["GATEWRIGHT_SECRET_KEY"] not in text
    assert cli_env["GATEWRIGHT_DATABASE_URL"] not in text


def test_connections_are_shown_with_their_sources_and_without_their_secrets(run, said, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("c4n4ry-0123456789")
    variables = {
        "connection_my_api_token_endpoint": "https://id.example/token",
        "connection_my_api_client_id": "gatewright",
        "connection_my_api_client_secret_file": str(secret),
    }

    shown = {
        name.removeprefix("GATEWRIGHT_CONNECTION_MY_API_"): (row["value"], row["source"])
        for name, row in rows(said, **variables).items()
        if "_CONNECTION_" in name
    }

    assert shown == {
        "TOKEN_ENDPOINT": ("https://id.example/token", "environment"),
        "ISSUER": ("", "default"),
        "CLIENT_ID": ("gatewright", "environment"),
        "CLIENT_SECRET": ("********", "file"),
        "AUTH_METHOD": ("client_secret_basic", "default"),
        "SCOPE": ("", "default"),
        "RESOURCE": ("", "default"),
        "EXPIRY_BUFFER_SECONDS": (60, "default"),
    }
    assert "c4n4ry" not in run("config", "show", **variables).stdout
    assert said("config", "check", **variables) == {"ok": True, "unknown": []}


def test_a_good_configuration_passes_and_a_misspelled_variable_is_named(run, said):
    assert said("config", "check") == {"ok": True, "unknown": []}

    result = run("config", "check", isuer="https://a.example")

    assert result.exit_code == 0
    assert result.stderr == "gatewright: GATEWRIGHT_ISUER is not a setting of this version\n"


def test_faults_end_with_three(run):
    result = run("config", "check", trusted_proxies="-1", registration_mode="ajar")

    assert result.exit_code == 3
    assert [line.split()[1] for line in result.stderr.splitlines()] == [
        "GATEWRIGHT_REGISTRATION_MODE",
        "GATEWRIGHT_TRUSTED_PROXIES",
    ]


def test_looking_at_the_configuration_makes_nothing(run, tmp_path):
    fresh = tmp_path / "fresh"

    for words in (["config", "check"], ["config", "show"], ["doctor"]):
        run(*words, data_dir=str(fresh), database_url=None, secret_key=None)

    assert not fresh.exists()
