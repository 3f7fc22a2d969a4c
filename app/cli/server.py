"""Owns the commands that run and examine the server: serve, worker, doctor."""

import signal
from dataclasses import asdict

import click
from flask import Flask

from app import config, exits, health, schema, serve, setting_rules
from app.cli import shell
from app.config import Settings
from app.gunicorn_server import Server, address
from app.worker import Worker


@click.command("serve", cls=shell.Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes; more than one need GATEWRIGHT_REDIS_URL.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    default=8,
    show_default=True,
    help="Threads of a process.",
)
def serve_command(host: str, port: int, workers: int, threads: int) -> None:
    """Make everything ready and serve until SIGTERM.

    Makes the data directory, the secret key, the signing keys and the database when they are not
    there, and brings the database up to date. While there is no administrator, a one-time link to
    create the first one is made; a terminal shows it, a log only names its file.
    """
    settings = settings_for(host, port)
    serve.check_processes(settings, workers)
    app = serve.build(settings)
    serve.prepare(app)
    for finding in health.examine_gate(app):
        if finding.level != "ok":
            click.echo(f"gatewright: {finding.check}: {finding.sentence}", err=True)
    Server(
        settings,
        host=host,
        port=port,
        workers=workers,
        threads=threads,
        announce=lambda: announce(app, address(host, port)),
    ).run()


def settings_for(host: str, port: int) -> Settings:
    """Read the settings; without an issuer it is the loopback address that is listened on."""
    settings = config.load()
    if "issuer" not in settings.model_fields_set and setting_rules.is_loopback(host.strip("[]")):
        return config.load(issuer=f"http://{address(host, port)}")
    return settings


def announce(app: Flask, bound: str) -> None:
    """Say that the server is there, and where the setup link is while there is no administrator.

    A new link ends the one before, so it is made once the address is ours.
    """
    settings = shell.settings_of(app)
    link, path = serve.make_setup_link(app), serve.link_path(settings)
    said = {"issuer": settings.issuer, "address": bound}
    lines = [f"Gatewright serves {settings.issuer} on {bound}."]
    if link is not None:
        said |= {"setup_link_file": str(path)} if path.exists() else {}
        lines.append(serve.describe_setup_link(link, path))
    shell.show(said, "\n".join(lines))


@click.command("worker", cls=shell.Command)
def worker() -> None:
    """Do the background work until SIGTERM: webhooks, the clean-up, reminders.

    For servers that gunicorn runs; gatewright serve does this work itself. Any number of workers
    share it.
    """
    app = serve.build()
    with serve.connected(app):
        schema.check()
    working = Worker(app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: working.stop.set())
    shell.show({"working": True}, "Working; SIGTERM ends it.")
    working.run()
    working.wait()


@click.command("doctor", cls=shell.Command)
def doctor() -> None:
    """Examine settings, database, keys, Redis, gate; ends with the code of the worst fault."""
    settings = config.load()
    if not settings.secret_key.get_secret_value() and not settings.data_dir.is_dir():
        raise config.ConfigurationError(
            ["the data directory is not there yet; gatewright serve makes it"]
        )
    app = serve.build(settings)
    with serve.connected(app):
        found = list(health.examine(app))
    found += health.examine_gate(app)
    shell.show_rows([asdict(finding) for finding in found], ("level", "check", "sentence"))
    click.get_current_context().exit(max((each.code for each in found), default=exits.OK))
