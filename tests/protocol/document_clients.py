"""Clients of documents as tests meet them, who decides about them, and what is kept of them.

Test files import its fixtures ``operator``, ``codex``, ``approved`` and ``put_in_force``.
"""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.gate_answers import GateAnswer
from app.domain.software import Software
from app.extensions import db
from app.outbound.gate import Question
from tests.conftest import Clock
from tests.protocol.documents import CODEX, DocumentHost
from tests.protocol.machines import Machine
from tests.protocol.persons import Person
from tests.protocol.registrants import Operator

LOOPBACK = "http://127.0.0.1:49152/callback"
OTHER = "https://other.example/cb"
HOUR, DAY = 3600, 86400


@pytest.fixture
def operator(app: Flask) -> Operator:
    """Return who decides about software."""
    return Operator(app)


@pytest.fixture
def codex(client: FlaskClient, host: DocumentHost) -> Machine:
    """Return the client of a published document."""
    return Machine(client, host.put(CODEX), redirect_uri=LOOPBACK)


@pytest.fixture
def approved(clock: Clock, codex: Machine, person: Person, operator: Operator) -> Machine:
    """Return a client of a document that was seen and approved, after the clock was stopped."""
    person.open(codex.asking())
    operator.approve(codex)
    return codex


@pytest.fixture
def put_in_force(put_in_force: Callable[..., None]) -> Callable[..., None]:
    """Return a function that puts one rule in force, its members given as keywords."""
    return lambda **rule: put_in_force(rule)


class FakeGate:
    """Answers what a test wants, and remembers what it was asked."""

    def __init__(self, *answers: GateAnswer) -> None:
        self.answers = list(answers)
        self.asked: list[Question] = []

    def ask(self, question: Question) -> GateAnswer:
        """Give the next answer."""
        self.asked.append(question)
        return self.answers.pop(0)


def count(app: Flask, table: type[Any]) -> int | None:
    """Return how many rows a table has."""
    with app.app_context():
        return db.session.scalar(db.select(db.func.count()).select_from(table))


def seen(operator: Operator, machine: Machine, **which: bool) -> Software:
    """Return the software of a client, or of its waiting revision."""
    return operator.look(operator.software_id(machine, **which))
