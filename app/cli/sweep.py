"""Owns the command of the clean-up: sweep."""

from collections import Counter
from typing import Any

import click

from app.cli import shell
from app.config import current_settings
from app.domain import sweeps
from app.domain.sweeps import Due
from app.extensions import db


@click.command("sweep", cls=shell.Command)
@click.option("--dry-run", is_flag=True, help="Show what would be done and change nothing.")
def sweep(dry_run: bool) -> None:
    """End what waited too long or is not used, and purge what is dead."""
    with shell.application():
        rules = current_settings().sweep_rules
        if dry_run:
            shell.show(facts(sweeps.due(rules)))
            return
        done: Counter[str] = Counter()
        while any((step := sweeps.sweep(rules, by=shell.actor())).values()):
            db.session.commit()
            done.update(step)
        db.session.commit()
        shell.show({**step, **done})


def facts(due: Due) -> dict[str, Any]:
    """Return what a sweep would do, by the names that it reports with."""
    return {
        "expired software": due.pending,
        "unused clients": due.unused,
        "forgotten software": due.forgotten,
        "never used registrations": due.registrations,
        **due.rows,
    }
