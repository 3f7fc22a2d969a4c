"""Exit codes: documented, one line for each fault, never a trace."""

import json
from pathlib import Path

import click
import pytest
import sqlalchemy as sa

from app import exits
from app.cli import main
from app.cli.shell import Command
from app.extensions import db
from tests.cli.conftest import ON_ONE_DATABASE

ROOT = Path(__file__).parents[2]
NOWHERE = "postgresql://gatewright:hunter2@127.0.0.1:1/gatewright"


def leaves(command=main, path=()):
    """Yield every command with its words."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from leaves(child, (*path, name))
    else:
        yield path, command


COMMANDS = dict(leaves())


@ON_ONE_DATABASE
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_takes_json_and_has_help(run, words):
    result = run(*words, "--help")

    assert isinstance(COMMANDS[words], Command)
    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert COMMANDS[words].help


@ON_ONE_DATABASE
@pytest.mark.parametrize("code, meaning", exits.MEANINGS.items())
def test_every_exit_code_is_documented(run, code, meaning):
    helped = " ".join(run("--help").stdout.split())

    assert f"{code} {meaning}" in helped
    assert f"| {code} | {meaning} |" in (ROOT / "docs" / "cli.md").read_text()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_in_the_documentation(words):
    documented = (ROOT / "docs" / "cli.md").read_text()
    options = {option for param in COMMANDS[words].params for option in param.opts}

    assert f"gatewright {' '.join(words)}" in documented
    assert {name for name in options if name[:2] == "--" and name not in documented} == set()


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "words", [["client", "list"], ["db", "check"], ["db", "upgrade"], ["keys", "list"], ["serve"]]
)
def test_a_database_that_does_not_answer_ends_with_four(run, words):
    result = run(*words, "--json", database_url=NOWHERE)

    assert result.exit_code == exits.DATABASE
    assert json.loads(result.stderr)["error"] == "database_unavailable"
    assert "hunter2" not in result.output


@pytest.mark.parametrize("words", [["client", "list"], ["db", "check"], ["user", "setup-link"]])
def test_a_database_behind_the_program_ends_with_four(run, app, words):
    with app.app_context():
        db.session.execute(sa.text("DELETE FROM alembic_version"))
        db.session.commit()

    result = run(*words)

    assert result.exit_code == exits.DATABASE
    assert "gatewright db upgrade" in result.stderr


@pytest.mark.parametrize("words", [["client", "list"], ["db", "upgrade"], ["serve"]])
def test_a_database_of_a_newer_program_ends_with_four(run, app, words):
    with app.app_context():
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        db.session.commit()

    result = run(*words)

    assert result.exit_code == exits.DATABASE
    assert "newer version" in result.stderr


@ON_ONE_DATABASE
def test_all_faults_of_the_configuration_are_listed_and_end_with_three(run):
    result = run("client", "list", issuer="http://example.org", secret_key="short")

    assert result.exit_code == exits.CONFIGURATION
    assert result.stderr.splitlines() == [
        "gatewright: GATEWRIGHT_ISSUER must be https unless its host is a loopback address",
        "gatewright: GATEWRIGHT_SECRET_KEY must have at least 32 characters",
    ]


@ON_ONE_DATABASE
def test_a_data_directory_that_cannot_be_used_ends_with_three(run, tmp_path):
    (tmp_path / "file").touch()
    here = {"data_dir": str(tmp_path / "file"), "database_url": None, "secret_key": None}

    for words in (["client", "list"], ["serve"], ["db", "upgrade"]):
        result = run(*words, **here)

        assert result.exit_code == exits.CONFIGURATION
        assert result.stderr.startswith("gatewright: GATEWRIGHT_DATA_DIR: ")
        assert result.stderr.count("\n") == 1


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "text, mode", [("x" * 43, 0o644), ("short", 0o600), ("", 0o600)], ids=["open", "short", "empty"]
)
def test_a_bad_file_of_the_secret_key_ends_with_three(run, tmp_path, text, mode):
    path = tmp_path / "secret_key"
    path.write_text(text)
    path.chmod(mode)

    result = run("client", "list", database_url=None, secret_key=None)

    assert result.exit_code == exits.CONFIGURATION
    assert "secret_key in the data directory must" in result.stderr


@ON_ONE_DATABASE
@pytest.mark.parametrize("words", [[], ["nothing"], ["client"], ["client", "show"], ["--nothing"]])
def test_wrong_usage_ends_with_two(run, words):
    assert run(*words).exit_code == exits.USAGE


def test_a_defect_is_not_called_a_refusal():
    assert exits.explain(KeyError("a defect")) is None
