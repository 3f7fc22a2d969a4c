"""Start-up: data directory, migrations, keys, setup link, gunicorn."""

import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from app import connection_settings, create_app, exits, schema, secret_files
from app.config import ConfigurationError, Settings
from app.domain import connections, setup_links, signing_keys, users, webhooks
from app.domain.audit import SERVER, Actor
from app.domain.connection_drafts import Draft
from app.extensions import db

ADVISORY_LOCK = 0x67617465
"""Number of the PostgreSQL lock that one starting process holds."""


def build(settings: Settings | None = None) -> Flask:
    """Wire an application; raises ConfigurationError when its data directory cannot be used."""
    try:
        return create_app(settings)
    except OSError as error:
        raise ConfigurationError([f"GATEWRIGHT_DATA_DIR: {error.strerror or error}"]) from None


def start() -> Flask:
    """Return an application that is ready to serve; end the process when it cannot be."""
    try:
        app = build()
        prepare(app)
    except Exception as fault:
        ending = exits.explain(fault)
        if ending is None:
            raise
        for sentence in ending.sentences:
            print(f"gatewright: {sentence}", file=sys.stderr, flush=True)
        raise SystemExit(ending.code) from None
    return app


def prepare(app: Flask) -> None:
    """Bring the database up to date and make the first keys; safe to run in many processes."""
    with connected(app), alone(app):
        schema.upgrade()
        signing_keys.ensure(app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        webhooks.adopt(app.extensions["gatewright.settings"].registration_webhook_url)
        adopt_connections(app.extensions["gatewright.settings"].connections)
        db.session.commit()


def adopt_connections(environment: Mapping[str, Draft]) -> None:
    """Keep the connections of the settings; raises ConfigurationError for names that are taken."""
    taken = connections.taken(environment)
    if taken:
        raise ConfigurationError([connection_settings.taken(name) for name in taken])
    connections.adopt(environment)


@contextmanager
def connected(app: Flask) -> Iterator[None]:
    """Open an application context that leaves no connection behind for a forked process."""
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


@contextmanager
def alone(app: Flask) -> Iterator[None]:
    """Let one process at a time prepare: by file with SQLite, by lock with PostgreSQL."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
            try:
                yield
            finally:
                connection.execute(text(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})"))
        return
    with open_lock(app.extensions["gatewright.settings"].data_dir) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        make_private_database(Path(db.engine.url.database or ""))
        yield


@contextmanager
def open_lock(data_dir: Path) -> Iterator[int]:
    """Open the lock file of a data directory, which is made when it is not there."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "prepare.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError([f"GATEWRIGHT_DATA_DIR: {error.strerror}"]) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def make_private_database(path: Path) -> None:
    """Make the file of a new SQLite database, so that only this user can read it."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise ConfigurationError([f"the SQLite file cannot be made: {error.strerror}"]) from None


def make_setup_link(app: Flask) -> str | None:
    """Return a new one-time link while there is no administrator."""
    settings: Settings = app.extensions["gatewright.settings"]
    with connected(app):
        if users.has_admin():
            link_path(settings).unlink(missing_ok=True)
            return None
        link = issue_setup_link(settings, by=SERVER)
        db.session.commit()
    return link


def issue_setup_link(settings: Settings, *, by: Actor) -> str:
    """Return a new one-time link, also kept in a 0600 file; the one before ends."""
    token = setup_links.issue(by=by)
    link = f"{settings.issuer}/setup#token={token}"
    keep_link(link_path(settings), link)
    return link


def link_path(settings: Settings) -> Path:
    """Return where the setup link is kept."""
    return settings.data_dir.absolute() / "setup-link"


def keep_link(path: Path, link: str) -> None:
    """Replace the file of the link; a replica without a data directory keeps none."""
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        secret_files.write_private(fresh, link + "\n")
        fresh.replace(path)
    except OSError as error:
        print(f"gatewright: the setup link cannot be kept: {error.strerror}", file=sys.stderr)


def describe_setup_link(link: str, path: Path) -> str:
    """Write the link for a person at a terminal; a log only learns where it is kept."""
    if sys.stdout.isatty():
        rule = "-" * min(len(link), 100)
        return f"{rule}\nCreate the first administrator within 60 minutes:\n{link}\n{rule}"
    if path.exists():
        return f"The link to create the first administrator is in {path} for 60 minutes."
    return "Run gatewright user setup-link for the link to create the first administrator."


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
