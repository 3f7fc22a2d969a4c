"""Owns the form of a rule: a new one, or one that is there."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from app.console import rule_words
from app.console.differences import Difference, differences
from app.console.forms import Form, refused, word
from app.console.pages import actor, asked, render_page, requires_fresh
from app.console.policy_saving import NOTE_LENGTH, anchor_of, back, seen
from app.console.rule_fields import fields, grouped, in_use, read_then, read_when, typed_when
from app.domain import errors, grants, policy_versions, rule_drafts, rules, software
from app.domain.policy_versions import Policy
from app.domain.rules import NAME_LENGTH, OUTCOMES, TEXT_LENGTH, Rule
from app.extensions import db

EMPTY = Rule("", "hold")
RULE = "rule"
"""What is blamed when a rule is wrong as a whole."""


@requires_fresh("admin")
def new_rule() -> Response:
    """Show an empty form, or one that is filled in after some software."""
    return show(values_of(drafted()), Form(), policy_versions.in_force())


def drafted() -> Rule:
    """Return what a new rule begins with: to decide always as about the software in the address."""
    row = software.find(asked("software"))
    if row is None:
        return EMPTY
    if asked("outcome") == "refuse":
        return rule_drafts.always_refuse(row.client_metadata)
    return rule_drafts.always_admit(row.client_metadata, row.scopes)


@requires_fresh("admin", keeps=True)
def create_rule() -> BaseResponse:
    """Put a new rule behind the others."""
    return save(policy_versions.in_force(), None)


@requires_fresh("admin")
def edit_rule() -> Response:
    """Show the form of one rule."""
    policy = policy_versions.in_force()
    rule = policy.get(word("id"))
    return show(values_of(rule), Form(), policy, rule)


@requires_fresh("admin", back="policies.list_policies", keeps=True)
def save_rule() -> BaseResponse:
    """Change a rule in its place."""
    policy = policy_versions.in_force()
    return save(policy, policy.get(word("id")))


def save(policy: Policy, old: Rule | None) -> BaseResponse:
    """Put what was typed in force; nothing of it is lost when that cannot be."""
    form = Form()
    rule = read(form, old)
    note = form.text("saved_note", "The note about this change", NOTE_LENGTH, required=False)
    if policy.number != seen():
        return conflict(form, policy, old)
    if rule is None or form.faults:
        return show(typed(), form, policy, old)
    if rule == old:
        return back("Nothing has changed.", anchor=anchor_of(rule.id))

    wanted = [rule if each is old else each for each in policy.rules]
    done = f"{'Added' if old is None else 'Changed'}: {rule.name}"
    with form.blaming(RULE):
        policy = policy_versions.save(
            wanted if old else [*wanted, rule],
            policy.number,
            by=actor(),
            note=note or done[:NOTE_LENGTH],
        )
    if form.faults:
        return show(typed(), form, policy, old)
    db.session.commit()
    saved = next(each for each in policy.rules if each.name == rule.name)
    return back(f"{done}. It takes effect with the next arrival.", anchor=anchor_of(saved.id))


def read(form: Form, old: Rule | None) -> Rule | None:
    """Return the rule that was typed, or None when something is wrong with it."""
    message = ""
    with form.blaming("message"):
        message = rules.public_text(request.form)
    written = {
        "name": form.text("name", "The name", NAME_LENGTH),
        "outcome": form.choice("outcome", "The outcome", OUTCOMES),
        "when": read_when(form, typed_when()),
        "then": read_then(form),
        "enabled": "enabled" in request.form,
        "shadow": "shadow" in request.form,
        "message": message,
        "note": form.text("note", "The note", TEXT_LENGTH, required=False),
    }
    rule = None
    if not form.faults:
        with form.blaming(RULE):
            rule = rules.from_json(written)
    if rule is None or old is None:
        return rule
    return replace(rule, id=old.id, changed_by=old.changed_by, changed_at=old.changed_at)


def conflict(form: Form, policy: Policy, old: Rule | None) -> Response:
    """Show what was typed beside what became of the rule meanwhile."""
    page = show(typed(), form, policy, old, conflict=True, changed=meanwhile(old))
    page.status_code = HTTPStatus.CONFLICT
    return page


def meanwhile(rule: Rule | None) -> list[Difference]:
    """Return what differs between the rule as the page showed it and as it is now."""
    if rule is None:
        return []
    try:
        before = policy_versions.of_row(policy_versions.get(seen())).get(rule.id)
    except errors.NotFound:
        return []
    old, new = (rule_words.of_rules([each])[0] for each in (before, rule))
    return differences(rule_words.members(old), rule_words.members(new))


def values_of(rule: Rule) -> dict[str, Any]:
    """Return what the form of a rule shows."""
    then = rule.then
    return {
        "name": rule.name,
        "outcome": rule.outcome,
        "when": rule.when,
        "scopes": " ".join(then.scopes or ()),
        "resources": "\n".join(then.resources or ()),
        "access_token_seconds": then.access_token_seconds,
        "approve_days": then.approve_days,
        "message": rule.message,
        "note": rule.note,
        "saved_note": "",
        "enabled": rule.enabled,
        "shadow": rule.shadow,
        "no_scopes": then.scopes == (),
        "no_resources": then.resources == (),
    }


def typed() -> dict[str, Any]:
    """Return what was typed, wrong values included."""
    boxes = ("enabled", "shadow", "no_scopes", "no_resources")
    return (
        {name: request.form.get(name, "") for name in values_of(EMPTY)}
        | {name: name in request.form for name in boxes}
        | {"when": typed_when()}
    )


def show(
    values: dict[str, Any],
    form: Form,
    policy: Policy,
    rule: Rule | None = None,
    *,
    conflict: bool = False,
    changed: list[Difference] | None = None,
) -> Response:
    """Show the form; what is in use stands open, the rest in groups."""
    shown = fields(values["when"])
    page = render_page(
        "rule.html",
        values=values,
        faults=form.faults,
        rule=rule,
        seen=policy.number,
        outcomes=[(name, rule_words.OUTCOMES[name], None) for name in OUTCOMES],
        used=[field for field in shown.values() if in_use(field, form.faults)],
        groups=grouped(shown, form.faults),
        seconds=(grants.SHORTEST_SECONDS, grants.LONGEST_SECONDS),
        most_days=rules.LONGEST_APPROVAL_DAYS,
        conflict=conflict,
        changed=changed,
    )
    return refused(page, form)
