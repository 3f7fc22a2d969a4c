"""What may happen once happens once, whichever of two servers many threads ask (F-01 to F-06)."""

import time
from collections.abc import Callable
from functools import partial

import pytest

from tests.races.cast import REDIRECT, Cast, spread
from tests.races.history import (
    History,
    alive_after_replay,
    check_valid,
    forks,
    not_exactly_once,
)
from tests.races.wire import Reply, post_json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
THREADS = 8
Servers = Callable[..., tuple[str, str]]


def winner(history: History, name: str, key: str) -> Reply:
    """Return the answer to whoever won."""
    return next(each.result for each in history.by_key(name)[key] if each.outcome == "ok")


def look_at_family(history: History, cast: Cast, server: str, name: str) -> None:
    """Look at what the winners were given: is the access token active, does the refresh work?"""
    for key in history.by_key(name):
        given = winner(history, name, key).body
        for token in (given["access_token"], given["refresh_token"]):
            history.perform("introspect", key, partial(cast.machine.introspect, server, token))
        again = partial(cast.machine.refresh, server, given["refresh_token"])
        history.perform("refresh the successor of", key, again)


def family_faults(history: History, name: str) -> list[str]:
    """Name every broken promise about codes or refresh tokens that were used by many."""
    check_valid(history, name)
    return [
        *not_exactly_once(history, name),
        *alive_after_replay(history, name, "introspect"),
        *alive_after_replay(history, name, "refresh the successor of"),
    ]


def test_of_eight_threads_one_redeems_a_code_and_the_replays_end_its_family(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """F-01, N-081, N-082."""
    servers = two_servers()

    for code in cast.codes(25):
        history.race(
            "redeem",
            code,
            [partial(cast.machine.redeem, s, code) for s in spread(THREADS, servers)],
        )
    look_at_family(history, cast, servers[1], "redeem")

    assert family_faults(history, "redeem") == [], history.summary()


def test_a_late_replay_of_a_code_ends_the_family_it_opened(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """F-01, N-082: the replay comes alone, to the other server."""
    first, second = two_servers()
    (code,) = cast.codes(1)
    given = cast.machine.redeem(first, code).body
    before = cast.machine.introspect(second, given["access_token"]).body

    replay = cast.machine.redeem(second, code)

    assert before["active"] is True
    assert (replay.status, replay.body["error"]) == (400, "invalid_grant")
    assert cast.machine.introspect(first, given["access_token"]).body == {"active": False}
    assert cast.machine.introspect(first, given["refresh_token"]).body == {"active": False}
    assert cast.machine.refresh(first, given["refresh_token"]).body["error"] == "invalid_grant"


def test_of_eight_threads_one_rotates_a_refresh_token_without_grace_and_the_family_ends(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """F-02, N-091, with a grace of no seconds."""
    servers = two_servers(refresh_grace_seconds=0)

    for token in cast.refresh_tokens(25):
        history.race(
            "refresh",
            token,
            [partial(cast.machine.refresh, s, token) for s in spread(THREADS, servers)],
        )
    look_at_family(history, cast, servers[1], "refresh")

    assert family_faults(history, "refresh") == [], history.summary()
    assert cast.column("SELECT count(*) FROM grants WHERE revoked_at IS NULL") == [0]


def test_racing_refreshes_within_the_grace_follow_one_path_and_a_later_replay_ends_it(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """F-02, N-092: three at once get the same successor; after the grace the family dies."""
    servers = two_servers(refresh_grace_seconds=3)
    (first,) = cast.refresh_tokens(1)

    token, edges = first, []
    for _ in range(3):
        answers = history.race(
            "refresh", token, [partial(cast.machine.refresh, s, token) for s in spread(3, servers)]
        )
        assert [each.outcome for each in answers] == ["ok"] * 3, history.summary()
        edges += [(token, each.result.body["refresh_token"]) for each in answers]
        token = edges[-1][1]
    access = answers[0].result.body["access_token"]
    assert forks(edges) == []
    assert cast.machine.introspect(servers[0], access).body["active"] is True

    replay = replay_until_refused(cast, servers[1], first)

    assert replay.body["error"] == "invalid_grant"
    assert cast.machine.introspect(servers[0], access).body == {"active": False}
    assert cast.machine.refresh(servers[0], token).body["error"] == "invalid_grant"
    assert cast.column("SELECT count(*) FROM audit_events WHERE tag = 'token.replayed'") == [1]


def replay_until_refused(cast: Cast, server: str, token: str) -> Reply:
    """Present a spent refresh token until its grace is over; fail after ten seconds."""
    deadline = time.monotonic() + 10
    while (reply := cast.machine.refresh(server, token)).status == 200:
        assert time.monotonic() < deadline, "the grace does not end"
        time.sleep(0.1)
    return reply


def test_of_eight_threads_one_registers_with_an_initial_access_token_of_one_use(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """X-51, F-06."""
    servers = two_servers(registration_mode="token")

    for token in cast.initial_tokens(25):
        body = {"client_name": f"Registrant {token[-4:]}", "redirect_uris": [REDIRECT]}
        headers = {"Authorization": f"Bearer {token}"}
        history.race(
            "register",
            token,
            [partial(post_json, s, "/register", body, headers) for s in spread(THREADS, servers)],
        )

    check_valid(history, "register")
    assert not_exactly_once(history, "register") == [], history.summary()
    assert cast.rows("SELECT uses_left, used_count FROM initial_access_tokens") == [(0, 1)] * 25
    assert cast.column("SELECT count(*) FROM clients WHERE source = 'dcr'") == [25]
