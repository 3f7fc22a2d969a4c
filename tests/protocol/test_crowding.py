"""One network brings only so much software to the queue, however slowly it comes (X-39)."""

import pytest

from app.domain import registration_tokens, sweeps
from app.domain.audit import SERVER
from app.domain.software import Software
from app.domain.sweeps import SweepRules
from app.extensions import db
from tests.protocol.machines import assert_refused
from tests.protocol.registrants import Operator, post, register

MOST = 3
DAY = 86400
TOKEN = "static-token-for-tests"
ADMITTED = {"name": "ours", "outcome": "admit", "when": {"redirect_host": "ours.example"}}
ALONE = {
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "client_secret_basic",
}
OURS = {"redirect_uris": ["https://ours.example/cb"]}


@pytest.fixture
def overrides():
    return {"registration_pending_per_address": MOST, "registration_token": TOKEN}


@pytest.fixture
def operator(app):
    return Operator(app)


@pytest.fixture
def waiting(client):
    """Return registrants of so much software that no more of this network may wait."""
    return [register(client, client_name=f"Agent {number}") for number in range(MOST)]


def one_more(client, **changes):
    """Register software that nobody has seen."""
    return post(client, **{"client_name": "One more"} | changes)


def test_one_more_from_a_crowded_network_is_refused_and_leaves_only_its_event(
    app, client, waiting, audited
):
    refused = one_more(client)

    assert_refused(refused, "temporarily_unavailable", 429)
    assert refused.get_json()["error_description"].startswith("Too much software")
    assert int(refused.headers["Retry-After"]) == 3600
    (event,) = audited("limit.reached")
    assert (event.subject, event.address) == ("register.register_client", "192.0.2.1")
    assert (event.detail["name"], event.detail["network"]) == ("One more", "192.0.2.1")
    assert one_more(client, **ALONE).status_code == 429
    with app.app_context():
        assert db.session.scalar(db.select(db.func.count()).select_from(Software)) == MOST


def test_others_and_what_waits_already_are_not_refused(client, waiting):
    assert one_more(client, address="192.0.2.2").status_code == 201
    assert post(client, client_name="Agent 0").status_code == 201
    assert waiting[0].read().status_code == 200


def test_a_network_of_many_addresses_is_crowded_as_a_whole(client):
    statuses = [
        one_more(client, client_name=f"Agent {n}", address=f"2001:db8::{n}").status_code
        for n in range(MOST + 1)
    ]
    assert statuses == [201] * MOST + [429]


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_makes_room(client, waiting, operator, verb):
    getattr(operator, verb)(waiting[0])

    assert one_more(client).status_code == 201
    assert one_more(client, client_name="Yet another").status_code == 429


def test_what_nobody_decided_about_in_time_makes_room(app, client, waiting, clock):
    clock.advance(31 * DAY)
    with app.app_context():
        assert sweeps.sweep(SweepRules(30, 0), by=SERVER)["expired software"] == MOST
        db.session.commit()

    assert one_more(client).status_code == 201


def test_what_a_rule_admits_does_not_wait_and_is_not_refused(client, waiting, put_in_force):
    put_in_force(ADMITTED)

    assert one_more(client, **OURS).get_json()["registration_status"] == "approved"


def test_an_initial_access_token_opens_the_queue_and_takes_no_room(app, client):
    with app.app_context():
        _, value = registration_tokens.create("Pipeline", by=SERVER)
        db.session.commit()
    for number in range(MOST + 1):
        register(client, client_name=f"Ours {number}", token=[value, TOKEN][number % 2])

    assert one_more(client).status_code == 201


def test_a_client_of_a_crowded_network_cannot_become_more_software_by_changing(
    client, waiting, operator, audited
):
    """What serves goes on serving, and what is the same software afterwards is not refused."""
    client.environ_base["REMOTE_ADDR"] = "192.0.2.1"
    operator.approve(waiting[0])
    twin = register(client, client_name="Agent 1")
    register(client, client_name="Another")

    for each in (waiting[0], twin):
        assert_refused(each.update(client_name="New"), "temporarily_unavailable", 429)
        assert each.read().get_json()["client_name"] in ("Agent 0", "Agent 1")
    assert waiting[2].update(client_uri="https://registrant.example/").status_code == 200
    assert waiting[0].update(grant_types=["authorization_code"]).status_code == 200
    assert [event.subject for event in audited("limit.reached")] == ["clients.update_client"] * 2
