"""Rules for the console to show: three of them in force, and which are in force now."""

from collections.abc import Callable

import pytest
from flask import Flask

from app.domain import policy_versions, rules
from app.domain.audit import Actor
from app.domain.policy_versions import Policy
from app.extensions import db

RULES = "/admin/policies/"
ADA = Actor("operator", "u-1", "ada@example.org")


def rule(name, outcome="hold", **more):
    """Return a rule as a policy file would give it."""
    return rules.from_json({"name": name, "outcome": outcome, **more})


@pytest.fixture
def in_force(app: Flask) -> Callable[[], Policy]:
    """Return a function that reads the policy in force."""

    def read() -> Policy:
        with app.app_context():
            return policy_versions.in_force()

    return read


@pytest.fixture
def save(app: Flask, in_force: Callable[[], Policy]) -> Callable[..., Policy]:
    """Return a function that puts rules in force behind the back of every page."""

    def put(*wanted: rules.Rule) -> Policy:
        with app.app_context():
            seen = policy_versions.in_force().number
            policy = policy_versions.save(wanted, seen, by=ADA, note="Behind your back")
            db.session.commit()
        return policy

    return put


@pytest.fixture
def policy(save: Callable[..., Policy]) -> Policy:
    """Put three rules in force as version 1."""
    return save(
        rule("One", "admit", when={"redirect_host": ["one.example", "loopback"]}),
        rule("Two", when={"name": "x*"}, shadow=True),
        rule("Three", "refuse", when={"network": "192.0.2.0/24"}, enabled=False, message="Go."),
    )
