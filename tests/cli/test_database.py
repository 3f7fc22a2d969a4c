"""`gatewright db …`: bring the database up to date."""

import pytest
import sqlalchemy as sa

from app import create_app
from app.config import load
from app.extensions import db
from tests.cli.conftest import ON_ONE_DATABASE
from tests.conftest import ISSUER, SECRET_KEY


def test_a_database_that_is_up_to_date_passes(said):
    assert said("db", "check") == said("db", "upgrade")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@ON_ONE_DATABASE
def test_an_empty_database_is_brought_up_and_gets_its_keys(said, run, request, kind, tmp_path):
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres").create(f"empty_{tmp_path.name}"[:60])
    assert run("db", "check", database_url=url).exit_code == 4

    said("db", "upgrade", database_url=url)
    said("db", "upgrade", database_url=url)

    assert run("db", "check", database_url=url).exit_code == 0
    keys = said("keys", "list", database_url=url)
    assert sorted((key["algorithm"], key["state"]) for key in keys) == [
        (algorithm, state) for algorithm in ("ES256", "RS256") for state in ("active", "next")
    ]


@ON_ONE_DATABASE
def test_only_this_user_can_read_a_new_sqlite_file(said, run, tmp_path):
    folder = tmp_path / "fresh"
    own = {"data_dir": str(folder), "database_url": None, "secret_key": None}
    assert run("db", "check", **own).exit_code == 4
    assert not (folder / "gatewright.db").exists()

    said("db", "upgrade", **own)

    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert modes["secret_key"] == modes["gatewright.db"] == 0o600
    assert set(modes.values()) == {0o600}


def test_the_private_key_is_sealed_in_the_database(said, database_url, tmp_path):
    said("db", "upgrade")
    app = create_app(
        load(issuer=ISSUER, database_url=database_url, secret_key=SECRET_KEY, data_dir=tmp_path)
    )

    with app.app_context():
        sealed = bytes(db.session.scalar(sa.text("SELECT private_sealed FROM signing_keys")))
        db.session.remove()
        db.engine.dispose()

    assert b"PRIVATE KEY" not in sealed
    assert len(sealed) > 100
