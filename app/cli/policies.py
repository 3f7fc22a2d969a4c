"""Owns the commands about admission rules: policy list, show, test, replay, apply."""

from pathlib import Path
from typing import Any

import click

from app.cli import shell
from app.cli.parameters import FILE, WORDS
from app.domain import errors, policy_files, policy_versions, simulations
from app.domain.policies import Verdict
from app.domain.policy_files import Example, PolicyFile
from app.domain.policy_versions import Policy
from app.domain.rules import Rule, Step
from app.domain.simulations import Arrival
from app.exits import REFUSED
from app.extensions import db


@click.group("policy", cls=shell.Group)
def policy_group() -> None:
    """Admission rules: what is admitted, held or refused without asking a person each time."""


@policy_group.command("list")
def list_rules() -> None:
    """List the rules in force, in the order in which they are asked."""
    with shell.application():
        policy = policy_versions.in_force()
        counts = policy_versions.hits_of(rule.id for rule in policy.rules)
        rows = [facts(rule, counts) for rule in policy.rules]
    shell.show_rows(rows, ("name", "outcome", "enabled", "shadow", "hits", "shadow_hits"))


@policy_group.command("show")
def show() -> None:
    """Print the rules in force as a policy file."""
    with shell.application():
        policy = policy_versions.in_force()
    written = [policy_files.plain(rule) for rule in policy.rules]
    text = policy_files.write(policy.rules).rstrip("\n")
    shell.show({"version": policy.number, "rules": written}, text)


@policy_group.command("test")
@click.argument("file", type=FILE)
def test(file: Path) -> None:
    """Judge the examples of a policy file; needs no server and no settings.

    Ends with 1 when an example is judged otherwise than it expects.
    """
    judged = read(file).check()
    rows = [judged_row(example, verdict) for example, verdict in judged]
    failed = [row for row in rows if not row["ok"]]
    shell.show({"ok": not failed, "examples": rows}, "\n".join(map(told, rows)) or "No examples.")
    if failed:
        click.get_current_context().exit(REFUSED)


@policy_group.command("replay")
@click.argument("file", type=FILE)
@click.option(
    "--last",
    type=click.IntRange(1, simulations.MOST),
    default=100,
    show_default=True,
    help="How many arrivals to judge again.",
)
def replay(file: Path, last: int) -> None:
    """Judge past arrivals by the rules of a file; list those it would decide otherwise."""
    wanted = read(file)
    with shell.application():
        draft = Policy(0, policy_files.adopt(wanted.rules, policy_versions.in_force()))
        found = simulations.replay(draft, last)
    shell.show_rows(
        [difference(arrival, verdict) for arrival, verdict in found.differences],
        ("event", "name", "then", "then_rule", "now", "now_rule"),
    )


@policy_group.command("apply")
@click.argument("file", type=FILE)
@click.option("--note", type=WORDS, help="Why, for the list of versions.")
def apply(file: Path, note: str | None) -> None:
    """Put the rules of a file in force as a new version; its examples must hold."""
    wanted = read(file)
    if not all(example.is_met_by(verdict) for example, verdict in wanted.check()):
        raise errors.InvalidRequest("An example of the file does not hold; see policy test.")
    with shell.application():
        before = policy_versions.in_force()

        rules = policy_files.adopt(wanted.rules, before)
        after = policy_versions.save(rules, before.number, by=shell.actor(), note=note or "")
        db.session.commit()
    shell.show({"version": after.number, "rules": [rule.name for rule in after.rules]})


def read(file: Path) -> PolicyFile:
    """Read a policy file, or standard input for a dash."""
    try:
        with click.open_file(str(file), encoding="utf-8") as stream:
            return policy_files.parse(stream.read(policy_files.LONGEST + 1))
    except UnicodeDecodeError:
        raise click.BadParameter("must be text in UTF-8.") from None


def facts(rule: Rule, counts: dict[str, Any]) -> dict[str, Any]:
    """Return a rule as it is listed."""
    hits = counts.get(rule.id)
    return rule.as_json() | {
        "hits": hits.hits if hits else 0,
        "shadow_hits": hits.shadow_hits if hits else 0,
    }


def judged_row(example: Example, verdict: Verdict) -> dict[str, Any]:
    """Return an example with what the rules said."""
    return {
        "name": example.name,
        "ok": example.is_met_by(verdict),
        "expected": example.outcome,
        "expected_rule": example.rule,
        "outcome": verdict.outcome,
        "rule": verdict.rule,
        "trace": [step_row(step) for step in verdict.trace],
    }


def step_row(step: Step) -> dict[str, Any]:
    """Return what one rule said."""
    return {
        "rule": step.rule,
        "result": step.result,
        "reason": step.reason,
        "shadow": step.shadow,
    }


def told(row: dict[str, Any]) -> str:
    """Say in a line whether an example holds."""
    said = f"{row['outcome']} by {row['rule']}"
    expected = f"{row['expected']} by {row['expected_rule']}".removesuffix(" by ")
    ending = said if row["ok"] else f"expected {expected}, got {said}"
    return shell.written(f"{'ok  ' if row['ok'] else 'FAIL'}  {row['name']}: {ending}")


def difference(arrival: Arrival, verdict: Verdict) -> dict[str, Any]:
    """Return an arrival that would be decided otherwise."""
    return {
        "event": arrival.event_id,
        "name": arrival.evidence.metadata.get("client_name", ""),
        "then": arrival.outcome,
        "then_rule": arrival.rule,
        "now": verdict.outcome,
        "now_rule": verdict.rule,
    }
