"""What is stopped stays stopped, also for requests that were under way (F-05, F-13)."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest

from app.domain import clients
from app.domain.audit import SERVER
from app.extensions import db
from tests.races.cast import Cast
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
