"""Policies: a verdict is a pure function of the evidence and the rules."""

import copy
import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import policies, rules
from app.domain.evidence import Evidence, from_json
from app.domain.obligations import TOKEN_VERDICTS, Obligations, Terms
from app.domain.policies import TOKEN_RULE, judge
from app.domain.rules import Rule
from app.domain.software import STATUSES

METADATA = st.fixed_dictionaries(
    {
        "grant_types": st.lists(st.sampled_from(["authorization_code", "client_credentials"])),
        "token_endpoint_auth_method": st.sampled_from(["none", "client_secret_basic"]),
    },
    optional={
        "client_name": st.text(max_size=10),
        "scope": st.sampled_from(["mcp:read", "mcp:read mcp:write"]),
        "redirect_uris": st.lists(
            st.sampled_from(
                [
                    "https://app.example/cb",
                    "https://evil.example/cb",
                    "http://127.0.0.1:4711/cb",
                    "cursor://anysphere/cb",
                ]
            ),
            max_size=3,
        ),
    },
)
EVIDENCE = st.builds(
    Evidence,
    source=st.sampled_from(["dcr", "console"]),
    statement_issuer=st.sampled_from(["", "https://vendor.example", "https://other.example"]),
    statement_lacks=st.sampled_from([(), ("redirect_uris",), ("scope", "grant_types")]),
    metadata=METADATA,
    fingerprint=st.none() | st.text(max_size=8),
    initial_access_token=st.none() | st.text(max_size=8),
    address=st.just("") | st.ip_addresses().map(str),
    user_agent=st.text(max_size=8),
    software_id=st.none() | st.text(max_size=8),
    software_status=st.none() | st.sampled_from(STATUSES),
    seen_count=st.integers(0, 10**6),
    arrivals_last_hour=st.integers(0, 100),
    look_alike=st.integers(0, 100),
    notes=st.lists(st.text(max_size=8), max_size=3).map(tuple),
)
CEILING = st.none() | st.lists(st.sampled_from("abc"), unique=True).map(tuple)
BOUNDS = st.builds(
    Obligations,
    scopes=CEILING,
    resources=CEILING,
    access_token_seconds=st.none() | st.integers(60, 600),
    approve_days=st.none() | st.integers(1, 90),
)


def tokened(*verdicts):
    """Return the evidence of arrivals with an initial access token that has terms."""
    terms = st.builds(Terms, verdict=st.sampled_from(verdicts), bounds=BOUNDS)
    return st.builds(
        lambda found, said: dataclasses.replace(found, token_terms=said), EVIDENCE, terms
    )


ANY = EVIDENCE | tokened(*TOKEN_VERDICTS)
STRICTNESS = {"admit": 0, "hold": 1, "refuse": 2}
WHEN = st.dictionaries(
    st.sampled_from(sorted(rules.CONDITIONS)), st.just(()), min_size=1, max_size=4
).map(lambda chosen: {name: LINES[name] for name in chosen})
LINES = {
    "document_host": ("app.example",),
    "document_url": ("https://app.example/*",),
    "source": ("dcr",),
    "redirect_uri": ("http://127.0.0.1/cb",),
    "redirect_host": ("app.example", "loopback"),
    "redirect_scheme": ("https", "http"),
    "name": ("a*",),
    "name_reads_like": ("claude",),
    "software_id": ("x",),
    "grant_type": ("authorization_code",),
    "scope": ("mcp:read",),
    "resource": ("https://notes.example/*",),
    "auth_method": ("none",),
    "initial_access_token": ("*",),
    "statement_issuer": ("https://vendor.example",),
    "network": ("0.0.0.0/1", "::/1"),
    "look_alike": ("50",),
    "seen_count": ("3",),
    "arrivals_last_hour": ("10",),
}
RULES = st.lists(
    st.tuples(st.sampled_from(rules.OUTCOMES), WHEN, st.booleans(), st.booleans()), max_size=5
).map(
    lambda drawn: tuple(
        Rule(f"rule {number}", outcome, when, enabled=enabled, shadow=shadow, id=f"id-{number}")
        for number, (outcome, when, enabled, shadow) in enumerate(drawn)
    )
)


def arrival(status=None, **changes):
    """Return the evidence of an arrival of software with a status."""
    metadata = {"grant_types": [], "redirect_uris": ["https://app.example/cb"]}
    found = Evidence("dcr", metadata, "f", None, "192.0.2.1", "", "s", status)
    return dataclasses.replace(found, **changes)


@given(ANY, RULES)
def test_a_verdict_depends_on_evidence_and_rules_alone_and_can_be_repeated(evidence, written):
    """There is no database here, no clock and no request: a read of any would raise."""
    before = copy.deepcopy(evidence)
    verdict = judge(evidence, written, 7)

    assert judge(evidence, written, 7) == judge(before, written, 7) == verdict
    assert evidence == before
    assert verdict.version == 7


@given(ANY, RULES)
def test_evidence_that_was_stored_is_judged_as_it_was(evidence, written):
    stored = from_json(json.loads(json.dumps(evidence.as_json())))

    assert stored == evidence
    assert judge(stored, written) == judge(evidence, written)


@given(EVIDENCE, RULES)
def test_the_first_rule_decides_that_is_met_and_not_in_shadow(evidence, written):
    verdict = judge(evidence, written)
    deciding = [step for step in verdict.trace if step.result != "no match" and not step.shadow]

    assert verdict.outcome in ("admit", "hold", "refuse")
    assert (verdict.outcome, verdict.rule, verdict.reason, verdict.rule_id) == (
        deciding[0].result,
        deciding[0].rule,
        deciding[0].reason,
        deciding[0].id,
    )
    assert all(step.reason for step in verdict.trace)


@given(ANY, RULES)
def test_every_enabled_rule_says_something_and_no_other(evidence, written):
    said = [step.id for step in judge(evidence, written).trace if step.id]

    assert said == [rule.id for rule in written if rule.enabled]


@given(ANY, RULES)
def test_rules_in_shadow_and_disabled_rules_change_nothing(evidence, written):
    ours = judge(evidence, [rule for rule in written if rule.enabled and not rule.shadow])

    assert judge(evidence, written).outcome == ours.outcome


@given(EVIDENCE)
def test_without_rules_nothing_is_admitted_that_people_have_not_approved(evidence):
    assert (judge(evidence).outcome == "admit") == (evidence.software_status == "approved")


@given(ANY, RULES)
def test_no_rule_overrules_what_people_decided_about_the_software(evidence, written):
    outcomes = {"rejected": "refuse", "blocked": "refuse", "expired": "refuse", "approved": "admit"}
    expected = outcomes.get(evidence.software_status)

    assert expected in (None, judge(evidence, written).outcome)


@pytest.mark.parametrize(
    "status, outcome",
    [
        (None, "hold"),
        ("pending", "hold"),
        ("approved", "admit"),
        ("rejected", "refuse"),
        ("blocked", "refuse"),
        ("expired", "refuse"),
    ],
)
def test_what_people_decided_about_software_decides_about_its_arrivals(status, outcome):
    assert judge(arrival(status)).outcome == outcome


@pytest.mark.parametrize(
    "status, written, sentence",
    [
        ("rejected", (), policies.REFUSED),
        ("expired", (), policies.ENDED),
        (None, (Rule("no", "refuse", id="r"),), policies.REFUSED),
        (
            None,
            (Rule("no", "refuse", id="r", message="Register at the portal."),),
            "Register at the portal. If you need it, ask the operators of this server.",
        ),
        (None, (), ""),
    ],
)
def test_who_is_refused_is_told_why_and_whom_to_ask(status, written, sentence):
    assert judge(arrival(status), written).message == sentence


def test_what_an_admission_is_bounded_by_comes_with_the_verdict():
    bounds = Obligations(scopes=("mcp:read",), approve_days=30)
    admitting = Rule("ours", "admit", {"redirect_host": ("app.example",)}, bounds, id="r")

    assert judge(arrival(), (admitting,)).then == bounds
    assert judge(arrival("approved"), (admitting,)).then == Obligations()


@given(tokened(*TOKEN_VERDICTS), RULES, BOUNDS)
def test_a_token_lets_in_only_what_no_rule_decides_and_bounds_all(evidence, written, bounds):
    bounded = [dataclasses.replace(rule, then=bounds) for rule in written]
    terms = evidence.token_terms
    found = judge(evidence, bounded)
    without = judge(dataclasses.replace(evidence, token_terms=None), bounded)

    if terms.verdict == "admit" and without.rule == "default":
        assert (found.outcome, found.rule) == ("admit", TOKEN_RULE)
    else:
        assert STRICTNESS[found.outcome] >= STRICTNESS[without.outcome]
    for each in (without.then, terms.bounds):
        assert found.then == found.then.within(each)


@given(tokened("hold"), RULES)
def test_a_token_that_holds_admits_nothing_new(evidence, written):
    verdict = judge(evidence, written)

    assert not verdict.admits_anew
    assert verdict.outcome != "admit" or evidence.software_status == "approved"


OURS = Rule("ours", "admit", {"redirect_host": ("app.example",)}, id="r")
NOT_OURS = Rule("no", "refuse", id="r")


@pytest.mark.parametrize(
    "status, written, said, outcome, rule",
    [
        (None, (), "rules", "hold", "default"),
        (None, (), "admit", "admit", TOKEN_RULE),
        ("pending", (), "admit", "admit", TOKEN_RULE),
        (None, (), "hold", "hold", TOKEN_RULE),
        (None, (OURS,), "rules", "admit", "ours"),
        (None, (OURS,), "admit", "admit", "ours"),
        (None, (OURS,), "hold", "hold", TOKEN_RULE),
        (None, (Rule("wait", "hold", id="r"),), "admit", "hold", "wait"),
        (None, (NOT_OURS,), "admit", "refuse", "no"),
        (None, (NOT_OURS,), "hold", "refuse", "no"),
        ("approved", (OURS,), "hold", "admit", "approved software"),
        ("rejected", (), "admit", "refuse", "refused software"),
        ("expired", (), "admit", "refuse", "ended approval"),
    ],
)
def test_the_verdict_of_a_token_comes_after_people_and_rules(status, written, said, outcome, rule):
    verdict = judge(arrival(status, token_terms=Terms(said)), written)

    assert (verdict.outcome, verdict.rule) == (outcome, rule)
    assert verdict.rule_id == ("r" if rule in ("ours", "wait", "no") else "")
    assert [step.result for step in verdict.trace if step.rule == TOKEN_RULE] == (
        [] if said == "rules" else [said]
    )


@given(ANY, RULES)
def test_a_verdict_is_stored_as_plain_json(evidence, written):
    verdict = judge(evidence, written)
    stored = json.loads(json.dumps(verdict.as_json()))

    assert stored["outcome"] == verdict.outcome
    assert [step["rule"] for step in stored["trace"]] == [step.rule for step in verdict.trace]


NARROW = Obligations(scopes=("mcp:read",))


@pytest.mark.parametrize(
    "status, terms, written, outcome, rule",
    [
        (None, None, [Rule("all", "admit", id="r")], "hold", "four eyes"),
        (None, None, [Rule("all", "admit", then=NARROW, id="r")], "admit", "all"),
        (None, Terms("admit"), [], "hold", "four eyes"),
        (None, Terms("admit", NARROW), [], "admit", TOKEN_RULE),
        (None, None, [Rule("all", "refuse", id="r")], "refuse", "all"),
        ("approved", Terms("admit"), [], "admit", "approved software"),
    ],
)
def test_what_two_people_have_to_approve_is_let_in_by_neither_rule_nor_token(
    status, terms, written, outcome, rule
):
    """N-217"""
    metadata = {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}
    arrival = Evidence("dcr", metadata, None, None, "", "", four_eyes=("mcp:pay",))
    arrival = dataclasses.replace(arrival, software_status=status, token_terms=terms)
    stored = from_json(json.loads(json.dumps(arrival.as_json())))

    assert stored == arrival
    verdict = judge(stored, written)
    assert (verdict.outcome, verdict.rule) == (outcome, rule)
    assert (policies.FOUR_EYES in verdict.trace) is (rule == "four eyes")
