"""Running authorizations: of one browser session, used once and in time, refused all alike."""

import pytest
from sqlalchemy import update

from app.domain import (
    connection_authorizations,
    connections,
    credentials,
    errors,
    retention,
    sessions,
    upstreams,
)
from app.domain.connection_authorizations import (
    LIFETIME_SECONDS,
    STALE,
    ConnectionAuthorization,
    spend,
    verifier_of,
)
from app.domain.connection_grants import SERVICE
from app.domain.upstreams import Client
from app.extensions import db
from tests.domain.held_connections import OPERATOR, SEALING
from tests.domain.held_connections import context as context
from tests.domain.upstream_cast import (
    ISSUER,
    REDIRECT,
    SERVER,
    UPSTREAM,
    URL,
    at_once,
    begin,
    everything,
    person,
    upstream,
)


def refused(state, session_id):
    """Return the sentence that an answer is refused with."""
    with pytest.raises(errors.AccessDenied) as raised:
        spend(state, session_id)
    return raised.value.description


def test_an_answer_finds_everything_that_was_begun(context, clock):
    row, ada = upstream(), person("ada")
    begun, for_all = begin(row, ada), begin(row, ada, for_service=True)
    text = everything()
    clock.advance(LIFETIME_SECONDS - 1)

    spent = spend(begun.state, ada[1])

    assert (spent.connection_id, spent.user_id, spent.owner) == (row.id, ada[0], ada[0])
    assert (spent.issuer, spent.redirect_uri, spent.scopes) == (ISSUER, REDIRECT, ["read"])
    assert spent.revision == row.revision
    verifier = verifier_of(spent, SEALING)
    assert credentials.s256_challenge(verifier) == begun.challenge
    assert [secret for secret in (begun.state, verifier) if secret in text] == []
    assert spend(for_all.state, ada[1]).owner == SERVICE


def test_of_eight_answers_at_once_one_counts(app, context):
    row, ada = upstream(), person("ada")
    state = begin(row, ada).state

    results = at_once(app, 8, lambda _: spend(state, ada[1]))

    assert [type(one) for one in results].count(errors.AccessDenied) == 7
    [winner] = [one for one in results if not isinstance(one, Exception)]
    assert winner.owner == ada[0]


def test_all_answers_that_do_not_count_are_refused_alike(context, clock):
    row, other, ada, bob = upstream(), upstream("other"), person("ada"), person("bob")
    unknown = credentials.new_secret()
    state, spent, changed = (begin(each, ada).state for each in (row, row, other))
    spend(spent, ada[1])
    upstreams.note_registration(other, Client("new"), other.revision, SEALING, by=OPERATOR)
    db.session.commit()

    said = [refused(state, bob[1])]
    said += [refused(one, ada[1]) for one in (unknown, "x" * 5000, "\0", spent, changed)]
    assert spend(begin(row, ada).state, ada[1])
    clock.advance(LIFETIME_SECONDS)
    said += [refused(state, ada[1])]

    assert set(said) == {STALE}


def test_an_answer_in_another_session_spends_nothing(context):
    row, ada, bob = upstream(), person("ada"), person("bob")
    state = begin(row, ada).state

    refused(state, bob[1])
    db.session.commit()

    assert spend(state, ada[1]).owner == ada[0]


def test_an_answer_at_another_revision_does_not_count(context):
    row, ada = upstream(), person("ada")
    state = begin(row, ada).state
    db.session.execute(update(ConnectionAuthorization).values(revision=row.revision - 1))

    assert refused(state, ada[1]) == STALE


def test_a_verifier_opens_for_its_own_authorization_and_owner_only(context):
    row, ada = upstream(), person("ada")
    one, other = (spend(begin(row, ada).state, ada[1]) for _ in range(2))

    for forged in (
        {"verifier_sealed": other.verifier_sealed},
        {"owner": SERVICE},
        {"session_id": person("bob")[1]},
        {"connection_id": upstream("other").id},
    ):
        db.session.execute(
            update(ConnectionAuthorization)
            .where(ConnectionAuthorization.state_digest == one.state_digest)
            .values(dict(one._mapping) | forged)
        )
        found = db.session.execute(
            db.select(*ConnectionAuthorization.__table__.c).where(
                ConnectionAuthorization.state_digest == one.state_digest
            )
        ).one()
        with pytest.raises(ValueError, match="another row"):
            verifier_of(found, SEALING)
    with pytest.raises(ValueError, match="another key"):
        verifier_of(one, b"t" * 32)


def test_what_runs_ends_with_its_session_and_is_purged_when_it_has_run_out(context, clock):
    row, ada, bob = upstream(), person("ada"), person("bob")
    ended, begun = begin(row, ada), begin(row, bob)
    sessions.end_of_user(ada[0])
    db.session.commit()

    assert refused(ended.state, ada[1]) == STALE
    assert retention.purge()["connection authorizations"] == 0
    clock.advance(LIFETIME_SECONDS + 1)
    assert retention.purge()["connection authorizations"] == 1
    assert refused(begun.state, bob[1]) == STALE


def test_nothing_is_begun_without_a_server_and_a_client(context):
    ada = person("ada")
    row = connections.create("tools", UPSTREAM, SEALING, by=OPERATOR)
    for _ in range(2):
        with pytest.raises(errors.Conflict) as unready:
            begin(row, ada)
        assert unready.value.description == connection_authorizations.UNREADY
        upstreams.note_discovery(row, SERVER, URL, by=OPERATOR)
