"""Admission rules over HTTP: what they admit works at once, what they refuse is told why."""

import pytest

from app.domain import policy_versions, resources, rules, scopes, simulations
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.registrants import Operator, post, register

HOST = {"redirect_host": "registrant.example"}
URI = "https://mcp.example/"


@pytest.fixture
def hits(app):
    """Return a function that reads the counts of the rules in force by their names."""

    def read():
        with app.app_context():
            written = policy_versions.in_force().rules
            counts = policy_versions.hits_of(rule.id for rule in written)
            return {
                rule.name: (counts[rule.id].hits, counts[rule.id].shadow_hits)
                for rule in written
                if rule.id in counts
            }

    return read


def test_what_a_rule_admits_is_approved_by_it_within_its_bounds(
    app, client, clock, put_in_force, record, audited
):
    with app.app_context():
        scopes.create("mcp:extra", "More", by=SERVER)
        resources.create(URI, "Tools", ["mcp:read"], by=SERVER)
        db.session.commit()
    bounds = {
        "scopes": ["mcp:read"],
        "resources": [URI],
        "access_token_seconds": 60,
        "approve_days": 30,
    }
    put_in_force({"name": "ours", "outcome": "admit", "when": HOST, "then": bounds})

    admitted = register(client, scope="mcp:read mcp:extra")

    found = record(admitted)
    assert (found.standing(clock.now), found.decided_by) == ("active", "rule ours")
    assert (found.scopes, found.resources) == ({"mcp:read"}, {URI})
    assert found.access_token_seconds == 60
    assert found.standing(clock.now + 30 * 86400) == "expired"
    (event,) = audited("software.approved")
    assert (event.actor_kind, event.actor_name) == ("rule", "rule ours")
    assert audited("client.registered")[0].detail["rule"] == "ours"


def test_what_a_rule_refuses_is_told_its_message_and_leaves_nothing(client, put_in_force, audited):
    put_in_force(
        {"name": "portal", "outcome": "refuse", "when": HOST, "message": "Register at the portal."}
    )

    answer = post(client)

    assert (answer.status_code, answer.get_json()["error"]) == (403, "access_denied")
    assert answer.get_json()["error_description"].startswith("Register at the portal. If ")
    (event,) = audited("registration.refused")
    assert (event.detail["rule"], event.detail["policy_version"]) == ("portal", 1)
    assert audited("client.registered") == []


def test_the_first_rule_that_is_met_decides_and_each_counts_its_hits(client, put_in_force, hits):
    put_in_force(
        {"name": "off", "outcome": "refuse", "enabled": False},
        {"name": "silent", "outcome": "refuse", "shadow": True},
        {"name": "first", "outcome": "hold", "when": HOST},
        {"name": "second", "outcome": "admit", "when": HOST},
    )

    register(client)
    register(client, client_name="Another")

    assert hits() == {"silent": (0, 2), "first": (2, 0)}


def test_a_person_s_decision_stands_whatever_rules_say(app, client, put_in_force, record, clock):
    operator = Operator(app)
    rejected, approved = register(client), register(client, client_name="Good")
    operator.reject(rejected)
    operator.approve(approved)
    put_in_force(
        {"name": "no", "outcome": "refuse", "when": {"name": "good"}},
        {"name": "all", "outcome": "admit", "when": HOST},
    )

    assert post(client).status_code == 403
    assert record(register(client, client_name="Good")).standing(clock.now) == "active"


def test_waiting_software_is_admitted_as_the_rule_saw_it(app, client, put_in_force, record, clock):
    """X-45: who came first with the same fingerprint does not choose what people are shown."""
    first = register(client, client_uri="https://evil.example/", logo_uri="https://evil.example/l")
    put_in_force({"name": "ours", "outcome": "admit", "when": HOST})

    register(client, client_uri="https://registrant.example/")

    assert record(first).standing(clock.now) == "active"
    shown = Operator(app).look(Operator(app).software_id(first)).client_metadata
    assert shown["client_uri"] == "https://registrant.example/"
    assert "logo_uri" not in shown


def test_an_update_that_a_rule_refuses_changes_nothing(app, client, put_in_force):
    """X-41: policy judges an update like an arrival."""
    registrant = register(client)
    Operator(app).approve(registrant)
    put_in_force({"name": "no", "outcome": "refuse", "when": {"redirect_host": "evil.example"}})
    wider = ["https://registrant.example/cb", "https://evil.example/cb"]

    assert registrant.update(redirect_uris=wider).status_code == 403
    assert registrant.read().get_json()["redirect_uris"] == wider[:1]


def test_an_update_that_a_rule_admits_is_in_force_at_once(app, client, put_in_force, record, clock):
    registrant = register(client)
    put_in_force({"name": "ours", "outcome": "admit", "when": {"redirect_host": "*.ours.example"}})

    registrant.update(redirect_uris=["https://app.ours.example/cb"])

    assert record(registrant).standing(clock.now) == "active"


def test_an_approval_that_ended_is_told_and_not_revived_by_registering(app, client, clock):
    Operator(app).approve(register(client), until=clock.now + 60)
    clock.advance(61)

    answer = post(client)

    assert answer.status_code == 403
    assert "approval has ended" in answer.get_json()["error_description"]


def test_of_two_who_save_the_same_version_one_is_told(app, put_in_force):
    put_in_force({"name": "a", "outcome": "hold"})

    with app.app_context():
        with pytest.raises(policy_versions.errors.Conflict):
            policy_versions.save([], 0, by=SERVER)
        assert [rule.name for rule in policy_versions.in_force().rules] == ["a"]


def test_an_earlier_version_is_restored_as_a_new_one(app, put_in_force):
    put_in_force({"name": "a", "outcome": "hold"})
    put_in_force({"name": "b", "outcome": "hold"})

    with app.app_context():
        restored = policy_versions.restore(1, 2, by=SERVER)
        assert restored.number == 3
        assert policy_versions.in_force() == restored
        old = policy_versions.of_row(policy_versions.get(1))
        assert [(rule.id, rule.name) for rule in restored.rules] == [(old.rules[0].id, "a")]


def test_past_arrivals_are_judged_again_with_what_was_known_then(app, client, put_in_force):
    register(client)
    put_in_force({"name": "no", "outcome": "refuse", "when": HOST})
    post(client)
    assert post(client, {"redirect_uris": "malformed"}).status_code == 400

    with app.app_context():
        draft = policy_versions.Policy(
            9, rules.all_from_json([{"name": "later", "outcome": "hold", "when": HOST}])
        )
        again = simulations.replay(draft, 100)
        unchanged = simulations.replay(policy_versions.in_force(), 100)

    assert again.judged == 2
    assert [(old.outcome, old.rule, new.outcome) for old, new in again.differences] == [
        ("refuse", "no", "hold"),
        ("hold", "default", "hold"),
    ]
    assert [(old.outcome, new.outcome) for old, new in unchanged.differences] == [
        ("hold", "refuse")
    ]


def test_a_rule_knows_the_resources_that_the_scopes_would_reach(app, client, put_in_force):
    with app.app_context():
        resources.create(URI, "Tools", ["mcp:read"], by=SERVER)
        resources.create("https://other.example/", "Else", ["mcp:write"], by=SERVER)
        db.session.commit()
    put_in_force({"name": "no tools", "outcome": "refuse", "when": {"resource": URI}})

    statuses = [post(client, scope=scope).status_code for scope in ("mcp:read", "mcp:write")]
    assert statuses == [403, 201]


@pytest.mark.parametrize("overrides", [{"contact": "the platform team, platform@corp.example"}])
def test_a_refusal_names_the_contact_of_the_settings(client, put_in_force):
    put_in_force({"name": "portal", "outcome": "refuse", "message": "Register at the portal."})

    said = post(client).json["error_description"]

    whom = "the platform team, platform@corp.example"
    assert said == f"Register at the portal. If you need it, ask {whom}."
