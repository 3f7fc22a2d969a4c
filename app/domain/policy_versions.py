"""Owns the versions of the policy: each save makes one, the newest is in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Integer, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors, policies, rules
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.evidence import Evidence
from app.domain.policies import Verdict
from app.domain.rules import Rule
from app.extensions import Base, JSONValue, db, insert_once

RULES = 200
"""So many rules at most, which keeps judging cheap."""


class PolicyVersion(Base):
    """One version of the policy; rows are only ever inserted."""

    __tablename__ = "policy_versions"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSONValue)
    note: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(255))


class RuleHits(Base):
    """How often a rule decided, or in shadow would have."""

    __tablename__ = "rule_hits"

    rule_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    hits: Mapped[int] = mapped_column(Integer)
    shadow_hits: Mapped[int] = mapped_column(Integer)
    last_hit_at: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one version, in their order."""

    number: int
    rules: tuple[Rule, ...]

    def judge(self, evidence: Evidence) -> Verdict:
        """Return the verdict of this version on an arrival."""
        return policies.judge(evidence, self.rules, self.number)

    def foresee(self, evidence: Evidence) -> Verdict:
        """Return what this version says of a document that nobody has fetched yet."""
        return policies.foresee(evidence, self.rules, self.number)

    def find(self, rule_id: str) -> Rule | None:
        """Return one rule."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def get(self, rule_id: str) -> Rule:
        """Return one rule; raises NotFound."""
        rule = self.find(rule_id)
        if rule is None:
            raise errors.NotFound("There is no rule with this identifier in this version.")
        return rule


def in_force() -> Policy:
    """Return the newest version; its number is 0 when operators have written no rules."""
    row = db.session.scalar(select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(1))
    return Policy(0, ()) if row is None else of_row(row)


def of_row(row: PolicyVersion) -> Policy:
    """Return the policy of a stored version."""
    return Policy(row.number, rules.all_from_json(row.rules))


def get(number: int) -> PolicyVersion:
    """Return one version; raises NotFound."""
    row = db.session.get(PolicyVersion, number)
    if row is None:
        raise errors.NotFound("There is no version of the policy with this number.")
    return row


def find_page(
    *, older_than: int | None = None, newer_than: int | None = None, size: int
) -> Sequence[PolicyVersion]:
    """Return at most ``size`` versions, newest first, beside the number of a neighbour."""
    query = select(PolicyVersion)
    if newer_than is not None:
        rising = query.where(PolicyVersion.number > newer_than).order_by(PolicyVersion.number)
        return list(reversed(db.session.scalars(rising.limit(size)).all()))
    if older_than is not None:
        query = query.where(PolicyVersion.number < older_than)
    return db.session.scalars(query.order_by(PolicyVersion.number.desc()).limit(size)).all()


def save(wanted: Iterable[Rule], seen: int, *, by: Actor, note: str = "") -> Policy:
    """Put rules in force as a new version; raises Conflict unless ``seen`` is the newest."""
    before = in_force()
    known = {rule.id: rule for rule in before.rules}
    changed = tuple(signed(rule, known, by) for rule in wanted)
    check(changed)
    number = seen + 1
    fresh = before.number == seen and insert_once(
        PolicyVersion,
        number=number,
        rules=[rule.as_json() for rule in changed],
        note=note,
        created_at=clock.epoch(),
        created_by=by.name or by.kind,
    )
    if not fresh:
        raise errors.Conflict("Somebody has changed the policy meanwhile; look at it again.")
    audit.record(Tag.POLICY_CHANGED, str(number), by=by, note=note, **differences(known, changed))
    return Policy(number, changed)


def restore(number: int, seen: int, *, by: Actor) -> Policy:
    """Put the rules of an earlier version in force again, as a new version."""
    old = of_row(get(number))
    return save(old.rules, seen, by=by, note=f"Restored from version {number}")


def check(wanted: Sequence[Rule]) -> None:
    """Refuse too many rules, and two of one name: traces tell rules apart by their names."""
    if len(wanted) > RULES:
        raise errors.InvalidRequest("A policy can have two hundred rules at most.")
    if len({rule.id for rule in wanted}) < len(wanted):
        raise errors.InvalidRequest("Two rules of a policy have the same identifier.")
    if len({rule.name.casefold() for rule in wanted}) < len(wanted):
        raise errors.InvalidRequest("Two rules of a policy have the same name; rename one.")


def signed(rule: Rule, known: Mapping[str, Rule], by: Actor) -> Rule:
    """Return a rule with its identifier, and with who changed it last and when."""
    old = known.get(rule.id)
    same = old is not None and replace(rule, changed_by=old.changed_by, changed_at=old.changed_at)
    if same and same == old:
        return old
    return replace(
        rule,
        id=rule.id or credentials.new_id(),
        changed_by=by.name or by.kind,
        changed_at=clock.epoch(),
    )


def differences(known: Mapping[str, Rule], wanted: Sequence[Rule]) -> dict[str, Any]:
    """Return the names of the rules that a save adds, changes and removes, and their order."""
    kept = {rule.id for rule in wanted}
    return {
        "rules": [rule.name for rule in wanted],
        "added": [rule.name for rule in wanted if rule.id not in known],
        "changed": [rule.name for rule in wanted if known.get(rule.id, rule) != rule],
        "removed": [rule.name for rule_id, rule in known.items() if rule_id not in kept],
    }


def count(verdict: Verdict) -> None:
    """Count the rule that decided, and those in shadow that would have."""
    shadows = [step.id for step in verdict.trace if step.shadow and step.result != "no match"]
    for rule_id in filter(None, (verdict.rule_id, *shadows)):
        add_hit(rule_id, in_shadow=rule_id != verdict.rule_id)


def add_hit(rule_id: str, *, in_shadow: bool) -> None:
    """Count one rule once."""
    now, decided, silent = clock.epoch(), int(not in_shadow), int(in_shadow)
    if insert_once(RuleHits, rule_id=rule_id, hits=decided, shadow_hits=silent, last_hit_at=now):
        return
    db.session.execute(
        update(RuleHits)
        .where(RuleHits.rule_id == rule_id)
        .values(
            hits=RuleHits.hits + decided,
            shadow_hits=RuleHits.shadow_hits + silent,
            last_hit_at=now,
        )
        .execution_options(synchronize_session=False)
    )


def hits_of(rule_ids: Iterable[str]) -> dict[str, RuleHits]:
    """Return the counts of rules by identifier; a rule that never hit has none."""
    query = select(RuleHits).where(RuleHits.rule_id.in_(list(rule_ids)))
    return {row.rule_id: row for row in db.session.scalars(query)}
