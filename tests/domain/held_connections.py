"""What tests of connections share: a draft without faults, and an operator who fills it in."""

from dataclasses import replace

import pytest
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import select

from app.domain import connections
from app.domain.audit import Actor, AuditEvent
from app.domain.connection_drafts import Draft
from app.extensions import db

OPERATOR = Actor("operator", "u-1", "grace@people.example")
SEALING = b"s" * 32
SECRET = "c4n4ry-0123456789"
GOOD = Draft(
    token_endpoint="https://id.example/token?tenant=1",
    client_id="gatewright",
    client_secret=SECRET,
    scope="read write",
    description="the billing API",
)
BY_KEY = replace(GOOD, auth_method="private_key_jwt", client_secret="")
EC = ECKey.generate_key("P-256", private=True).as_dict(private=True)
RSA = RSAKey.generate_key(2048, private=True).as_dict(private=True)
OTHER_EC = ECKey.generate_key("P-256", private=True).as_dict(private=True)


@pytest.fixture
def context(app):
    """Open a context for verbs that are tried without a door."""
    with app.app_context():
        yield


def create(name="billing", draft=GOOD):
    """Make a connection as an operator."""
    row = connections.create(name, draft, SEALING, by=OPERATOR)
    db.session.commit()
    return row


def adopt(**environment):
    """Start with an environment that names these connections."""
    connections.adopt({name.replace("_", "-"): draft for name, draft in environment.items()})
    db.session.commit()


def events():
    """Return what the trail says of connections, the oldest first."""
    found = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id))
    return [event for event in found if event.tag.startswith("connection.")]


def stored():
    """Return everything that the two tables hold, as text."""
    rows = [*connections.find_all(), *events()]
    return " ".join(repr(getattr(row, c.name)) for row in rows for c in row.__table__.c)
