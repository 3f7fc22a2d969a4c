"""The settings: all faults at once, every refusal, and no value ever shown."""

import pytest

from app.config import ConfigurationError, load, source, unknown_variables
from app.secret_files import FROM_FILE

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def env(monkeypatch):
    """Return a function that sets variables by the names of the settings."""

    def set_variables(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"GATEWRIGHT_{name.upper()}", value)

    return set_variables


def faults(**overrides) -> list[str]:
    """Return the faults of the settings."""
    with pytest.raises(ConfigurationError) as raised:
        load(**overrides)
    return raised.value.faults


def test_without_any_variable_the_server_is_for_this_machine():
    settings = load()

    assert settings.issuer == "http://127.0.0.1:8000"
    assert settings.sqlalchemy_url.startswith("sqlite:////")
    assert settings.sqlalchemy_url.endswith("/instance/gatewright.db")
    assert settings.resource == settings.issuer
    assert not settings.secure


def test_all_faults_are_reported_at_once(env, tmp_path):
    env(
        issuer="http://example.org",
        database_url="postgresql://db.example/gatewright",
        registration_token="guessable",
        registration_mode="ajar",
        code_seconds="soon",
        redis_url_file=str(tmp_path / "missing"),
        sign_in_rate_limit="often",
    )

    assert faults() == [
        "GATEWRIGHT_REDIS_URL_FILE must name a file that can be read and is not empty",
        "GATEWRIGHT_ISSUER must be https unless its host is a loopback address",
        "GATEWRIGHT_SECRET_KEY must be set together with GATEWRIGHT_DATABASE_URL,"
        " because every process needs the same key",
        "GATEWRIGHT_REGISTRATION_MODE Input should be 'closed', 'token' or 'open'",
        "GATEWRIGHT_REGISTRATION_TOKEN must have at least 20 characters",
        "GATEWRIGHT_SIGN_IN_RATE_LIMIT must be a limit such as 5 per minute",
        "GATEWRIGHT_CODE_SECONDS Input should be a valid integer,"
        " unable to parse string as an integer",
    ]


@pytest.mark.parametrize(
    "name, value",
    [
        ("issuer", "http://example.org"),
        ("issuer", "https://example.org/"),
        ("issuer", "https://example.org?tenant=1"),
        ("issuer", "https://example.org#here"),
        ("issuer", "https://ann@example.org"),
        ("issuer", "https://example.org:port"),
        ("issuer", "https://example.org:99999"),
        ("issuer", "https://[example"),
        ("issuer", "https://exa mple.org"),
        ("issuer", "https://ex\u00e4mple.org"),
        ("issuer", "https://\u2100.example"),
        ("issuer", "example.org"),
        ("issuer", "ftp://example.org"),
        ("secret_key", "x" * 31),
        ("registration_token", "x" * 19),
        ("database_url", "nonsense"),
        ("database_url", "mysql://db.example/gatewright"),
        ("database_url", "postgres://db.example/gatewright"),
        ("database_url", "postgresql://db.example:port/gatewright"),
        ("database_url", "sqlite://"),
        ("database_url", "sqlite:///:memory:"),
        ("redis_url", "http://redis.example"),
        ("registration_rate_limit", "many"),
        ("token_rate_limit", "-1 per minute"),
        ("contact", 'the "operators"'),
        ("contact", "caf\u00e9"),
        ("default_resource", "api"),
        ("default_resource", "https://api.example/#part"),
        ("pkce_required", "none"),
        ("second_factor_roles", "approver root"),
        ("access_token_seconds", "0"),
        ("refresh_grace_seconds", "31"),
        ("trusted_proxies", "9"),
        ("rate_limit_enabled", "perhaps"),
        ("log_level", "loud"),
        ("outbound_allow", "sister.example"),
        ("outbound_allow", "sister.example:0"),
        ("outbound_allow", "sister.example:8443/path"),
        ("outbound_allow", "https://sister.example:8443"),
        ("outbound_allow", "sister.example:8443, 127.1:80"),
        ("outbound_allow", "::1:8443"),
        ("outbound_ca_file", "/nowhere/authorities.pem"),
        ("outbound_ca_file", __file__),
        ("audit_header_name", "X User"),
        ("audit_header_name", "Content-Length"),
        ("audit_header_name", "authorization"),
        ("password_memory_kib", "1"),
        ("registration_gate_url", "gate.example/ask"),
        ("registration_gate_url", "https://ann:pass@gate.example/"),
        ("registration_gate_url", "https://gate.example/?code=c4n4ry"),
        ("registration_gate_url", "http://169.254.169.254/"),
        ("registration_gate_auth_type", "basic"),
        ("registration_gate_auth_credential", "two words"),
        ("registration_gate_auth_credential", "line\nbreak"),
        ("registration_gate_auth_header_name", "X Api Key"),
        ("registration_gate_auth_header_name", "Content-Length"),
        ("registration_gate_timeout_seconds", "0"),
        ("registration_gate_max_retries", "6"),
        ("registration_gate_oauth2_token_url", "ftp://id.example/token"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name_and_never_shown(env, name, value):
    env(**{"secret_key": KEY} | {name: value})

    [fault] = faults()

    assert fault.startswith(f"GATEWRIGHT_{name.upper()} ")
    assert len(value) < 6 or value not in fault


@pytest.mark.parametrize(
    "issuer",
    [
        "https://example.org",
        "https://example.org/tenant/one",
        "https://example.org:8443",
        "http://127.0.0.1:8000",
        "http://localhost:8000/auth",
        "http://[::1]:8000",
        "http://127.9.9.9",
    ],
)
def test_an_issuer_is_kept_byte_for_byte(env, issuer):
    env(issuer=issuer)

    assert load().issuer == issuer


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_a_database_of_several_machines_needs_a_shared_secret_key(env, scheme):
    env(database_url=f"{scheme}://db.example/gatewright")
    [fault] = faults()
    assert fault.startswith("GATEWRIGHT_SECRET_KEY must be set")

    env(secret_key=KEY)
    assert load().sqlalchemy_url == f"{scheme}://db.example/gatewright"


def test_an_sqlite_file_elsewhere_needs_no_secret_key(env, tmp_path):
    env(database_url=f"sqlite:///{tmp_path / 'elsewhere.db'}")

    assert load().sqlalchemy_url.endswith("elsewhere.db")


@pytest.mark.parametrize("name", FROM_FILE)
def test_a_secret_is_read_from_the_file_that_a_variable_names(env, tmp_path, name):
    values = {"redis_url": "redis://r.example", "database_url": f"sqlite:///{tmp_path}/a.db"}
    values["registration_webhook_signing_secret"] = f"whsec_{'A' * 32}"
    value = values.get(name, "a-secret-of-more-than-thirty-two-letters")
    path = tmp_path / "secret"
    path.write_text(f"{value}\n")
    env(**{f"{name}_file": str(path)})

    settings = load()

    assert getattr(settings, name).get_secret_value() == value
    assert source(settings, name) == "file"


GATE = {"registration_gate_enabled": "true", "registration_gate_url": "https://gate.example/ask"}
OAUTH2 = {
    "registration_gate_auth_type": "oauth2_client_credentials",
    "registration_gate_oauth2_token_url": "https://id.example/token?tenant=1",
    "registration_gate_oauth2_client_id": "gatewright",
    "registration_gate_oauth2_client_secret": "a secret with spaces",
}


@pytest.mark.parametrize(
    "given, missing",
    [
        ({"registration_gate_enabled": "true"}, ["url"]),
        (GATE | {"registration_gate_auth_type": "api_key"}, ["auth_credential"]),
        (GATE | {"registration_gate_auth_type": "bearer"}, ["auth_credential"]),
        (
            {
                "registration_gate_enabled": "true",
                "registration_gate_auth_type": "oauth2_client_credentials",
            },
            ["url", "oauth2_token_url", "oauth2_client_id", "oauth2_client_secret"],
        ),
    ],
)
def test_half_a_registration_gate_is_refused_and_every_missing_part_named(env, given, missing):
    env(**given)

    found = faults()

    assert [fault.split()[0] for fault in found] == [
        f"GATEWRIGHT_REGISTRATION_GATE_{name.upper()}" for name in missing
    ]
    assert all(" must be set when " in fault for fault in found)


@pytest.mark.parametrize(
    "given",
    [
        GATE,
        GATE | OAUTH2,
        OAUTH2,
        GATE
        | OAUTH2
        | {
            "registration_gate_oauth2_auth_method": "private_key_jwt",
            "registration_gate_oauth2_client_secret": "",
        },
        {"registration_gate_auth_type": "bearer"},
        GATE
        | {"registration_gate_auth_type": "api_key", "registration_gate_auth_credential": "key"},
    ],
)
def test_a_whole_registration_gate_or_none_is_accepted(env, given):
    env(**given)

    assert load().registration_gate_enabled == ("registration_gate_enabled" in given)


@pytest.mark.parametrize("content", [None, b"", b"  \n", b"\xff\xfe\x00"])
def test_a_file_of_no_use_is_refused_without_showing_its_name(env, tmp_path, content):
    path = tmp_path / "hunter2"
    if content is not None:
        path.write_bytes(content)
    env(secret_key_file=str(path))

    assert faults() == [
        "GATEWRIGHT_SECRET_KEY_FILE must name a file that can be read and is not empty"
    ]


def test_a_secret_comes_from_one_place(env, tmp_path):
    path = tmp_path / "key"
    path.write_text("another key of more than 32 letters")
    env(secret_key=KEY, secret_key_file=str(path))

    assert faults() == [
        "GATEWRIGHT_SECRET_KEY and GATEWRIGHT_SECRET_KEY_FILE are both set; set only one"
    ]


def test_the_content_of_a_file_is_held_to_the_same_rules(env, tmp_path):
    path = tmp_path / "key"
    path.write_text("hunter2")
    env(secret_key_file=str(path))

    assert faults() == ["GATEWRIGHT_SECRET_KEY must have at least 32 characters"]


def test_an_empty_variable_counts_as_not_set(env):
    env(issuer="", code_seconds="", secret_key="", secret_key_file="")

    settings = load()

    assert settings.code_seconds == 60
    assert source(settings, "issuer") == "default"


@pytest.mark.parametrize(
    "text", ["cursor vscode", "cursor,vscode", "cursor, vscode", " cursor\nvscode "]
)
def test_a_list_is_written_with_spaces_or_commas(env, text):
    env(private_use_schemes=text)

    assert load().private_use_schemes == ("cursor", "vscode")


def test_hosts_of_the_allow_list_are_kept_in_lower_case(env):
    env(outbound_allow="Gate.example:8443, [::1]:80 mock:443")

    assert load().outbound_allow == ("gate.example:8443", "[::1]:80", "mock:443")


def test_a_setting_knows_where_it_comes_from(env):
    env(code_seconds="30")

    settings = load(waiting_seconds=10)

    assert source(settings, "code_seconds") == "environment"
    assert source(settings, "waiting_seconds") == "argument"
    assert source(settings, "contact") == "default"


def test_a_misspelled_variable_is_found(env):
    env(isuer="https://example.org", issuer_file="/nowhere", secret_key_file="")

    assert unknown_variables() == ["GATEWRIGHT_ISSUER_FILE", "GATEWRIGHT_ISUER"]
    assert load().issuer == "http://127.0.0.1:8000"


def test_secrets_are_not_in_the_text_of_the_settings(env):
    env(secret_key=KEY, registration_token="a-token-of-twenty-letters")

    assert KEY not in repr(load())
    assert "a-token-of-twenty-letters" not in str(load())
