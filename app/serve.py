"""Start-up: data directory, migrations, keys, setup link, gunicorn."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
from flask import Flask
from sqlalchemy import text

from app.config import ConfigurationError, Settings
from app.domain import setup_links, signing_keys, users
from app.domain.audit import SERVER
from app.extensions import db

ADVISORY_LOCK = 0x67617465
"""Number of the PostgreSQL lock that one starting process holds."""


def prepare(app: Flask) -> None:
    """Bring the database up to date and make the first keys; safe to run in many processes."""
    settings: Settings = app.extensions["gatewright.settings"]
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with app.app_context(), alone(settings):
        flask_migrate.upgrade()
        signing_keys.ensure(app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        db.session.commit()
        db.engine.dispose()


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Let one process at a time prepare: by file with SQLite, by lock with PostgreSQL."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
            try:
                yield
            finally:
                connection.execute(text(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})"))
        return
    with (settings.data_dir / "prepare.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_setup_link(app: Flask) -> str | None:
    """Return the one-time link while there is no administrator, also kept in a 0600 file."""
    settings: Settings = app.extensions["gatewright.settings"]
    with app.app_context():
        if users.has_admin():
            return None
        token = setup_links.issue(by=SERVER)
        db.session.commit()
    link = f"{settings.issuer}/setup#token={token}"
    path = settings.data_dir / "setup-link"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(link + "\n")
    return link


def show_setup_link(link: str, path: Path) -> None:
    """Print the link to a person; a log only learns where it is kept."""
    if sys.stdout.isatty():
        rule = "-" * min(len(link), 100)
        print(f"{rule}\nCreate the first administrator within 60 minutes:\n{link}\n{rule}")
    else:
        print(f"The link to create the first administrator is in {path} for 60 minutes.")
    sys.stdout.flush()


def check_processes(settings: Settings, workers: int) -> None:
    """Refuse several processes that would each count rate limits for themselves."""
    shared = bool(settings.redis_url.get_secret_value())
    if workers > 1 and settings.rate_limit_enabled and not shared:
        raise ConfigurationError(
            [
                "several workers need GATEWRIGHT_REDIS_URL, because rate limits in process"
                " memory would be multiplied"
            ]
        )


def run_gunicorn(host: str, port: int, workers: int, threads: int) -> None:
    """Replace this process by gunicorn, so that signals reach it directly."""
    arguments = [
        sys.executable,
        "-m",
        "gunicorn",
        "wsgi:app",
        "--bind",
        f"{host}:{port}",
        "--worker-class",
        "gthread",
        "--workers",
        str(workers),
        "--threads",
        str(threads),
        "--no-control-socket",
        "--graceful-timeout",
        "20",
        "--keep-alive",
        "5",
        "--limit-request-line",
        "8190",
        "--log-level",
        "warning",
    ]
    os.execv(sys.executable, arguments)  # noqa: S606 - no shell, and nothing a stranger sent
