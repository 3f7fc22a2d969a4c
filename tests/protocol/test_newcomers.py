"""Software that takes no newcomers: who uses it goes on, everybody else is told to ask."""

from app.domain import clients, decisions
from app.domain.audit import SERVER
from app.domain.policies import CLOSED
from app.extensions import db
from tests.protocol.persons import answer_of
from tests.protocol.registrants import BODY, Operator, post, register


def turn(app, registrant, verb):
    """Close the software of a registrant to newcomers, or open it again."""
    with app.app_context():
        verb(clients.get(registrant.client_id).software_id, "too many", by=SERVER)
        db.session.commit()


def test_who_uses_closed_software_goes_on_and_newcomers_are_refused(app, client, enrol):
    registrant = register(client)
    Operator(app).approve(registrant)
    machine = registrant.machine
    old, new = enrol("old@people.example"), enrol("new@people.example")
    tokens = old.tokens(machine)
    turn(app, registrant, decisions.close)

    refused = post(client, BODY)
    assert (refused.status_code, refused.json["error_description"]) == (403, CLOSED)
    assert registrant.update().status_code == 200
    assert machine.refresh(tokens["refresh_token"]).status_code == 200
    assert machine.redeem(old.code(machine)).status_code == 200
    new.sign_in()
    told = answer_of(new.open(machine.asking()))
    assert told["error"] == "access_denied"
    assert "no new people" in told["error_description"]

    turn(app, registrant, decisions.reopen)
    assert post(client, BODY).status_code == 201
    assert machine.redeem(new.code(machine)).status_code == 200


def test_a_consent_page_from_before_is_no_way_in(app, client, enrol):
    registrant = register(client)
    Operator(app).approve(registrant)
    newcomer = enrol("new@people.example")
    page = newcomer.consent_page(registrant.machine)
    turn(app, registrant, decisions.close)

    assert answer_of(newcomer.decide(page))["error"] == "access_denied"
