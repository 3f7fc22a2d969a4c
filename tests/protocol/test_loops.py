"""Clients that register again at every attempt: one row of the queue, one approval for all."""

import pytest

from app.domain import software
from tests.protocol.persons import answer_of
from tests.protocol.registrants import Operator, register

ATTEMPTS = 12
LOOPS = {
    "like Codex, from another port each time": (
        {"client_name": "Codex", "application_type": "native"},
        "http://127.0.0.1:{port}/callback",
    ),
    "like Cursor, by its own scheme": (
        {"client_name": "Cursor", "client_uri": "https://cursor.com"},
        "cursor://anysphere.cursor-mcp/oauth/callback",
    ),
}


@pytest.mark.parametrize("shape, redirect", LOOPS.values(), ids=LOOPS)
def test_one_approval_serves_every_attempt(app, client, person, shape, redirect):
    attempts = [
        register(client, **shape, redirect_uris=[redirect.format(port=49152 + number)])
        for number in range(ATTEMPTS)
    ]
    assert len({each.client_id for each in attempts}) == ATTEMPTS
    with app.app_context():
        (row,) = software.find_page("pending", size=5)
        assert row.seen_count == ATTEMPTS

    Operator(app).approve(attempts[-1])

    person.sign_in()
    for each in (attempts[ATTEMPTS // 2], attempts[-1], register(client, **attempts[0].document())):
        assert 'name="decision"' in person.open(each.machine.asking()).text
    assert answer_of(person.decide(person.open(attempts[-1].machine.asking())))["code"]
