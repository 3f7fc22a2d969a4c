"""What is stopped stays stopped, also for requests that were under way (F-05, F-13)."""

import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest

from app.domain import clients, sessions
from app.domain.audit import SERVER
from app.extensions import db
from tests.races.cast import Cast, spread
from tests.races.history import History, check_definite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
ROUNDS = 12


def stop(cast: Cast) -> SimpleNamespace:
    """Suspend the client, as an operator's process would."""
    with cast.app.app_context():
        clients.suspend(clients.get(cast.machine.client_id), "a test", by=SERVER)
        db.session.commit()
    return SimpleNamespace(status=200)


def resume(cast: Cast) -> None:
    """Let the client work again."""
    with cast.app.app_context():
        clients.resume(clients.get(cast.machine.client_id), "a test", by=SERVER)
        db.session.commit()


def test_a_suspension_ends_also_what_is_being_redeemed_and_refreshed_at_that_moment(
    cast: Cast, two_servers: Callable[..., tuple[str, str]], history: History
) -> None:
    """F-05, F-13: nobody meets a deadlock, and after resuming nothing old works."""
    first, second = two_servers()
    machine = cast.machine

    for number in range(ROUNDS):
        given = [machine.redeem(first, code).body for code in cast.codes(3)]
        calls = [partial(machine.redeem, first, code) for code in cast.codes(3)]
        calls += [partial(machine.refresh, second, each["refresh_token"]) for each in given]
        answers = history.race("use", f"round {number}", [*calls, partial(stop, cast)])
        resume(cast)

        given += [each.result.body for each in answers if hasattr(each.result, "body")]
        for each in given:
            if "access_token" in each:
                asked = machine.introspect(second, each["access_token"]).body
                assert asked == {"active": False}, f"round {number}: {history.summary()}"
                assert machine.refresh(first, each["refresh_token"]).status == 400
        assert cast.column("SELECT count(*) FROM grants WHERE revoked_at IS NULL") == [0]

    check_definite(history.operations)
    unknown = [each for each in history.operations if each.outcome == "unknown"]
    assert not unknown, history.summary()


def test_a_revocation_ends_also_what_is_being_refreshed_at_that_moment(
    cast: Cast, two_servers: Callable[..., tuple[str, str]], history: History
) -> None:
    """F-05, N-098: whichever comes first, no successor is alive once both were answered."""
    first, second = two_servers()
    machine = cast.machine

    for token in cast.refresh_tokens(2 * ROUNDS):
        calls = [partial(machine.refresh, server, token) for server in (first, second)]
        answers = history.race(
            "use", token, [*calls, partial(machine.post, first, "/revoke", token=token)]
        )
        for given in (each.result.body for each in answers):
            if "access_token" in given:
                asked = machine.introspect(second, given["access_token"]).body
                assert asked == {"active": False}, history.summary()
                assert machine.refresh(first, given["refresh_token"]).status == 400

    assert cast.column("SELECT count(*) FROM grants WHERE revoked_at IS NULL") == [0]
    assert {each.outcome for each in history.operations} == {"ok", "fail"}, history.summary()


def sign_out(cast: Cast, session_id: str, after: float) -> SimpleNamespace:
    """End a session after some seconds, as the process that serves its browser would."""
    time.sleep(after)
    with cast.app.app_context():
        sessions.end(session_id)
        db.session.commit()
    return SimpleNamespace(status=200)


def test_a_sign_out_takes_every_code_that_is_not_redeemed_by_then(
    cast: Cast, two_servers: Callable[..., tuple[str, str]], history: History
) -> None:
    """F-05, N-087: a code is either redeemed and has its grant, or gone for good.

    A client that was signed in to meanwhile hears of it: none is left in a session that ended.
    """
    servers = two_servers()

    for number in range(ROUNDS):
        session_id = cast.start_session()
        codes = cast.codes(6, session_id)
        calls = [
            partial(cast.machine.redeem, *each)
            for each in zip(spread(6, servers), codes, strict=True)
        ]
        calls.append(partial(sign_out, cast, session_id, after=number / 100))
        history.race("redeem", f"round {number}", calls)

        assert cast.column("SELECT count(*) FROM authorization_codes WHERE spent_at IS NULL") == [0]
        assert cast.column("SELECT count(*) FROM session_clients") == [0]

    redeemed = sum(each.outcome == "ok" for each in history.operations) - ROUNDS
    assert cast.column("SELECT count(*) FROM grants WHERE revoked_at IS NULL") == [redeemed]
    assert cast.column("SELECT count(*) FROM authorization_codes") == [redeemed]
    assert 0 < redeemed < 6 * ROUNDS, history.summary()
    assert {each.outcome for each in history.operations} == {"ok", "fail"}, history.summary()
