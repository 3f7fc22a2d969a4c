"""Owns the version of the database: bringing it up to date, and telling whether it is.

Alembic is imported by whoever migrates: it would be a tenth of the memory of every worker.
"""

from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import inspect, text

from app import mount
from app.extensions import db

NEWER = "The database was made by a newer version of Gatewright; start that version."
BEHIND = "The database is not at the version of this program; run gatewright db upgrade."


class WrongVersion(Exception):
    """Raised when the database is not at the version of this program; says what to do."""


def upgrade() -> None:
    """Bring the database to the version of this program; raises WrongVersion when it is newer."""
    found = version()
    if found is not None and found not in versions():
        raise WrongVersion(NEWER)
    if found != head():
        from alembic import command

        command.upgrade(configuration(), "head")


def check() -> None:
    """Raise WrongVersion unless the database is at the version of this program."""
    found = version()
    if found == head():
        return
    raise WrongVersion(NEWER if found is not None and found not in versions() else BEHIND)


def version() -> str | None:
    """Return the version of the database; None before the first migration.

    An SQLite file that is not there is not made: asking would leave an empty one.
    """
    if db.engine.dialect.name == "sqlite" and not Path(db.engine.url.database or "").exists():
        return None
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def head() -> str:
    """Return the newest version this program has."""
    return versions()[-1]


def versions() -> list[str]:
    """Return all versions that this program knows, oldest first; migrations are named by them."""
    files = (folder() / "versions").glob("[0-9]*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def folder() -> Path:
    """Return where the migrations are."""
    return mount.folder("migrations")


def configuration() -> Any:
    """Return Alembic's configuration, for its commands on the application in use."""
    from flask_migrate import Migrate

    if "migrate" not in current_app.extensions:
        Migrate(current_app, db, directory=str(folder()))
    return current_app.extensions["migrate"].migrate.get_config()
