"""Owns the pages of the policy's versions: what each says, how it differs, restoring it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Response
from werkzeug.wrappers import Response as BaseResponse

from app.console import rule_words
from app.console.differences import Difference, differences
from app.console.pages import actor, render_page, requires_fresh
from app.console.policy_saving import LONGEST_NUMBER, as_seen, back, saying_why, seen
from app.console.rule_words import Words
from app.console.windows import window
from app.domain import errors, policy_versions
from app.domain.policy_versions import PolicyVersion
from app.extensions import db


@dataclass(frozen=True, slots=True)
class Change:
    """What restoring a version would do to one rule."""

    kind: str
    """``added``, ``removed`` or ``changed``."""
    words: Words
    members: list[Difference]


def list_versions() -> Response:
    """Show the versions of the policy, newest first."""
    shown = window(
        lambda older, newer, size: policy_versions.find_page(
            older_than=key(older), newer_than=key(newer), size=size
        ),
        lambda row: str(row.number),
    )
    return render_page(
        "policy_versions.html",
        rows=shown.rows,
        shown=shown,
        in_force=policy_versions.in_force().number,
    )


def show_version(number: int) -> Response:
    """Show one version, and what would change if it were restored."""
    row = version(number)
    policy = policy_versions.in_force()
    now = rule_words.of_rules(policy.rules)
    then = rule_words.of_rules(policy_versions.of_row(row).rules)
    return render_page(
        "policy_version.html",
        row=row,
        rows=then,
        in_force=policy.number,
        changes=changes(now, then),
        order=new_order(now, then),
    )


@requires_fresh("admin", back="policies.show_version")
@saying_why
def restore_version(number: int) -> BaseResponse:
    """Put the rules of an earlier version in force again."""
    row = version(number)
    if number == as_seen().number:
        raise errors.InvalidRequest("This version is in force already.")
    policy_versions.restore(row.number, seen(), by=actor())
    db.session.commit()
    return back(f"The rules of version {number} are in force again, as a new version.")


def version(number: int) -> PolicyVersion:
    """Return one version; raises NotFound, also for numbers that no database can hold."""
    if len(str(number)) > LONGEST_NUMBER:
        raise errors.NotFound("There is no version of the policy with this number.")
    return policy_versions.get(number)


def key(written: str | None) -> int | None:
    """Return the number of a neighbouring version."""
    usable = written is not None and written.isascii() and written.isdigit()
    return int(written) if written and usable and len(written) <= LONGEST_NUMBER else None


def changes(now: Sequence[Words], then: Sequence[Words]) -> list[Change]:
    """Return what happens to each rule when the rules of now become those of then."""
    before, after = by_id(now), by_id(then)
    gone = [Change("removed", words, []) for words in now if words.rule.id not in after]
    new = [Change("added", words, []) for words in then if words.rule.id not in before]
    both = [(before[name], words) for name, words in after.items() if name in before]
    compared = [
        Change("changed", words, differences(rule_words.members(old), rule_words.members(words)))
        for old, words in both
    ]
    return [*new, *gone, *(change for change in compared if change.members)]


def new_order(now: Sequence[Words], then: Sequence[Words]) -> list[str]:
    """Return the names of the rules in both in their new order, or nothing if it is the old."""
    before, after = by_id(now), by_id(then)
    old = [name for name in before if name in after]
    new = [name for name in after if name in before]
    return [after[name].rule.name for name in new] if new != old else []


def by_id(listed: Sequence[Words]) -> Mapping[str, Words]:
    """Return rules by identifier, in their order."""
    return {words.rule.id: words for words in listed}
