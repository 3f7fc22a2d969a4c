"""Policies: a verdict is a pure function of the evidence; the mode is a value of the server."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import audit, errors, policies
from app.domain.policies import Evidence, judge
from app.domain.software import STATUSES
from app.extensions import db

OPERATOR = audit.Actor("operator", "u-1", "grace@people.example")
METADATA = st.fixed_dictionaries(
    {"grant_types": st.lists(st.sampled_from(["authorization_code", "client_credentials"]))},
    optional={"client_name": st.text(max_size=10), "scope": st.text(max_size=10)},
)
EVIDENCE = st.builds(
    Evidence,
    source=st.sampled_from(["dcr", "console"]),
    metadata=METADATA,
    fingerprint=st.none() | st.text(max_size=8),
    initial_access_token=st.none() | st.text(max_size=8),
    address=st.ip_addresses().map(str),
    user_agent=st.text(max_size=8),
    software_id=st.none() | st.text(max_size=8),
    software_status=st.none() | st.sampled_from(STATUSES),
    seen_count=st.integers(0, 10**6),
    notes=st.lists(st.text(max_size=8), max_size=3).map(tuple),
)


def arrival(status):
    """Return the evidence of an arrival of software with a status."""
    return Evidence("dcr", {"grant_types": []}, "f", None, "192.0.2.1", "", "s", status)


@given(EVIDENCE)
def test_a_verdict_depends_on_the_evidence_alone_and_can_be_repeated(evidence):
    """There is no database here, no clock and no request: a read of any would raise."""
    before = copy.deepcopy(evidence)
    verdict = judge(evidence)

    assert judge(evidence) == judge(before) == verdict
    assert evidence == before


@given(EVIDENCE)
def test_a_verdict_is_the_first_rule_that_decides_and_says_what_the_others_said(evidence):
    verdict = judge(evidence)
    *passed, last = verdict.trace

    assert verdict.outcome in ("admit", "hold", "refuse")
    assert {step.result for step in passed} <= {"no match"}
    assert (last.result, last.rule, last.reason) == (verdict.outcome, verdict.rule, verdict.reason)
    assert [step.rule for step in verdict.trace] == [
        rule(evidence).rule for rule in policies.RULES[: len(verdict.trace)]
    ]
    assert all(step.reason for step in verdict.trace)


@given(EVIDENCE)
def test_nothing_is_admitted_that_people_have_not_approved(evidence):
    assert (judge(evidence).outcome == "admit") == (evidence.software_status == "approved")


@pytest.mark.parametrize(
    "status, outcome",
    [
        (None, "hold"),
        ("pending", "hold"),
        ("approved", "admit"),
        ("rejected", "refuse"),
        ("blocked", "refuse"),
        ("expired", "hold"),
    ],
)
def test_what_people_decided_about_software_decides_about_its_arrivals(status, outcome):
    assert judge(arrival(status)).outcome == outcome


@given(EVIDENCE)
def test_a_verdict_is_stored_as_plain_json(evidence):
    verdict = judge(evidence)
    stored = json.loads(json.dumps(verdict.as_json()))

    assert stored["outcome"] == verdict.outcome
    assert [step["rule"] for step in stored["trace"]] == [step.rule for step in verdict.trace]


@pytest.mark.parametrize("configured", policies.MODES)
def test_the_configured_mode_is_in_force_until_an_operator_switches_it(app, configured):
    with app.app_context():
        assert policies.registration_mode(configured) == configured
        for mode in policies.MODES:
            policies.switch_mode(mode, configured, by=OPERATOR)
            db.session.commit()

            assert policies.registration_mode(configured) == mode


@pytest.mark.parametrize("mode", ["", "OPEN", "open ", "off", "x" * 100])
def test_there_is_no_other_mode(app, mode):
    with app.app_context():
        with pytest.raises(errors.InvalidRequest):
            policies.switch_mode(mode, "open", by=OPERATOR)
        assert policies.registration_mode("token") == "token"
