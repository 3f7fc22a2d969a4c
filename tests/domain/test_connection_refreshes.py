"""Refreshing connection grants: one of many asks, the newest wins, and the trail stays short."""

from app.domain import connection_grants, connection_refreshes
from app.domain.connection_grants import SERVICE, find
from app.domain.connection_refreshes import CLAIM_SECONDS, claim, give_up, note_failure
from app.domain.upstream_tokens import Tokens, tokens_of
from app.extensions import db
from tests.domain.held_connections import OPERATOR, SEALING
from tests.domain.held_connections import context as context
from tests.domain.upstream_cast import CANARIES, at_once, keep, told, upstream


def store(row, token):
    """Store a refreshed access token; return what is there then."""
    stored = connection_refreshes.store_refreshed(
        row, Tokens(token, expires_at=5), SEALING, by=OPERATOR
    )
    db.session.commit()
    return stored


def fail(row, until):
    """Note a refresh that failed."""
    note_failure(row, until, "timeout", by=OPERATOR)
    db.session.commit()


def token_of(row):
    """Return the access token of a grant."""
    return tokens_of(row, SEALING).access_token


def test_of_ten_callers_at_once_one_refreshes(app, context):
    row = keep(upstream())

    results = at_once(app, 10, lambda _: claim(row))

    assert len([until for until in results if until]) == 1


def test_a_turn_ends_with_the_refresh_the_failure_or_by_itself(context, clock):
    row = keep(upstream())
    first = claim(row)
    assert (first, claim(row)) == (clock.now + CLAIM_SECONDS, None)
    fail(row, first)
    assert find(row.connection_id, SERVICE).failed_at == clock.now

    second = claim(row)
    clock.advance(CLAIM_SECONDS)
    third = claim(row)
    fail(row, second)

    assert second
    assert third == clock.now + CLAIM_SECONDS
    assert claim(row) is None
    stored = store(row, "new")
    assert claim(row) is None
    assert claim(stored)


def test_who_saw_that_another_one_refreshes_looks_again_before_it_claims(context, clock):
    row = keep(upstream())
    until = claim(row)
    seen = find(row.connection_id, SERVICE)
    fail(row, until)

    assert claim(seen) is None, "what it saw was another's turn, so nothing was written"
    assert claim(find(row.connection_id, SERVICE)) == until
    clock.advance(CLAIM_SECONDS)
    assert claim(seen) == until + CLAIM_SECONDS


def test_of_eight_refreshes_of_one_version_one_is_stored_and_all_get_it(app, context):
    row = keep(upstream())

    results = at_once(app, 8, lambda number: token_of(store(row, f"new-{number}")))

    assert len(set(results)) == 1
    found = find(row.connection_id, SERVICE)
    assert (token_of(found), found.version) == (results[0], 2)


def test_what_a_refresh_does_not_say_has_not_changed(context, clock):
    row = keep(upstream())

    stored = store(row, "new")

    assert tokens_of(stored, SEALING) == Tokens("new", CANARIES[3], ("read",), 5)
    assert (stored.refreshed_at, stored.refreshing_until) == (clock.now, None)
    replaced = connection_refreshes.store_refreshed(
        stored, Tokens("newer", "next", ("write",)), SEALING, by=OPERATOR
    )
    assert tokens_of(replaced, SEALING) == Tokens("newer", "next", ("write",), None)


def test_a_refresh_loses_to_a_new_authorization_and_brings_back_no_ended_one(context):
    connection = upstream()
    old = keep(connection)
    new = keep(connection, tokens=Tokens("authorized anew"))

    assert store(old, "refreshed") == new
    assert give_up(old, "invalid_grant", by=OPERATOR) is False
    assert give_up(new, "invalid_grant", by=OPERATOR) is True
    assert store(new, "refreshed") is None
    assert connection_grants.of_connection(connection.id) == []


def test_the_trail_has_the_first_refresh_the_first_failure_and_the_recovery(context, clock):
    row = keep(upstream())
    for number in range(3):
        row = store(row, f"new-{number}")
    for _ in range(3):
        clock.advance(60)
        fail(row, claim(row))
        row = find(row.connection_id, SERVICE)
        assert row.failed_at == clock.now
    store(row, "recovered")

    assert told("refresh") == [
        ("refreshed", {"owner": ""}),
        ("refresh_failed", {"owner": "", "reason": "timeout"}),
        ("refreshed", {"owner": ""}),
    ]
