"""Owns what the System page says about the parts this server stands on."""

from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import mount
from app.config import current_settings
from app.extensions import db, limiter

DATABASES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


@dataclass(frozen=True, slots=True)
class Check:
    """How one part is; ``state`` is ``ok``, ``failed`` or ``unused``."""

    name: str
    state: str
    text: str


def checks() -> tuple[Check, ...]:
    """Look at every part now."""
    return database(), migrations(), redis()


def database() -> Check:
    """Tell which database answers; raises OperationalError when none does."""
    dialect = db.session.connection().dialect
    numbers = ".".join(map(str, dialect.server_version_info or ()))
    return Check("Database", "ok", f"{DATABASES.get(dialect.name, dialect.name)} {numbers} answers")


def migrations() -> Check:
    """Tell whether the tables are what this version of the program expects."""
    wanted = set(ScriptDirectory(str(mount.folder("migrations"))).get_heads())
    found = set(MigrationContext.configure(db.session.connection()).get_current_heads())
    if found == wanted:
        return Check("Migrations", "ok", f"at {written(found)}, the newest")
    return Check(
        "Migrations", "failed", f"at {written(found)}, but this version needs {written(wanted)}"
    )


def written(versions: set[str]) -> str:
    """Write the names of versions."""
    return ", ".join(sorted(versions)) or "none"


def redis() -> Check:
    """Tell whether Redis answers, if the settings name one."""
    if not current_settings().redis_url.get_secret_value():
        return Check("Redis", "unused", "not set; each process counts its own rate limits")
    if limiter.storage.check():
        return Check("Redis", "ok", "answers; rate limits are shared")
    return Check(
        "Redis",
        "failed",
        "does not answer; each process counts alone, against a quarter of every limit",
    )
