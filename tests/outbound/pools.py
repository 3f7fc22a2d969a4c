"""A connection called billing, and its manager as a door finds it.

Test files import the fixtures hold, manager and change, and the endpoint of grants.py.
"""

from dataclasses import replace

import pytest

from app import connection_uses
from app.domain import connections
from app.extensions import db
from tests.domain.held_connections import GOOD, OPERATOR


@pytest.fixture
def hold(app):
    """Return a function that makes a connection called billing, once."""

    def create(draft=GOOD, **changes):
        with app.app_context():
            key = app.extensions["gatewright.keys"]["connections"]
            connections.create("billing", replace(draft, **changes), key, by=OPERATOR)
            db.session.commit()

    return create


@pytest.fixture
def manager(app):
    """Return a function that gives the manager of the connection as a door finds it."""

    def find(of=None):
        with app.app_context():
            return (of or connection_uses.managers()).of(connections.get("billing"))

    return find


@pytest.fixture
def change(app):
    """Return a function that does something with the connection."""

    def run(verb):
        with app.app_context():
            verb(connections.get("billing"))
            db.session.commit()

    return run


def of_environment(app, draft):
    """Let the environment set the connection instead of people."""
    with app.app_context():
        connections.remove(connections.get("billing"), by=OPERATOR)
        connections.adopt({"billing": draft})
        db.session.commit()
    app.extensions["gatewright.connections"].environment = {"billing": draft}
