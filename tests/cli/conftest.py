"""The command `gatewright` as tests run it: in this process, over the test's own database."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from tests.conftest import ISSUER, SECRET_KEY

ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what never reaches the database."""


@pytest.fixture
def cli_env(database_url, tmp_path) -> dict[str, str]:
    """Return the environment of a command: the settings of the fixture `app`."""
    return {
        "GATEWRIGHT_ISSUER": ISSUER,
        "GATEWRIGHT_DATA_DIR": str(tmp_path),
        "GATEWRIGHT_DATABASE_URL": database_url,
        "GATEWRIGHT_SECRET_KEY": SECRET_KEY,
        "GATEWRIGHT_PASSWORD_MEMORY_KIB": "19456",
    }


@pytest.fixture
def run(cli_env) -> Callable[..., Result]:
    """Return a function that runs one command; an exception that escapes fails the test."""

    def run_command(*words: str, stdin: str | None = None, **changes: str | None) -> Result:
        env = cli_env | {f"GATEWRIGHT_{name.upper()}": value for name, value in changes.items()}
        runner = CliRunner(env=env)
        return runner.invoke(
            main, words, input=stdin, prog_name="gatewright", catch_exceptions=False
        )

    return run_command


@pytest.fixture
def said(run) -> Callable[..., Any]:
    """Return a function that runs a command which must succeed, and gives its JSON."""

    def run_command(*words: str, **options: Any) -> Any:
        result = run(*words, "--json", **options)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run_command


@pytest.fixture
def refusal(run) -> Callable[..., str]:
    """Return a function that runs a command which must be refused, and gives the error code.

    The same command without --json must say one line on stderr and nothing on stdout.
    """

    def run_command(*words: str, **options: Any) -> str:
        plain = run(*words, **options)
        assert plain.exit_code == 1, plain.output
        assert plain.stdout == ""
        assert plain.stderr.startswith("gatewright: ")
        assert plain.stderr.count("\n") == 1

        result = run(*words, "--json", **options)
        body = json.loads(result.stderr)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert set(body) == {"error", "error_description"}
        assert plain.stderr == f"gatewright: {body['error_description']}\n"
        return body["error"]

    return run_command


@pytest.fixture
def catalogue(said) -> None:
    """Make a signing key, and put two scopes and a resource into the catalogue."""
    said("db", "upgrade")
    said("scope", "create", "tool:read", "--description", "Read with the tool")
    said("scope", "create", "tool:write", "--description", "Write with the tool", "--risk", "high")
    said(
        *("resource", "create", "https://api.example/mcp", "--name", "Tools"),
        *("--scope", "tool:read", "--scope", "tool:write"),
    )
