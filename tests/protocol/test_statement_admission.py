"""Admission by software statement: what it vouches for, and what still waits for a person."""

import pytest

from app.domain import policy_versions, recycling, rules
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol import vendors
from tests.protocol.machines import assert_refused
from tests.protocol.registrants import BODY, Operator, post, register
from tests.protocol.statements import INVALID, send, sent
from tests.protocol.vendors import SOFTWARE, VENDOR, key_set


@pytest.fixture
def put_in_force(app):
    """Return a function that puts one rule in force, written as in a policy file."""

    def save(outcome, **when):
        with app.app_context():
            rule = rules.from_json({"name": "vendor", "outcome": outcome, "when": when})
            policy_versions.save([rule], policy_versions.in_force().number, by=SERVER)
            db.session.commit()

    return save


def test_a_rule_admits_by_issuer_what_the_statement_says_and_nothing_else(
    app, client, put_in_force
):
    """A statement is no secret: it vouches for no redirect URI or grant that it does not name."""
    vendors.trust(app)
    put_in_force("admit", statement_issuer=[VENDOR])
    silent = vendors.statement(redirect_uris=None)
    modest = vendors.statement(grant_types=None)
    alone = {
        "grant_types": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_method": "client_secret_post",
    }

    def status(answer):
        return answer.get_json()["registration_status"]

    assert status(send(client, silent, **BODY)) == "pending"
    assert status(send(client, vendors.statement(**alone | {"grant_types": None}), **alone)) == (
        "pending"
    )
    assert status(post(client, SOFTWARE)) == "pending"
    assert status(send(client, modest)) == "approved"
    assert status(send(client, vendors.statement())) == "approved"
    assert status(send(client, vendors.statement(**alone))) == "approved"
    assert status(post(client, SOFTWARE)) == "pending", "who has no statement is somebody else"

    put_in_force("refuse", statement_issuer=[VENDOR])
    assert send(client, vendors.statement(redirect_uris=None), **BODY).status_code == 403


def test_an_update_is_vouched_for_anew_or_waits(app, client, put_in_force):
    vendors.trust(app)
    put_in_force("admit", statement_issuer=[VENDOR])
    one = sent(client, vendors.statement())
    more = ["https://vendor.example/cb", "https://vendor.example/more"]

    answer = one.update(software_statement=None, redirect_uris=more).get_json()
    assert answer["registration_status"] == "revision_pending"
    assert answer["redirect_uris"] == SOFTWARE["redirect_uris"]
    assert "software_statement" not in answer

    wider = vendors.statement(redirect_uris=more)
    answer = one.update(software_statement=wider, client_name="Mine").get_json()
    assert (answer["registration_status"], answer["redirect_uris"]) == ("approved", more)
    assert (answer["client_name"], answer["software_statement"]) == ("Vendor Editor", wider)

    assert_refused(one.update(software_statement=vendors.statement(exp=-70)), INVALID)
    assert one.read().get_json() == answer


def test_a_statement_that_comes_later_leaves_those_without_one_waiting(app, client, put_in_force):
    vendors.trust(app)
    put_in_force("admit", statement_issuer=[VENDOR])
    one, other = register(client, **SOFTWARE), register(client, **SOFTWARE)

    for _ in range(2):
        answer = one.update(software_statement=vendors.statement()).get_json()
        assert answer["registration_status"] == "approved"
    assert other.read().get_json()["registration_status"] == "pending"


def test_registrations_by_statement_are_recycled_like_others(app, client, monkeypatch):
    monkeypatch.setattr(recycling, "UNUSED_PER_NETWORK", 2)
    vendors.trust(app)

    made = [sent(client, vendors.statement()) for _ in range(4)]

    assert [each.read().status_code for each in made] == [401, 401, 200, 200]


def test_an_approver_is_told_what_the_statement_leaves_open(app, client):
    vendors.trust(app, jwks=key_set("ES256"))
    one = sent(client, vendors.statement(redirect_uris=None), redirect_uris=BODY["redirect_uris"])

    operator = Operator(app)
    notes = operator.look(operator.software_id(one)).notes
    assert any("not said by the statement" in note for note in notes)
