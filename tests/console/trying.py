"""Tests of connections as an admin makes them; test files import endpoint and tried."""

from dataclasses import replace

import pytest

from app.domain import connections
from app.domain.connection_drafts import Draft
from app.extensions import db
from tests.domain.held_connections import OPERATOR
from tests.outbound.grants import endpoint as endpoint

SECRET = "c4n4ry/0123+456 789"
QUOTED = (SECRET, "c4n4ry%2F0123%2B456+789", "YmlsbDo")
"""The secret as it is, form-encoded, and the beginning of HTTP Basic."""
TOKEN = "t0k3n-of-the-other-server"


@pytest.fixture
def tried(app, admin, send):
    """Return a function that holds a login at a URL and tests it; gives the page."""

    def run(url, name="billing", **changes):
        draft = Draft(token_endpoint=url, client_id="bill", client_secret=SECRET, scope="a b")
        with app.app_context():
            key = app.extensions["gatewright.keys"]["connections"]
            row = connections.create(name, replace(draft, **changes), key, by=OPERATOR)
            db.session.commit()
        answer = send(admin, f"/admin/connections/{row.id}/test")
        assert answer.status_code == 200
        return answer.text

    return run
