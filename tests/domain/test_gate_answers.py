"""The registration gate's answers: they are worded safely and never make a verdict milder."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import gate_answers
from app.domain.errors import AdmissionRefused
from app.domain.gate_answers import BUSY, DENIED, FAILED, MESSAGE_LENGTH, GateAnswer, sanitised
from app.domain.policies import REFUSED, TOKEN_RULE, Verdict, tighten
from app.domain.rules import OUTCOMES, Obligations, Step

SCOPES = st.none() | st.lists(st.sampled_from("abcd"), unique=True).map(tuple)
DAYS = st.none() | st.integers(1, 3650)
VERDICTS = st.builds(
    Verdict,
    outcome=st.sampled_from(OUTCOMES),
    rule=st.text(max_size=5),
    reason=st.text(max_size=5),
    trace=st.lists(st.builds(Step, st.text(max_size=3), st.just("hold"), st.just(""))).map(tuple),
    rule_id=st.sampled_from(["", "r-1"]),
    message=st.just(REFUSED),
    then=st.builds(Obligations, scopes=SCOPES, resources=SCOPES, approve_days=DAYS),
)
ANSWERS = st.builds(
    GateAnswer,
    decision=st.sampled_from(["allow", "hold", "deny"]),
    reason=st.text(max_size=9).map(sanitised),
    scopes=SCOPES,
    expires_in=st.none() | st.integers(1, gate_answers.LONGEST_SECONDS),
) | st.sampled_from(["busy", "timeout", "token"]).map(gate_answers.failed)
STRICTNESS = {"admit": 0, "hold": 1, "refuse": 2}


def within(inner, outer):
    """Tell whether a ceiling lies within another; None is no ceiling."""
    return outer is None or (inner is not None and set(inner) <= set(outer))


@given(VERDICTS, ANSWERS)
def test_a_verdict_never_gets_milder(verdict, answer):
    found = tighten(verdict, answer)

    assert STRICTNESS[found.outcome] >= STRICTNESS[verdict.outcome]
    assert within(found.then.scopes, verdict.then.scopes)
    assert within(found.then.scopes, answer.scopes)
    assert replace(found.then, scopes=None) == replace(verdict.then, scopes=None)
    longest = verdict.approve_seconds
    assert longest is None or (found.approve_seconds or 0) <= longest
    if answer.expires_in is not None:
        assert found.approve_seconds <= answer.expires_in


@given(VERDICTS, ANSWERS)
def test_every_answer_stands_last_in_the_trace(verdict, answer):
    found = tighten(verdict, answer)

    *before, step = found.trace
    assert tuple(before) == verdict.trace
    assert (step.rule, step.reason, step.shadow) == ("registration gate", answer.sentence, False)
    assert json.dumps(found.as_json())
    assert found.facts["gate"] == answer.as_json()


@given(VERDICTS, ANSWERS)
def test_a_refusal_is_told_in_characters_that_can_be_sent(verdict, answer):
    found = tighten(verdict, answer)

    if found.outcome == "refuse":
        assert AdmissionRefused(found.message).get_body()
        assert found.message
    else:
        assert found.message == ("" if found.rule == gate_answers.RULE else verdict.message)


@given(VERDICTS.filter(lambda verdict: verdict.outcome == "refuse"), ANSWERS)
def test_what_is_refused_stays_refused_by_its_own_rule(verdict, answer):
    found = tighten(verdict, answer)

    assert (found.rule, found.message) == (verdict.rule, verdict.message)


@given(VERDICTS, st.sampled_from(["busy", "timeout", "answer", "tls"]))
def test_a_gate_that_gave_no_answer_refuses(verdict, failure):
    found = tighten(verdict, gate_answers.failed(failure))

    assert found.outcome == "refuse"
    if verdict.outcome != "refuse":
        assert found.message == (BUSY if failure == "busy" else FAILED)
        assert failure in found.reason


ADMITTED = Verdict("admit", "ours", "Met.", rule_id="r-1", then=Obligations(approve_days=2))
APPROVED = Verdict("admit", "approved software", "Approved.")
HELD = Verdict("hold", "default", "No rule.")
LET_IN = Verdict("admit", TOKEN_RULE, "Its token lets it in.")


@pytest.mark.parametrize(
    "verdict, answer, outcome, rule",
    [
        (ADMITTED, GateAnswer("allow"), "admit", "ours"),
        (ADMITTED, GateAnswer("hold"), "hold", "registration gate"),
        (ADMITTED, GateAnswer("deny"), "refuse", "registration gate"),
        (APPROVED, GateAnswer("allow"), "admit", "approved software"),
        (APPROVED, GateAnswer("hold"), "admit", "approved software"),
        (APPROVED, GateAnswer("deny"), "refuse", "registration gate"),
        (LET_IN, GateAnswer("allow"), "admit", TOKEN_RULE),
        (LET_IN, GateAnswer("hold"), "hold", "registration gate"),
        (LET_IN, GateAnswer("deny"), "refuse", "registration gate"),
        (HELD, GateAnswer("allow"), "hold", "default"),
        (HELD, GateAnswer("hold"), "hold", "default"),
        (HELD, GateAnswer("deny"), "refuse", "registration gate"),
    ],
)
def test_who_decides_in_the_end(verdict, answer, outcome, rule):
    found = tighten(verdict, answer)

    assert (found.outcome, found.rule) == (outcome, rule)
    assert found.rule_id == ("r-1" if rule == "ours" else "")


@pytest.mark.parametrize(
    "days, expires_in, seconds",
    [(None, None, None), (2, None, 172800), (None, 60, 60), (2, 60, 60), (2, 999999, 172800)],
)
def test_the_nearer_end_of_an_approval_counts(days, expires_in, seconds):
    verdict = replace(ADMITTED, then=Obligations(approve_days=days))

    found = tighten(verdict, GateAnswer("allow", expires_in=expires_in))

    assert found.approve_seconds == seconds


@given(st.text())
def test_a_text_is_reduced_to_one_line_that_can_be_sent(text):
    found = sanitised(text)

    assert len(found) <= MESSAGE_LENGTH
    assert found == found.strip()
    assert all(" " <= each <= "~" and each not in '"\\' for each in found)
    assert sanitised(found) == found


def test_a_denial_without_words_is_told_a_sentence_of_ours():
    assert GateAnswer("deny").message == DENIED
    assert GateAnswer("deny", "Not from there.").message == "Not from there."


def test_what_the_gate_said_is_told_to_people():
    answer = GateAnswer("allow", "Known.", scopes=("a", "b"), expires_in=60)

    assert answer.sentence == (
        "The gate has nothing against it. It leaves these scopes: a b."
        " An approval may last 60 seconds. It says: Known."
    )
