"""Owns the version of the database: bringing it up to date, and telling whether it is."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app

from app.extensions import db

NEWER = "The database was made by a newer version of Gatewright; start that version."
BEHIND = "The database is not at the version of this program; run gatewright db upgrade."


class WrongVersion(Exception):
    """Raised when the database is not at the version of this program; says what to do."""


def upgrade() -> None:
    """Bring the database to the version of this program; raises WrongVersion when it is newer."""
    found = version()
    if found is not None and not is_known(found):
        raise WrongVersion(NEWER)
    command.upgrade(configuration(), "head")


def check() -> None:
    """Raise WrongVersion unless the database is at the version of this program."""
    found = version()
    if found == head():
        return
    raise WrongVersion(NEWER if found is not None and not is_known(found) else BEHIND)


def version() -> str | None:
    """Return the version of the database; None before the first migration.

    An SQLite file that is not there is not made: asking would leave an empty one.
    """
    if db.engine.dialect.name == "sqlite" and not Path(db.engine.url.database or "").exists():
        return None
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """Return the newest version this program has."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def is_known(revision: str) -> bool:
    """Tell whether this program has a migration to a version."""
    try:
        return ScriptDirectory.from_config(configuration()).get_revision(revision) is not None
    except CommandError:
        return False


def configuration() -> Any:
    """Return Alembic's configuration with the folder of the migrations."""
    return current_app.extensions["migrate"].migrate.get_config()
