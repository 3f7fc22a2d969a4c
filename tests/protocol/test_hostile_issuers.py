"""S-12: a client of ours that wants a token from a hostile place learns nothing about it."""

import pytest

from app.domain import admissions, client_metadata, connections, scopes
from app.domain.audit import SERVER
from app.domain.connection_drafts import Draft
from app.extensions import db
from app.protocol.connection_tokens import AWAY, SCOPE
from tests.corpora.hostile_upstreams import HOSTILE
from tests.outbound.conftest import Resolver
from tests.outbound.conftest import dialled as dialled
from tests.protocol.machines import FORM, assert_refused, known


@pytest.fixture
def ask(app, client):
    """Return a function by which a client wants the token of a connection, by its name."""
    wanted = client_metadata.parse({"client_name": "Worker", "grant_types": ["client_credentials"]})
    with app.app_context():
        scopes.create(SCOPE, "Get tokens of connections", by=SERVER)
        machine = known(client, *admissions.create(wanted, by=SERVER, allowed=[SCOPE]))
        db.session.commit()
    got = machine.post("/token", grant_type="client_credentials", scope=SCOPE).json
    headers = {"Authorization": f"Bearer {got['access_token']}"}
    return lambda name: client.post(
        f"/connections/{name}/token", content_type=FORM, headers=headers
    )


@pytest.mark.parametrize("place", ["issuer", "token_endpoint"])
def test_one_sentence_answers_whatever_is_wrong_with_the_place(app, ask, dialled, place, subtests):
    key = app.extensions["gatewright.keys"]["connections"]
    lookups = app.extensions["gatewright.outbound"].of_strangers
    with app.app_context():
        for number, hostile in enumerate(HOSTILE):
            draft = Draft(client_id="us", client_secret="s", **{place: hostile.url})
            connections.create(f"c-{number}", draft, key, by=SERVER)
        db.session.commit()
    for number, hostile in enumerate(HOSTILE):
        with subtests.test(hostile.name):
            lookups.resolve = Resolver(hostile.found)

            answer = ask(f"c-{number}")

            assert_refused(answer, "temporarily_unavailable", 503)
            assert answer.json["error_description"] == AWAY
    assert dialled == []
