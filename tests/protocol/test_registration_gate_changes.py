"""Updates and deletions at the registration gate: an update is asked about, a deletion is told."""

import pytest

from app.domain import clients
from app.domain.audit import SERVER
from app.extensions import db
from tests.cli.conftest import ON_ONE_DATABASE
from tests.protocol.gates import gated as gated
from tests.protocol.gates import refusal_of
from tests.protocol.gates import scripts as scripts
from tests.protocol.registrants import BODY, Operator, Registrant, register
from tests.services.gate import ALLOWED, said


def test_an_update_is_shown_to_the_gate_and_a_denial_changes_nothing(app, client, gated, scripts):
    gate = scripts(ALLOWED, said(403, {"error": "Not that."}))
    registrant = register(client)
    Operator(app).approve(registrant)
    managed = Registrant(gated(gate.url), registrant.answer)

    assert managed.update(client_name="Registrant").status_code == 200
    assert refusal_of(managed.update(redirect_uris=["https://evil.example/cb"])) == "Not that."

    assert managed.read().get_json()["redirect_uris"] == BODY["redirect_uris"]
    asked = gate.questions[1]
    assert (asked["operation"], asked["registration_id"]) == ("update", registrant.client_id)
    assert asked["source_api"] == registrant.path
    assert asked["registration_payload"]["redirect_uris"] == ["https://evil.example/cb"]
    assert registrant.token not in "".join(gate.bodies)


def test_an_update_may_leave_fewer_scopes_and_never_more(app, client, gated, scripts, record):
    wide = {"scope": "mcp:read mcp:write"}
    registrant = register(client, **wide)
    Operator(app).approve(registrant)
    narrow, wider = ({"scopes": ["mcp:read"]}, {"scopes": ["mcp:read", "mcp:write"]})
    http = gated(scripts(said(200, narrow), said(200, wider)).url)
    managed = Registrant(http, registrant.answer)

    for _ in range(2):
        assert managed.update().status_code == 200
        assert record(registrant).scopes == {"mcp:read"}


def test_a_client_deleted_while_the_gate_thinks_is_not_there(app, client, gated, scripts):
    registrant = register(client)

    def delete(connection):
        with app.app_context():
            clients.delete(clients.get(registrant.client_id), "gone", by=SERVER)
            db.session.commit()
        connection.sendall(ALLOWED)

    managed = Registrant(gated(scripts(delete).url), registrant.answer)

    assert managed.update(client_name="Other").status_code == 401


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "answer", [ALLOWED, said(403), said(500), b""], ids=["200", "403", "500", "nothing"]
)
def test_a_deletion_is_told_once_and_happens_whatever_is_answered(client, gated, scripts, answer):
    gate = scripts(answer)
    registrant = register(client)
    managed = Registrant(gated(gate.url), registrant.answer)

    assert managed.delete().status_code == 204

    assert managed.read().status_code == 401
    [asked] = gate.questions
    assert (asked["operation"], asked["registration_id"]) == ("delete", registrant.client_id)
    assert asked["registration_payload"]["client_name"] == "Registrant"
    assert registrant.token not in gate.bodies[0]
