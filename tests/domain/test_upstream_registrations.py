"""Clients of this server at others: one at a time, sealed, and gone with what they brought."""

from dataclasses import replace

import pytest

from app.domain import connection_secrets, connections, errors, upstreams
from app.domain.upstreams import Client
from app.extensions import db
from tests.domain.held_connections import OPERATOR, SEALING
from tests.domain.held_connections import context as context
from tests.domain.upstream_cast import (
    CANARIES,
    CLIENT,
    ISSUER,
    SERVER,
    UPSTREAM,
    URL,
    access_token,
    at_once,
    keep,
    leaked,
    opened,
    told,
    upstream,
)


def test_of_two_registrations_at_once_one_is_kept_and_the_other_refused(app, context):
    row = connections.create("tools", UPSTREAM, SEALING, by=OPERATOR)
    upstreams.note_discovery(row, SERVER, URL, by=OPERATOR)
    db.session.commit()

    def register(number):
        mine = connections.get("tools")
        upstreams.note_registration(mine, Client(f"c-{number}"), 1, SEALING, by=OPERATOR)
        return f"c-{number}"

    first, second = sorted(at_once(app, 2, register), key=lambda one: isinstance(one, str))

    assert isinstance(first, errors.Conflict)
    db.session.expire_all()
    assert (row.client_id, len(told("registered"))) == (second, 1)


def test_another_client_ends_the_tokens_of_the_one_before(context):
    row = upstream()
    keep(row)

    again = replace(CLIENT, registration_token=f"{CANARIES[1]}-2")
    assert upstreams.note_registration(row, again, 2, SEALING, by=OPERATOR) is None
    assert access_token(row)
    assert connection_secrets.registration_token_of(row, SEALING) == f"{CANARIES[1]}-2"
    document = Client("https://gatewright.example/client.json", how="document")
    remains = upstreams.note_registration(row, document, 2, SEALING, by=OPERATOR)
    upstreams.note_unregistration(remains, "timeout", by=OPERATOR)
    db.session.commit()

    assert access_token(row) is None
    assert (row.registered_how, row.auth_method, row.secret_sealed) == ("document", "none", None)
    assert opened(remains)[1] == f"{CANARIES[1]}-2"
    assert told("unregistered")[0][1] == {
        "name": "tools",
        "issuer": ISSUER,
        "upstream_client_id": CLIENT.client_id,
        "failure": "timeout",
    }
    assert leaked() == []


@pytest.mark.parametrize(
    "client, faulty",
    [
        (Client(""), ["client_id"]),
        (Client("x" * 2049), ["client_id"]),
        (Client("c", "client_secret_jwt"), ["auth_method", "client_secret"]),
        (Client("c", "client_secret_post"), ["client_secret"]),
        (Client("c", client_secret="s"), ["client_secret"]),
        (Client("c", registration_client_uri="http://id.example/"), ["registration_client_uri"]),
        (Client("c", registration_token="two\nlines"), ["registration_token"]),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_no_client_can_have_is_named_and_not_kept(context, client, faulty):
    row = upstream()

    with pytest.raises(errors.InvalidMembers) as refused:
        upstreams.note_registration(row, client, row.revision, SEALING, by=OPERATOR)

    assert sorted(refused.value.faults) == faulty
    assert row.client_id == CLIENT.client_id
