"""Migrations and models tell the same story, in both directions, on both databases."""

from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import schema
from app.domain import (
    ORDER,
    admissions,
    client_metadata,
    credentials,
    policies,
    registration_tokens,
    scopes,
    software,
)
from app.domain.audit import SERVER
from app.domain.client_records import Client
from app.domain.obligations import NO_TERMS
from app.domain.software import Software
from app.extensions import db

for noun in ORDER:
    import_module(f"app.domain.{noun}")  # every table counts, whoever uses it

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def differences() -> list:
    """Return what autogenerate would still change, indexes and column types included."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, db.metadata)


def tables() -> set[str]:
    """Return the names of the tables in the database."""
    return set(sa.inspect(db.engine).get_table_names())


def test_a_migrated_database_is_what_the_models_say(app):
    with app.app_context():
        assert differences() == []
        assert set(db.metadata.tables) == tables() - {"alembic_version"}


def test_a_change_of_a_model_without_a_migration_is_found(app):
    extra = sa.Table("unmigrated", db.metadata, sa.Column("id", sa.Text, primary_key=True))
    try:
        with app.app_context():
            assert [change[0] for change in differences()] == ["add_table"]
    finally:
        db.metadata.remove(extra)


def test_migrations_go_down_to_nothing_and_up_again(app):
    with app.app_context():
        command.downgrade(schema.configuration(), "base")
        assert tables() - {"alembic_version"} == set()

        schema.upgrade()
        assert differences() == []


def test_a_token_of_before_0006_has_no_terms_and_works_from_anywhere(app):
    with app.app_context():
        command.downgrade(schema.configuration(), "0005")
        old = "id, name, token_digest, used_count, created_at, created_by"
        row = f"'t', 'old', '{credentials.digest('iat_old')}', 0, 1, 'ada'"
        db.session.execute(sa.text(f"INSERT INTO initial_access_tokens ({old}) VALUES ({row})"))
        db.session.commit()
        schema.upgrade()

        assert registration_tokens.check("iat_old", "", "192.0.2.1") == "t"
        assert registration_tokens.terms("t") == NO_TERMS


def test_a_client_of_before_0013_counts_by_its_address(app):
    metadata = client_metadata.parse({"redirect_uris": ["https://a.example/cb"]})
    with app.app_context():
        arrival = admissions.evidence(
            metadata, source="dcr", initial_access_token=None, address="192.0.2.1", user_agent=""
        )
        admissions.register(arrival, policies.judge(arrival), by=SERVER)
        db.session.commit()
        command.downgrade(schema.configuration(), "0012")
        schema.upgrade()

        assert db.session.scalars(sa.select(Client.network)).all() == ["192.0.2.1"]


def test_software_of_before_0014_is_sorted_by_its_name_in_small_letters(app):
    with app.app_context():
        seen = {"source": "dcr", "verdict": {}, "notes": [], "address": "", "network": ""}
        software.see("mark", {"client_name": "Notes Reader"}, **seen)
        db.session.commit()
        command.downgrade(schema.configuration(), "0013")
        schema.upgrade()

        assert db.session.scalars(sa.select(Software.sort_name)).all() == ["notes reader"]


def test_a_scope_of_before_0018_keeps_the_words_that_operators_gave_it(app):
    with app.app_context():
        command.downgrade(schema.configuration(), "0017")
        db.session.execute(sa.text("UPDATE scopes SET description = 'Mail' WHERE name = 'email'"))
        db.session.execute(sa.text("DELETE FROM scopes WHERE name = 'profile'"))
        db.session.commit()
        schema.upgrade()

        assert scopes.get("email").description == "Mail"
        assert scopes.get("profile").risk == "medium"


def test_migrations_form_one_line_and_are_named_by_number():
    versions = list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())[::-1]

    assert versions, "there is no migration"
    numbers = [version.revision for version in versions]
    assert numbers == [f"{number:04d}" for number in range(1, len(versions) + 1)]
    for version in versions:
        assert Path(version.path).name.startswith(f"{version.revision}_")
    assert schema.versions() == numbers


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_enforces_foreign_keys_again_after_a_migration(app):
    with app.app_context():
        command.downgrade(schema.configuration(), "base")
        schema.upgrade()

        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
