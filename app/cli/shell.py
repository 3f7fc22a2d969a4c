"""Owns what all commands share: --json, the application, the actor, printing, exit codes."""

import json
import os
import pwd
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from flask import Flask

from app import clock, exits, schema, serve
from app.config import Settings
from app.domain.audit import Actor

JSON = "gatewright.json"


class Command(click.Command):
    """A command with ``--json`` whose expected faults end in one line and a documented code."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Add ``--json`` to the command's own options."""
        super().__init__(*args, **options)
        self.params.append(
            click.Option(
                ["--json"],
                is_flag=True,
                expose_value=False,
                callback=remember_json,
                help="Print JSON.",
            )
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and translate expected faults."""
        try:
            return super().invoke(ctx)
        except Exception as fault:
            ending = exits.explain(fault)
            if ending is None:
                raise
            fail(ending)


class Group(click.Group):
    """A group whose commands are of our kind."""

    command_class = Command
    group_class = type


def remember_json(ctx: click.Context, _option: click.Parameter, given: bool) -> None:
    """Keep whether the answer is to be JSON."""
    ctx.meta[JSON] = given


def wants_json() -> bool:
    """Tell whether the caller wants JSON."""
    return bool(click.get_current_context().meta.get(JSON))


def fail(ending: exits.Ending) -> NoReturn:
    """Say on stderr what is wrong and end with the code of this kind of fault."""
    if wants_json():
        body = {"error": ending.error, "error_description": "; ".join(ending.sentences)}
        if len(ending.sentences) > 1:
            body["faults"] = list(ending.sentences)  # type: ignore[assignment]
        click.echo(json.dumps(body), err=True)
    else:
        for sentence in ending.sentences:
            click.echo(f"gatewright: {sentence}", err=True)
    click.get_current_context().exit(ending.code)


@contextmanager
def application() -> Iterator[Flask]:
    """Open the application over a database that is at the version of this program."""
    app = serve.build()
    with serve.connected(app):
        schema.check()
        yield app


def settings_of(app: Flask) -> Settings:
    """Return the settings of an application."""
    settings: Settings = app.extensions["gatewright.settings"]
    return settings


def actor() -> Actor:
    """Return who runs the command: the user as the operating system knows it."""
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = f"uid {number}"
    return Actor("cli", id=name, name=name)


def show(value: Any, text: str | None = None) -> None:
    """Print the answer: as JSON when asked for, else the text or the members of the value."""
    if wants_json():
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))
    elif text is not None:
        click.echo(text)
    else:
        for name, member in value.items():
            click.echo(f"{name}: {written(member)}")


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows: all members as JSON, else a table of some columns."""
    if wants_json():
        click.echo(json.dumps(list(rows), ensure_ascii=False, indent=2))
        return
    table = [list(columns), *([written(row.get(name)) for name in columns] for row in rows)]
    widths = [max(len(line[at]) for line in table) for at in range(len(columns))]
    for line in table:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def written(value: Any) -> str:
    """Write a value on one line; what a stranger chose cannot move the terminal's cursor."""
    if isinstance(value, Mapping):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, list | tuple):
        text = " ".join(map(str, value))
    else:
        text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def after(seconds: int | None) -> int | None:
    """Return the moment so many seconds from now."""
    return None if seconds is None else clock.epoch() + seconds
