"""Owns how pages of the console put rules in force, and what happens when two do at once."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from app.console.forms import word
from app.console.pages import actor
from app.domain import errors, policy_versions
from app.domain.policy_versions import Policy
from app.domain.rules import Rule
from app.extensions import db

NOTE_LENGTH = 500
LONGEST_NUMBER = 9
CHANGED = "Somebody has changed the policy meanwhile; look at it again."
Arguments = ParamSpec("Arguments")


def seen() -> int:
    """Return the number of the version that the page of a form showed; -1 when it says none."""
    written = word("seen")
    usable = written.isascii() and written.isdigit() and len(written) <= LONGEST_NUMBER
    return int(written) if usable else -1


def as_seen() -> Policy:
    """Return the policy in force; raises Conflict when it is not what the page showed."""
    policy = policy_versions.in_force()
    if policy.number != seen():
        raise errors.Conflict(CHANGED)
    return policy


def saying_why(view: Callable[Arguments, Response]) -> Callable[Arguments, Response]:
    """Let a view go back to the list with the reason when the policy cannot be changed."""

    @wraps(view)
    def careful(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Response:
        try:
            return view(*args, **kwargs)
        except (errors.Conflict, errors.InvalidRequest) as refusal:
            db.session.rollback()
            return back(str(refusal.description), "error")

    return careful


def put_in_force(
    wanted: Iterable[Rule], note: str, done: str, anchor: str | None = None
) -> Response:
    """Save rules as a new version and go back to the list; raises Conflict."""
    policy_versions.save(wanted, seen(), by=actor(), note=note[:NOTE_LENGTH])
    db.session.commit()
    return back(done, anchor=anchor)


def back(message: str, category: str = "success", anchor: str | None = None) -> Response:
    """Go back to the list, to one of its rules, and say what happened."""
    flash(message, category)
    return redirect(url_for("policies.list_policies", _anchor=anchor), 303)


def anchor_of(rule_id: str) -> str:
    """Return where on the list a rule stands."""
    return f"rule-{rule_id}"
