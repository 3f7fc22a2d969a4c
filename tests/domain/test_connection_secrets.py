"""Secrets of connections: sealed for their row and column, and nowhere to be read."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import update

from app.domain import connection_drafts, connections, errors
from app.domain.connection_records import Connection
from app.domain.connection_secrets import Secrets, secrets_of
from app.extensions import db
from tests.domain.held_connections import (
    BY_KEY,
    EC,
    GOOD,
    OPERATOR,
    OTHER_EC,
    RSA,
    SEALING,
    SECRET,
    adopt,
    create,
    stored,
)
from tests.domain.held_connections import context as context


@pytest.mark.parametrize("key", [EC, RSA, EC | {"kid": "one", "alg": "ES256", "x5t": "AAAA"}])
def test_a_private_key_is_sealed_and_comes_back_without_strange_members(context, key):
    row = create(draft=replace(BY_KEY, private_key=json.dumps(key)))

    opened = secrets_of(row, SEALING, {}).private_key
    assert opened == {name: value for name, value in key.items() if name != "x5t"}
    assert (row.secret_sealed, key["d"] in stored()) == (None, False)


def test_a_connection_without_a_secret_of_its_own_leaves_signing_to_the_server(context):
    row = create(draft=BY_KEY)

    assert (row.secret_sealed, row.private_key_sealed) == (None, None)
    assert secrets_of(row, SEALING, {}) == Secrets()


def test_no_secret_is_in_the_tables_the_trail_or_any_text(context):
    keyed = replace(BY_KEY, private_key=json.dumps(EC))
    row, other = create(), create("keyed", keyed)
    connections.rotate_secret(row, f"{SECRET}-2", SEALING, by=OPERATOR)
    connections.rotate_secret(other, json.dumps(OTHER_EC), SEALING, by=OPERATOR)
    connections.remove(other, by=OPERATOR)
    db.session.commit()

    shown = [stored(), repr([row, GOOD, keyed, secrets_of(row, SEALING, {})])]
    shown += [str(connection_drafts.faults(replace(GOOD, client_secret=f"{SECRET}\n")))]
    for secret in (SECRET, EC["d"], OTHER_EC["d"], SECRET.encode().hex()):
        assert [text for text in shown if secret in text] == []
    assert row.secret_sealed
    assert SECRET.encode() not in row.secret_sealed


@pytest.mark.parametrize("column", ["secret_sealed", "private_key_sealed"])
def test_a_seal_opens_in_its_own_row_and_column_only(context, column):
    row, other = create(), create("other")
    theirs = other.secret_sealed
    mine = {"secret_sealed": None, "private_key_sealed": None}
    values = mine | {column: theirs if column == "secret_sealed" else row.secret_sealed}
    db.session.execute(update(Connection).where(Connection.id == row.id).values(**values))
    db.session.commit()

    with pytest.raises(ValueError, match="another row"):
        secrets_of(connections.get("billing"), SEALING, {})
    with pytest.raises(ValueError, match="another key"):
        secrets_of(other, b"t" * 32, {})
    assert secrets_of(other, SEALING, {}).client_secret == SECRET


def test_a_secret_of_the_environment_goes_only_where_that_environment_says(context):
    adopt(one=GOOD)
    row = connections.get("one")

    assert secrets_of(row, SEALING, {"one": GOOD}).client_secret == SECRET
    for elsewhere in ({}, {"one": replace(GOOD, token_endpoint="https://other.example/")}):
        with pytest.raises(errors.Conflict):
            secrets_of(row, SEALING, elsewhere)
