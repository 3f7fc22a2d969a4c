"""Policies: the rules that decide about arrivals, their order, and where their pages are."""

from dataclasses import replace

from flask import Response
from werkzeug.wrappers import Response as BaseResponse

from app.console import policy_history, rule_form, rule_words
from app.console.forms import word
from app.console.pages import console_blueprint, render_page, requires_fresh
from app.console.policy_saving import anchor_of, as_seen, put_in_force, saying_why
from app.domain import errors, policy_versions, rule_presets
from app.domain.rules import Rule

bp = console_blueprint("policies", __name__, "/policies")
STEPS = {"up": -1, "down": 1}


@bp.get("/")
def list_policies() -> Response:
    """Show the rules in their order, with those that are always there around them."""
    policy = policy_versions.in_force()
    return render_page(
        "policies.html",
        policy=policy,
        fixed=rule_words.FIXED,
        rows=rule_words.of_rules(policy.rules),
        hits=policy_versions.hits_of(rule.id for rule in policy.rules),
        presets=[(each, each.missing(policy.rules)) for each in rule_presets.PRESETS],
    )


@bp.post("/move")
@requires_fresh("admin", back="policies.list_policies")
@saying_why
def move_rule() -> BaseResponse:
    """Let a rule change places with its neighbour."""
    rule, rules = named()
    direction = word("direction")
    old = rules.index(rule)
    new = old + STEPS.get(direction, 0)
    if new == old or not 0 <= new < len(rules):
        raise errors.InvalidRequest("The rule cannot be moved there.")

    rules.insert(new, rules.pop(old))
    done = f"“{rule.name}” is rule {new + 1} of {len(rules)} now."
    return put_in_force(rules, f"Moved {direction}: {rule.name}", done, anchor_of(rule.id))


@bp.post("/switch")
@requires_fresh("admin", back="policies.list_policies")
@saying_why
def switch_rule() -> BaseResponse:
    """Switch a rule on or off; one that is off is not even asked."""
    rule, rules = named()
    rules[rules.index(rule)] = replace(rule, enabled=not rule.enabled)
    state = "off" if rule.enabled else "on"
    done = f"“{rule.name}” is switched {state}; it takes effect with the next arrival."
    return put_in_force(rules, f"Switched {state}: {rule.name}", done, anchor_of(rule.id))


@bp.post("/delete")
@requires_fresh("admin", back="policies.list_policies")
@saying_why
def delete_rule() -> BaseResponse:
    """Take a rule out of the policy; earlier versions keep it."""
    rule, rules = named()
    rules.remove(rule)
    done = f"“{rule.name}” is deleted; restore an earlier version to have it back."
    return put_in_force(rules, f"Deleted: {rule.name}", done)


@bp.post("/preset")
@requires_fresh("admin", back="policies.list_policies")
@saying_why
def add_preset() -> BaseResponse:
    """Put the rules of a preset that are not there yet behind the others."""
    preset = rule_presets.find(word("key"))
    if preset is None:
        raise errors.NotFound("There is no preset with this key.")
    rules = as_seen().rules
    missing = preset.missing(rules)
    if not missing:
        raise errors.InvalidRequest("The rules of this preset are there already.")

    done = f"Added behind the others: {', '.join(rule.name for rule in missing)}."
    return put_in_force((*rules, *missing), f"Added the preset {preset.title}", done)


def named() -> tuple[Rule, list[Rule]]:
    """Return the rule that a form names, and all rules for it to rearrange."""
    policy = as_seen()
    return policy.get(word("id")), list(policy.rules)


bp.get("/new")(rule_form.new_rule)
bp.post("/new")(rule_form.create_rule)
bp.get("/edit")(rule_form.edit_rule)
bp.post("/edit")(rule_form.save_rule)
bp.get("/versions")(policy_history.list_versions)
bp.get("/versions/<int:number>")(policy_history.show_version)
bp.post("/versions/<int:number>/restore")(policy_history.restore_version)
