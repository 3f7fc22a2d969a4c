"""Owns the commands about the configuration: config check, config show, config table."""

from collections.abc import Mapping
from typing import Any

import click

from app import config, setting_rows
from app.cli import shell


@click.group("config", cls=shell.Group)
def config_group() -> None:
    """Look for faults in the settings, and show what is in force."""


@config_group.command("check")
def check() -> None:
    """Look for faults in the settings; all of them are listed."""
    config.load()
    unknown = config.unknown_variables()
    for name in unknown:
        click.echo(f"gatewright: {name} is not a setting of this version", err=True)
    shell.show({"ok": True, "unknown": unknown}, "The configuration has no faults.")


@config_group.command("show")
def show() -> None:
    """Show every setting with its source; secrets are masked."""
    rows: list[Mapping[str, Any]] = list(setting_rows.shown(config.load()))
    shell.show_rows(rows, ("name", "value", "source"))


@config_group.command("table")
def table() -> None:
    """Print the page docs/settings.md."""
    shell.show({"markdown": setting_rows.page()}, setting_rows.page().rstrip("\n"))
