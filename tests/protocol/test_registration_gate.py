"""The registration gate over HTTP: asked before anything is stored, and only ever stricter."""

import pytest

from app.domain import fingerprints, policy_versions, simulations
from app.domain.gate_answers import DENIED, FAILED
from tests.cli.conftest import ON_ONE_DATABASE
from tests.protocol.gates import ADMIT_ALL, KEY, refusal_of
from tests.protocol.gates import gated as gated
from tests.protocol.gates import scripts as scripts
from tests.protocol.gates import stored as stored
from tests.protocol.registrants import BODY, Operator, post, register
from tests.services.gate import ALLOWED, said


def test_a_registration_is_shown_to_the_gate_without_credentials(gated, scripts):
    gate = scripts(ALLOWED)
    http = gated(gate.url, auth_type="api_key", auth_credential=KEY)
    headers = {
        "Cookie": "session=c4n4ry",
        "User-Agent": "kit/1",
        "X-Forwarded-For": "198.51.100.9",
        "X-Request-Id": "request-0001",
        "X-Api-Key": "c4n4ry",
    }

    answer = http.post(
        "/register",
        json=BODY | {"client_secret": "c4n4ry", "client_name#ja": "\u767b", "unknown": "c4n4ry"},
        headers=headers,
        environ_overrides={"REMOTE_ADDR": "192.0.2.7"},
    )

    assert answer.status_code == 201, answer.text
    [asked] = gate.questions
    assert (asked["asset_type"], asked["operation"]) == ("client", "register")
    assert (asked["source_api"], asked["registration_id"]) == ("/register", None)
    assert asked["registration_payload"] == BODY | {
        "response_types": ["code"],
        "client_name#ja": "\u767b",
    }
    assert asked["request_headers"] == {
        "content-type": "application/json",
        "user-agent": "kit/1",
        "x-request-id": "request-0001",
        "x-forwarded-for": "192.0.2.7",
    }
    assert asked["evidence"]["source"] == "dcr"
    assert asked["evidence"]["address"] == "192.0.2.7"
    assert "metadata" not in asked["evidence"]
    assert asked["revision"] == fingerprints.revision(asked["registration_payload"])
    assert "dry_run" not in asked
    assert "c4n4ry" not in gate.bodies[0]


@ON_ONE_DATABASE
def test_what_policy_refuses_is_not_shown_to_the_gate(gated, scripts, put_in_force):
    gate = scripts(ALLOWED)
    put_in_force({"name": "no", "outcome": "refuse"})

    assert post(gated(gate.url)).status_code == 403
    assert gate.requests == []


def test_a_denial_is_told_in_the_gates_words_and_recorded(gated, scripts, clock, stored, audited):
    http = gated(scripts(said(403, {"error": 'Ask "ops" first.\r\n'})).url)

    assert refusal_of(post(http)) == "Ask 'ops' first."

    assert stored(clock) == []
    [event] = audited("registration.refused")
    assert event.detail["rule"] == "registration gate"
    assert event.detail["gate"]["reason"] == "Ask 'ops' first."


@ON_ONE_DATABASE
def test_a_denial_without_words_has_a_sentence_of_ours(gated, scripts):
    assert refusal_of(post(gated(scripts(said(403)).url))) == DENIED


def test_an_allowed_registration_is_what_policy_made_of_it(
    gated, scripts, put_in_force, record, clock
):
    http = gated(scripts(ALLOWED).url)

    assert record(register(http)).standing(clock.now) == "pending"
    put_in_force(ADMIT_ALL)
    assert record(register(http, client_name="Next")).standing(clock.now) == "active"


def test_a_hold_overrules_a_rule_that_admits(
    app, gated, scripts, put_in_force, record, clock, audited
):
    http = gated(scripts(said(200, {"decision": "hold", "reason": "New to us."})).url)
    put_in_force(ADMIT_ALL)

    registrant = register(http)

    assert record(registrant).standing(clock.now) == "pending"
    operator = Operator(app)
    shown = operator.look(operator.software_id(registrant)).verdict
    assert (shown["outcome"], shown["rule"]) == ("hold", "registration gate")
    step = {"rule": "registration gate", "result": "hold", "id": "", "shadow": False}
    assert shown["trace"][-1] == step | {
        "reason": "The gate wants a person to decide. It says: New to us."
    }
    assert audited("client.registered")[0].detail["gate"]["decision"] == "hold"


def test_a_hold_does_not_undo_what_people_approved(
    app, client, gated, scripts, record, clock, audited
):
    Operator(app).approve(register(client))
    http = gated(scripts(said(200, {"decision": "hold"})).url)

    assert record(register(http)).standing(clock.now) == "active"
    assert audited("client.registered")[-1].detail["gate"]["decision"] == "hold"


def test_scopes_and_end_bound_what_a_rule_admits(app, gated, scripts, put_in_force, record, clock):
    bounds = {"decision": "allow", "scopes": ["mcp:read", "unknown"], "expires_in": 3600}
    http = gated(scripts(said(200, bounds)).url)
    then = {"scopes": ["mcp:read", "mcp:write"], "approve_days": 30}
    put_in_force(ADMIT_ALL | {"then": then})

    found = record(register(http, scope="mcp:read mcp:write"))

    assert found.scopes == {"mcp:read"}
    assert found.standing(clock.now + 3599) == "active"
    assert found.standing(clock.now + 3600) == "expired"


@pytest.mark.parametrize("approved", [True, False])
def test_scopes_bound_a_client_whoever_approves_its_software(
    app, client, gated, scripts, record, approved
):
    wide = {"scope": "mcp:read mcp:write"}
    if approved:
        Operator(app).approve(register(client, **wide))
    http = gated(scripts(said(200, {"scopes": ["mcp:read"]})).url)

    registrant = register(http, **wide)
    if not approved:
        Operator(app).approve(registrant)

    assert record(registrant).scopes == {"mcp:read"}


@ON_ONE_DATABASE
def test_what_the_gate_said_counts_when_an_arrival_is_judged_again(app, gated, scripts):
    http = gated(scripts(said(403), ALLOWED, said(200, {"scopes": []})).url)
    answers = [post(http).status_code for _ in range(3)]

    with app.app_context():
        again = simulations.replay(policy_versions.in_force(), 10)

    assert answers == [403, 201, 201]
    assert (again.judged, again.differences) == (3, ())


def test_an_answer_counts_for_the_one_question_it_was_given_to(app, gated, scripts, clock, stored):
    """X-49: for no other registration, no later one of the same software and no other revision."""
    gate = scripts(ALLOWED)
    http = gated(gate.url, max_retries=0)
    registrant = register(http)
    Operator(app).approve(registrant)
    [first] = gate.questions
    gate.answers[:] = [said(200, {"decision": "allow", "question_id": first["question_id"]})]

    told = [post(http, client_name="Another"), post(http), registrant.update(scope="mcp:write")]

    assert [refusal_of(answer) for answer in told] == [FAILED] * 3
    assert len({asked["question_id"] for asked in gate.questions}) == 4
    assert stored(clock) == ["active"]
    assert registrant.read().get_json()["scope"] == BODY["scope"]
