"""Connections that people authorize: what was discovered, the client there, and their end."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.domain import (
    connection_authorizations,
    connection_grants,
    connection_secrets,
    connections,
    errors,
    upstreams,
)
from app.domain.connection_authorizations import ConnectionAuthorization
from app.domain.connection_grants import ConnectionGrant
from app.domain.upstream_tokens import Tokens
from app.extensions import db
from tests.domain import held_connections
from tests.domain.held_connections import OPERATOR, SEALING
from tests.domain.held_connections import context as context
from tests.domain.upstream_cast import (
    CANARIES,
    CLIENT,
    ELSEWHERE,
    ISSUER,
    SERVER,
    TOKENS,
    UPSTREAM,
    URL,
    access_token,
    begin,
    keep,
    leaked,
    opened,
    person,
    told,
    upstream,
)

MOVED = "https://other.example"


def rows_left():
    """Return how many grants and running authorizations there are."""
    tables = (ConnectionGrant, ConnectionAuthorization)
    return [db.session.scalar(select(func.count()).select_from(table)) for table in tables]


def test_what_people_authorize_begins_with_its_url_alone(context):
    row = connections.create("tools", UPSTREAM, SEALING, by=OPERATOR)
    db.session.commit()

    assert connections.get("tools") is row
    assert (row.kind, row.url, row.scope) == ("authorization_code", URL, "read")
    assert (row.client_id, row.registered_how, row.server, row.issuer) == ("", "", None, None)
    assert told()[0][1]["url"] == URL


def test_a_discovery_and_a_registration_are_kept_and_on_record(context):
    row = upstream()

    db.session.expire_all()
    assert (row.issuer, row.resource, row.server) == (ISSUER, URL, SERVER)
    assert (row.client_id, row.registered_how) == (CLIENT.client_id, "registered")
    assert row.registration_client_uri == CLIENT.registration_client_uri
    assert connection_secrets.secrets_of(row, SEALING, {}).client_secret == CANARIES[0]
    assert connection_secrets.registration_token_of(row, SEALING) == CANARIES[1]
    assert leaked() == []
    assert [tag for tag, _ in told()] == ["created", "changed", "registered"]
    assert told("changed")[0][1]["after"]["token_endpoint"] == f"{ISSUER}/token"
    assert told("registered")[0][1] == {
        "name": "tools",
        "issuer": ISSUER,
        "upstream_client_id": CLIENT.client_id,
        "auth_method": "client_secret_basic",
        "how": "registered",
    }


def test_the_same_issuer_may_move_its_endpoints_and_nothing_ends(context):
    row = upstream()
    keep(row)
    moved = SERVER | {"token_endpoint": f"{ISSUER}/oauth/token"}

    assert upstreams.note_discovery(row, moved, URL, by=OPERATOR) is None
    assert upstreams.note_discovery(row, moved, URL, by=OPERATOR) is None
    db.session.commit()

    assert (row.server, row.client_id, row.revision) == (moved, CLIENT.client_id, 2)
    assert access_token(row)
    assert [detail["after"] for _, detail in told("changed")][1:] == [
        {"token_endpoint": f"{ISSUER}/oauth/token"}
    ]


def test_with_another_issuer_client_and_tokens_are_forgotten_and_never_go_there(context):
    row, ada = upstream(), person("ada")
    keep(row, ada[0])
    running = begin(row, ada)

    remains = upstreams.note_discovery(row, ELSEWHERE, URL, by=OPERATOR)
    db.session.commit()

    assert (row.issuer, row.client_id, row.registered_how) == (MOVED, "", "")
    assert (row.secret_sealed, row.registration_token_sealed) == (None, None)
    assert rows_left() == [0, 0]
    assert (remains.connection.issuer, remains.connection.server) == (ISSUER, SERVER)
    assert opened(remains) == (*CANARIES[:2], f"{CANARIES[2]}-{ada[0]}", CANARIES[3])
    assert told("revoked") == [("revoked", {"owner": ada[0], "reason": "issuer changed"})]
    for late in (
        lambda: connection_authorizations.spend(running.state, ada[1]),
        lambda: begin(row, ada),
        lambda: upstreams.note_registration(row, CLIENT, 2, SEALING, by=OPERATOR),
        lambda: connection_grants.keep(
            Tokens("late"),
            SEALING,
            connection_id=row.id,
            owner=ada[0],
            revision=2,
            by=OPERATOR,
        ),
    ):
        with pytest.raises((errors.AccessDenied, errors.Conflict)):
            late()


def test_a_client_that_was_given_survives_the_first_discovery(context):
    given = replace(UPSTREAM, client_id="by-hand")
    row = connections.create("tools", given, SEALING, by=OPERATOR)

    assert upstreams.note_discovery(row, SERVER, URL, by=OPERATOR) is None
    assert (row.client_id, row.registered_how) == ("by-hand", "given")


def test_a_change_and_a_rotated_secret_leave_the_tokens_that_people_have(context):
    row = upstream()
    keep(row)

    upstreams.change(row, by=OPERATOR, scope="read write", expiry_buffer_seconds=0, description="")
    connections.rotate_secret(row, f"{CANARIES[0]}-2", SEALING, by=OPERATOR)
    db.session.commit()

    assert (row.scope, row.revision) == ("read write", 2)
    assert connection_secrets.secrets_of(row, SEALING, {}).client_secret == f"{CANARIES[0]}-2"
    assert access_token(row)
    with pytest.raises(errors.InvalidMembers):
        upstreams.change(row, by=OPERATOR, scope='"', expiry_buffer_seconds=0, description="")


def test_what_is_removed_leaves_no_row_and_says_what_is_left_at_the_other_server(context):
    row, ada = upstream(), person("ada")
    keep(row)
    begin(row, ada)
    revision = row.revision

    remains = connections.remove(row, by=OPERATOR)
    db.session.commit()

    assert (connections.find_all(), rows_left()) == ([], [0, 0])
    assert remains.connection.registration_client_uri == CLIENT.registration_client_uri
    assert opened(remains) == (*CANARIES[:2], f"{CANARIES[2]}-", CANARIES[3])
    assert [tag for tag, _ in told()][-2:] == ["revoked", "deleted"]
    assert leaked() == []
    with pytest.raises(errors.Conflict):
        connection_grants.keep(
            Tokens("late"),
            SEALING,
            connection_id=remains.connection.id,
            owner=ada[0],
            revision=revision,
            by=OPERATOR,
        )


def test_a_removal_waits_for_tokens_that_are_being_kept_and_hands_them_over(app, context):
    row = upstream()

    def remove():
        with app.app_context():
            remains = connections.remove(connections.get("tools"), by=OPERATOR)
            db.session.commit()
            return remains

    with ThreadPoolExecutor(1) as thread:
        kept = connection_grants.keep(
            TOKENS, SEALING, connection_id=row.id, owner="", revision=row.revision, by=OPERATOR
        )
        waiting = thread.submit(remove)
        assert wait([waiting], timeout=0.3).done == set()
        db.session.commit()
        remains = waiting.result()

    assert remains.grants == [kept]
    assert rows_left() == [0, 0]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_connection_is_changed_only_in_the_way_of_its_kind(context):
    authorized, login = upstream(), held_connections.create()
    members = {"by": OPERATOR, "scope": "", "expiry_buffer_seconds": 0, "description": ""}

    for verb in (
        lambda: connections.change(authorized, resource="", **members),
        lambda: upstreams.change(login, **members),
        lambda: upstreams.note_discovery(login, SERVER, URL, by=OPERATOR),
        lambda: upstreams.note_registration(login, CLIENT, 1, SEALING, by=OPERATOR),
    ):
        with pytest.raises(errors.Conflict):
            verb()
