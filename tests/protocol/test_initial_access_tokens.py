"""Terms of initial access tokens over HTTP: from where, who decides, and what bounds a client."""

import pytest

from app.domain import policy_versions, registration_tokens, resources, rules, simulations
from app.domain.audit import SERVER
from app.domain.obligations import Obligations, Terms
from app.extensions import db
from tests.protocol.machines import RESOURCE
from tests.protocol.registrants import OPERATOR, Operator, post, register

WIDE = {"scope": "mcp:read mcp:write"}
OTHER = "https://other.example/"
OURS = {
    "name": "ours",
    "outcome": "admit",
    "when": {"redirect_host": "registrant.example"},
    "then": {"resources": [RESOURCE, OTHER], "access_token_seconds": 300, "approve_days": 60},
}
BOUNDS = Obligations(("mcp:read",), (RESOURCE,), 120, 30)


@pytest.fixture
def hand_out(app):
    """Return a function that makes an initial access token; gives its identifier and value."""

    def make(verdict="rules", bounds=BOUNDS, **options):
        with app.app_context():
            row, value = registration_tokens.create(
                "Pipeline", by=OPERATOR, terms=Terms(verdict, bounds), **options
            )
            db.session.commit()
            return row.id, value

    return make


@pytest.fixture
def put_in_force(app):
    """Return a function that puts rules in force."""

    def save(*written):
        with app.app_context():
            policy_versions.save(rules.all_from_json(written), 0, by=SERVER)
            db.session.commit()

    return save


def test_a_token_from_outside_its_networks_is_answered_like_a_wrong_one(
    app, client, hand_out, audited
):
    token_id, value = hand_out(uses=1, networks=["192.0.2.0/24", "2001:db8::/32"])

    outside = post(client, token=value, address="198.51.100.4")
    wrong = post(client, token="iat_wrong", address="198.51.100.4")

    assert (outside.status_code, outside.data) == (wrong.status_code, wrong.data)
    assert outside.headers["WWW-Authenticate"] == wrong.headers["WWW-Authenticate"]
    assert [event.detail["reason"] for event in audited("registration.refused")] == [
        "outside its networks",
        "unknown token",
    ]
    assert audited("registration.refused")[0].detail["initial_access_token"] == token_id
    assert audited("initial_token.used") == []
    assert post(client, token=value, address="2001:db8::7").status_code == 201
    assert post(client, token=value, address="192.0.2.1").status_code == 401


@pytest.mark.parametrize("way", ["approved before", "by a rule", "by the token", "by a person"])
def test_a_token_bounds_its_client_whoever_lets_it_in(
    app, client, clock, hand_out, put_in_force, record, way
):
    with app.app_context():
        resources.create(OTHER, "Others", ["mcp:read"], by=SERVER)
        db.session.commit()
    if way == "approved before":
        Operator(app).approve(register(client, **WIDE))
    if way == "by a rule":
        put_in_force(OURS)
    _, value = hand_out("admit" if way == "by the token" else "rules")

    registrant = register(client, token=value, **WIDE)
    if way == "by a person":
        Operator(app).approve(registrant)

    found = record(registrant)
    assert found.standing(clock.now) == "active"
    assert (found.scopes, found.resources) == ({"mcp:read"}, {RESOURCE})
    assert found.access_token_seconds == 120
    days = 30 if way in ("by a rule", "by the token") else None
    assert found.approved_until == (days and clock.now + days * 86400)


def test_a_token_that_holds_leaves_what_a_rule_admits_to_people(
    app, client, clock, hand_out, put_in_force, record
):
    put_in_force(OURS)
    _, value = hand_out("hold")

    registrant = register(client, token=value)

    assert record(registrant).standing(clock.now) == "pending"
    assert registrant.update().status_code == 200
    assert record(registrant).standing(clock.now) == "pending"
    shown = Operator(app).look(Operator(app).software_id(registrant)).verdict
    assert (shown["outcome"], shown["rule"]) == ("hold", "initial access token")
    assert record(register(client)).standing(clock.now) == "active"
    assert record(register(client, token=value)).standing(clock.now) == "active"


def test_a_token_that_admits_approves_what_registers_and_nothing_it_becomes(
    app, client, clock, hand_out, record, audited
):
    token_id, value = hand_out("admit")

    registrant = register(client, token=value)
    stranger = register(client, client_name="Stranger")

    assert record(registrant).standing(clock.now) == "active"
    assert record(stranger).standing(clock.now) == "pending"
    (event,) = audited("software.approved")
    assert (event.actor_kind, event.actor_id) == ("initial_token", token_id)
    assert event.actor_name == "initial access token Pipeline"
    moved = registrant.update(redirect_uris=["https://evil.example/cb"]).get_json()
    assert moved["registration_status"] == "revision_pending"
    assert len(audited("software.approved")) == 1


@pytest.mark.parametrize("overrides", [{"registration_token": "a-static-token-of-a-test"}])
def test_arrivals_with_a_token_are_judged_again_as_they_were(
    app, client, hand_out, put_in_force, overrides
):
    put_in_force(OURS)
    for verdict in ("rules", "admit", "hold"):
        register(client, token=hand_out(verdict)[1], client_name=verdict)
    register(client, token=overrides["registration_token"])

    with app.app_context():
        again = simulations.replay(policy_versions.in_force(), 10)
        terms = [arrival.evidence.token_terms for arrival in simulations.arrivals(10)]

    assert (again.judged, again.differences) == (4, ())
    assert terms == [None, *(Terms(each, BOUNDS) for each in ("hold", "admit", "rules"))]
