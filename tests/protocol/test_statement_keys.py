"""Keys of who issues software statements: fetched once, when needed, and never made up for."""

from contextlib import contextmanager

from app.domain import statement_issuers
from app.domain.audit import SERVER
from app.domain.client_records import Client
from app.extensions import db
from app.protocol.software_statements import UNFETCHED
from tests.protocol import vendors
from tests.protocol.machines import assert_refused
from tests.protocol.statements import INVALID, UNAPPROVED, send, sent
from tests.protocol.statements import outside as outside
from tests.protocol.vendors import VENDOR


def test_keys_are_fetched_once_and_again_for_a_key_that_is_new(client, outside, clock):
    one = sent(client, vendors.statement())
    sent(client, vendors.statement())
    assert len(outside.asked) == 1

    outside.publish("RS256")
    assert_refused(send(client, vendors.statement("RS256")), INVALID)
    clock.advance(60)
    sent(client, vendors.statement("RS256"))
    assert_refused(send(client, vendors.statement()), INVALID)
    assert len(outside.asked) == 2

    clock.advance(600)
    assert one.update(software_statement=vendors.statement("RS256")).status_code == 200
    assert len(outside.asked) == 3


def test_keys_that_cannot_be_had_are_told_apart_and_nothing_is_kept(app, client, outside, audited):
    outside.answer = None

    refused = send(client, vendors.statement())

    assert_refused(refused, INVALID)
    assert refused.get_json()["error_description"] == UNFETCHED
    (event,) = audited("registration.refused")
    assert (event.detail["reason"], event.detail["statement_issuer"]) == ("timeout", VENDOR)
    with app.app_context():
        assert db.session.scalars(db.select(Client)).all() == []


def test_an_algorithm_that_is_not_allowed_costs_no_fetch(client, outside):
    assert_refused(send(client, vendors.statement("ES384")), INVALID)
    assert outside.asked == []


def test_an_issuer_that_is_removed_while_its_keys_are_fetched_counts_no_more(app, client, outside):
    @contextmanager
    def removing():
        statement_issuers.remove(statement_issuers.trusted(VENDOR).id, by=SERVER)
        db.session.commit()
        yield

    outside.meanwhile = removing
    assert_refused(send(client, vendors.statement()), UNAPPROVED)
