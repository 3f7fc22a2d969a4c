"""The history check finds what it is for, and does not pass a run that shows nothing."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest

from tests.races.cast import Cast, spread
from tests.races.history import (
    History,
    InvalidRun,
    Operation,
    Outcome,
    alive_after_replay,
    check_definite,
    check_valid,
    forks,
    judge,
    not_exactly_once,
    undecided,
)

Servers = Callable[..., tuple[str, str]]
ACTIVE, INACTIVE = (SimpleNamespace(body={"active": active}) for active in (True, False))


def use(outcome: Outcome, began: float, ended: float, key: str = "a code") -> Operation:
    """Return the use of a credential."""
    return Operation("use", key, outcome, began, ended)


def look(began: float, result: SimpleNamespace) -> Operation:
    """Return an introspection that was answered."""
    return Operation("look", "a code", "ok", began, began + 1, result)


RACE = (use("ok", 0, 2), use("fail", 1, 3))


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_checker_finds_a_server_that_finds_mints_and_deletes(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """Mutation proof of security.md section 6.2, item 8: the run of F-01 against a broken build."""
    servers = two_servers(application="tests.races.broken_wsgi:app")

    for code in cast.codes(20):
        history.race(
            "redeem", code, [partial(cast.machine.redeem, s, code) for s in spread(8, servers)]
        )

    check_definite(history.operations)
    found = not_exactly_once(history, "redeem")
    assert len(found) >= 3, history.summary()
    assert all("took effect" in each and "nobody" not in each for each in found), found


def test_a_second_success_is_found():
    assert not_exactly_once(History([*RACE, use("ok", 5, 6)]), "use") == [
        "use of a code took effect 2 times"
    ]


def test_success_for_nobody_is_found_unless_an_answer_is_missing():
    nobody = [use("fail", 0, 2), use("fail", 1, 3)]

    assert not_exactly_once(History(nobody), "use") == ["use of a code took effect for nobody"]
    assert not_exactly_once(History([*nobody, use("unknown", 1, 3)]), "use") == []


def test_a_race_with_one_winner_is_valid_and_passes():
    history = History(RACE)

    check_valid(history, "use")
    assert not_exactly_once(history, "use") == []


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param([], id="nothing happened"),
        pytest.param([use("ok", 0, 1)], id="nobody lost"),
        pytest.param([use("ok", 0, 1), use("fail", 2, 3)], id="the loser came too late"),
        pytest.param(
            [use("ok", 0, 2), use("fail", 1, 3, "another code")], id="the loser wanted another"
        ),
        pytest.param([*RACE, use("unknown", 1, 3)], id="a third of the answers is unknown"),
    ],
)
def test_a_run_that_shows_nothing_is_invalid_instead_of_passed(operations):
    with pytest.raises(InvalidRun):
        check_valid(History(operations), "use")


def test_one_unknown_answer_in_twenty_is_allowed_and_no_more():
    known = [use("ok", 0, 1)] * 19

    check_definite([*known, use("unknown", 0, 1)])
    with pytest.raises(InvalidRun):
        check_definite([*known[1:], use("unknown", 0, 1)])


def test_a_credential_that_lives_on_after_its_replay_is_found():
    assert alive_after_replay(History([*RACE, look(4, ACTIVE)]), "use", "look") == [
        "look of a code found it alive"
    ]
    assert alive_after_replay(History([*RACE, look(4, INACTIVE)]), "use", "look") == []


def test_a_look_that_began_before_the_replay_was_answered_shows_nothing():
    with pytest.raises(InvalidRun):
        alive_after_replay(History([*RACE, look(2.5, ACTIVE)]), "use", "look")


def test_a_family_that_forks_or_joins_is_found():
    path = [("a", "b"), ("a", "b"), ("b", "c")]

    assert forks(path) == []
    assert forks([*path, ("a", "c")]) == ["a has 2 successors", "c follows 2 tokens"]


@pytest.mark.parametrize(
    "state, recorded, status",
    [
        pytest.param("rejected", ["approved"], 409, id="another state than the winner was told"),
        pytest.param("approved", ["approved", "rejected"], 409, id="two audit records"),
        pytest.param("approved", [], 409, id="no audit record"),
        pytest.param("approved", ["approved"], 400, id="a loser is told something else"),
    ],
)
def test_a_decision_that_is_not_as_its_winner_was_told_is_found(state, recorded, status):
    won = Operation("use", "software", "ok", 0, 2, SimpleNamespace(wanted="approved"))
    lost = Operation("use", "software", "fail", 1, 3, SimpleNamespace(status=status))

    assert len(undecided(History([won, lost]), "use", {"software": (state, recorded)})) == 1


def test_a_decision_that_is_as_its_winner_was_told_passes():
    won = Operation("use", "software", "ok", 0, 2, SimpleNamespace(wanted="approved"))
    lost = Operation("use", "software", "fail", 1, 3, SimpleNamespace(status=409))

    assert undecided(History([won, lost]), "use", {"software": ("approved", ["approved"])}) == []


def test_a_lost_connection_and_a_server_error_are_unknown():
    def refused() -> None:
        raise ConnectionResetError

    assert History().perform("use", "a code", refused).outcome == "unknown"
    assert [judge(status) for status in (200, 303, 400, 429, 500, 503)] == [
        "ok", "ok", "fail", "fail", "unknown", "unknown",
    ]  # fmt: skip
