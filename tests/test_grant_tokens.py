"""Tokens of what was authorized: kept while they live, refreshed by one for all, ended for good."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.domain import connection_grants, connection_refreshes, connections, upstreams
from app.domain.connection_grants import SERVICE
from app.extensions import db
from app.outbound import calls
from app.outbound.calls import Access, Call
from app.outbound.errors import OutboundError
from tests.domain.held_connections import OPERATOR
from tests.domain.upstream_cast import told
from tests.outbound.grants import endpoint as endpoint
from tests.outbound.grants import granted as granted
from tests.services.gate import said, silent, token_answer


def why_not(tokens, seconds=5):
    """Return the reason and the error for which there is no token."""
    with pytest.raises(OutboundError) as raised:
        tokens.token(seconds)
    return raised.value.reason, raised.value.error


def test_a_token_comes_from_its_row_until_its_buffer_begins(endpoint, granted, clock):
    server = endpoint(token_answer("a-2", refresh_token="r-2"))
    tokens = granted(server)

    clock.advance(3539)
    assert tokens().token() == "a-1"
    assert server.requests == []
    clock.advance(1)
    assert tokens().token() == "a-2"
    assert tokens().token() == "a-2"
    assert len(server.bodies) == 1
    assert "refresh_token=r-1" in server.bodies[0]


def test_without_a_known_end_a_token_lives_and_without_renewal_to_its_end(endpoint, granted, clock):
    tokens = granted(endpoint(), refresh="", ends_in=30)

    clock.advance(29)
    assert tokens().token() == "a-1"
    clock.advance(1)
    assert why_not(tokens()) == ("credential", "")


def test_a_refresh_that_says_nothing_of_scopes_leaves_those_that_were_granted(
    app, endpoint, granted, clock
):
    server = endpoint(token_answer("a-2", refresh_token="r-2"), token_answer("a-3"))
    tokens = granted(server)
    wanted = {"scope": "read write", "expiry_buffer_seconds": 60, "description": ""}
    with app.app_context():
        upstreams.change(connections.get("notes"), by=OPERATOR, **wanted)
        db.session.commit()

    for value in ("a-2", "a-3"):
        clock.advance(3600)
        found = tokens().current().tokens
        assert (found.access_token, found.scopes) == (value, ("read",))
    assert "refresh_token=r-2" in server.bodies[1]


def test_ten_that_come_at_once_cause_one_refresh(endpoint, granted, clock):
    server = endpoint(token_answer("a-2", refresh_token="r-2"), said(400, {"error": "x"}))
    tokens = granted(server)
    clock.advance(3600)
    together = Barrier(10)

    def one(_number):
        mine = tokens()
        together.wait(10)
        return mine.token(20)

    with ThreadPoolExecutor(10) as threads:
        assert set(threads.map(one, range(10))) == {"a-2"}
    assert len(server.bodies) == 1


def test_a_refused_token_is_renewed_once_for_all_who_had_it(endpoint, granted):
    server = endpoint(token_answer("a-2", refresh_token="r-2"), said(400, {"error": "x"}))
    tokens = granted(server)
    first, second = tokens(), tokens()

    for mine in (first, second):
        assert mine.token() == "a-1"
        mine.drop("a-1")
    assert (first.token(), second.token(), tokens().token()) == ("a-2", "a-2", "a-2")
    assert len(server.bodies) == 1


def test_a_call_that_is_refused_goes_again_once_with_a_new_token(app, endpoint, granted):
    server, api = endpoint(token_answer("a-2")), endpoint(said(401), said(200, b"notes"))
    access = Access(app.extensions["gatewright.outbound"].stranger, granted(server)(), "X-User")

    answer = calls.make(access, Call(api.url))

    assert answer.content == b"notes"
    assert [head["authorization"] for head in api.heads] == ["Bearer a-1", "Bearer a-2"]


def test_what_is_refused_for_good_has_ended(app, endpoint, granted, clock):
    tokens = granted(endpoint(said(400, {"error": "invalid_grant"})))
    clock.advance(3600)

    assert why_not(tokens()) == ("token", "invalid_grant")
    assert why_not(tokens()) == ("credential", "")
    with app.app_context():
        assert told("revoked")[0][1]["reason"] == "refused by the authorization server"


def test_a_failure_that_may_pass_is_noted_and_the_grant_goes_on(app, endpoint, granted, clock):
    server = endpoint(said(503), token_answer("a-2"))
    tokens = granted(server)
    clock.advance(3600)

    assert why_not(tokens()) == ("token", "")
    with app.app_context():
        assert told("refresh_failed")[0][1]["reason"] == "token"
    assert tokens().token() == "a-2"


def test_who_waits_for_somebody_who_died_asks_when_the_lease_is_over(app, endpoint, granted, clock):
    server = endpoint(silent, token_answer("a-2"))
    tokens = granted(server)
    clock.advance(3600)
    with app.app_context():
        row = connection_grants.find(tokens().connection_id, SERVICE)
        assert connection_refreshes.claim(row) is not None
        db.session.commit()

    assert why_not(tokens(), 0.3) == ("timeout", "")
    clock.advance(30)
    assert why_not(tokens(), 0.3) == ("timeout", ""), "this one asks and hears nothing"
    assert tokens().token() == "a-2"


def test_the_tokens_of_one_owner_are_nobody_elses(endpoint, granted):
    tokens = granted(endpoint(), owner="u-ada")

    assert tokens().token() == "a-1"
    for other in (SERVICE, "u-eve"):
        assert why_not(tokens(other)) == ("credential", "")
