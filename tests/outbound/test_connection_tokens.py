"""Tokens of connections: one manager for each as it is now, wherever its endpoint is found."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import import_key

from app import connection_uses
from app.domain import connections, errors
from app.extensions import db
from app.outbound import connection_tokens
from app.outbound.logins import ASSERTION_SECONDS
from tests.domain.held_connections import BY_KEY, EC, GOOD, OPERATOR, RSA, SECRET
from tests.outbound.grants import endpoint as endpoint
from tests.outbound.pools import change as change
from tests.outbound.pools import hold as hold
from tests.outbound.pools import manager as manager
from tests.outbound.pools import of_environment
from tests.services.gate import token_answer


def used(app):
    """Return when the connection was used last, and when its token ends."""
    with app.app_context():
        row = connections.get("billing")
        return row.last_used_at, row.token_expires_at


def test_a_token_is_got_once_for_everybody_and_the_use_is_noted_once_a_minute(
    app, endpoint, hold, manager, clock
):
    server = endpoint(token_answer("first"), token_answer("second"))
    hold(token_endpoint=server.url)

    with ThreadPoolExecutor(8) as threads:
        found = {each.result() for each in [threads.submit(manager().token) for _ in range(8)]}

    began = clock.now
    assert (found, len(server.requests)) == ({"first"}, 1)
    assert used(app) == (began, began + 3600)
    moments = []
    for _ in range(3):
        clock.advance(30)
        assert manager().token() == "first"
        moments.append(used(app)[0] - began)
    assert moments == [0, 60, 60]
    assert manager().token(life_seconds=3600) == "second"
    assert used(app) == (clock.now, clock.now + 3600)


@pytest.mark.parametrize(
    "verb",
    [
        lambda row: connections.rotate_secret(row, "c4n4ry-9876543210", b"", by=OPERATOR),
        lambda row: connections.change(
            row, by=OPERATOR, scope="read", resource="", expiry_buffer_seconds=0, description=""
        ),
    ],
    ids=["rotated", "changed"],
)
def test_a_changed_connection_never_serves_a_token_of_its_former_self(
    app, endpoint, hold, manager, change, monkeypatch, verb
):
    monkeypatch.setattr(connections.connection_secrets, "seals", sealed_with(app))
    server = endpoint(token_answer("former"), token_answer("present"))
    hold(token_endpoint=server.url)
    former = manager()
    assert former.token() == "former"

    change(verb)

    assert manager().token() == "present"
    assert manager().login.name != former.login.name
    assert manager() is manager()


def sealed_with(app):
    """Return what seals with the key of an application."""
    seals = connections.connection_secrets.seals
    key = app.extensions["gatewright.keys"]["connections"]
    return lambda row_id, draft, _key: seals(row_id, draft, key)


def test_a_connection_made_anew_under_the_same_name_is_another_one(endpoint, hold, manager, change):
    server = endpoint(token_answer("former"), token_answer("present"))
    hold(token_endpoint=server.url)
    assert manager().token() == "former"

    change(lambda row: connections.remove(row, by=OPERATOR))
    with pytest.raises(errors.NotFound):
        manager()
    hold(token_endpoint=server.url)

    assert manager().token() == "present"


def test_few_managers_are_kept(app, hold, manager, monkeypatch):
    monkeypatch.setattr(connection_tokens, "KEPT", 1)
    hold()
    first = manager()
    with app.app_context():
        other = connections.create("other", GOOD, b"k" * 32, by=OPERATOR)
        other.source = "environment"
        pool = connection_uses.managers()
        pool.environment = {"other": GOOD}
        pool.of(other)

    assert len(pool.managers) == 1
    assert manager() is not first


@pytest.mark.parametrize(
    "key, algorithm",
    [(EC, "ES256"), (RSA, "RS256"), (RSA | {"alg": "PS256", "kid": "ours-1"}, "PS256")],
)
def test_a_login_with_a_key_of_its_own_signs_by_its_kind(
    endpoint, hold, manager, clock, key, algorithm
):
    server = endpoint()
    hold(BY_KEY, token_endpoint=server.url, private_key=written(key))

    manager().token()

    form = parse_qs(server.bodies[0])
    read = jwt.decode(form["client_assertion"][0], import_key(key), algorithms=[algorithm])
    assert read.header.get("kid") == key.get("kid")
    assert read.claims["aud"] == server.url
    assert read.claims["exp"] == clock.now + ASSERTION_SECONDS
    assert SECRET not in server.bodies[0]


def written(key):
    """Write a key as an operator pastes it."""
    return connections.connection_secrets.orjson.dumps(key).decode()


def test_a_secret_of_the_environment_that_changes_makes_another_login(app, hold, manager):
    hold()
    of_environment(app, GOOD)
    before = manager().login
    app.extensions["gatewright.connections"].environment = {
        "billing": replace(GOOD, client_secret="c4n4ry-9876543210")
    }

    assert manager().login.name != before.name


def test_a_secret_that_does_not_open_is_told_with_what_to_do(app, hold, manager):
    hold()
    app.extensions["gatewright.connections"].sealing_key = b"o" * 32

    with pytest.raises(errors.Conflict, match="rotate the secret"):
        manager()


def test_a_token_is_no_worse_when_its_use_cannot_be_noted(app, endpoint, hold, manager):
    hold(token_endpoint=endpoint().url)
    found = manager()
    with app.app_context():
        db.session.execute(db.text("ALTER TABLE connections RENAME TO away"))
        db.session.commit()

    assert found.token() == "at-0123456789"


def test_processes_share_one_token(app, settings, endpoint, hold, manager, redis_url):
    server = endpoint()
    hold(token_endpoint=server.url)
    pools = [app.extensions["gatewright.connections"], pool_like(app, redis_url)]
    pools[0].shared = pools[1].shared

    assert {manager(pool).token() for pool in pools} == {"at-0123456789"}
    assert len(server.requests) == 1


def pool_like(app, redis_url):
    """Return the managers of another process that shares a Redis."""
    own = app.extensions["gatewright.connections"]
    shared = connection_tokens.SharedTokens(redis_url, b"k" * 32)
    return connection_tokens.Managers(
        own.outbound, own.sealing_key, {}, sign=own.sign, note=own.note, shared=shared
    )
