"""The ground the other tests stand on: what the fixtures promise."""

import os
import socket
import time

import psycopg
import pytest
import redis
import sqlalchemy as sa

from app.clock import epoch, epoch_milliseconds
from app.domain import audit, scopes
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import NetworkUse


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "gatewright.com"])
def test_nothing_beyond_loopback_can_be_reached(address):
    with pytest.raises(NetworkUse):
        socket.create_connection((address, 80), timeout=1)
    with pytest.raises(NetworkUse), socket.socket() as unbound:
        unbound.connect_ex((address, 80))


def test_the_developers_own_settings_are_forgotten():
    assert [name for name in os.environ if name.startswith("GATEWRIGHT_")] == []


def test_time_stands_still_until_it_is_moved(clock):
    before = [epoch_milliseconds() for _ in range(3)]
    clock.advance(61)

    assert before == sorted(set(before))
    assert {moment // 1000 for moment in before} == {clock.now - 61}
    assert epoch() == clock.now == int(time.time())


def test_no_number_of_readings_reaches_the_next_second(clock):
    assert {epoch() for _ in range(3000)} == {clock.now}


@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_one_test_writes_no_other_test_finds(app, turn):
    with app.app_context():
        assert not sa.inspect(db.engine).has_table("left_behind")
        db.session.execute(sa.text("CREATE TABLE left_behind (turn TEXT)"))
        db.session.commit()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_finds_the_rows_of_the_migrations_and_no_others(app, turn):
    with app.app_context():
        built_in = [scope.name for scope in scopes.find_all()]
        db.session.execute(sa.text("DELETE FROM scopes"))
        scopes.create(turn, "Left behind", by=SERVER)
        db.session.commit()
        first = audit.find_page(audit.Filters(), size=10)[-1].id

    assert (set(built_in), first) == (set(scopes.BUILT_IN), 1)


def test_the_app_runs_on_the_database_of_the_test(app, database_url):
    kind = database_url.partition(":")[0].partition("+")[0]

    with app.app_context():
        assert db.engine.dialect.name == kind


def test_postgresql_is_a_real_one(postgres):
    with psycopg.connect(host=str(postgres.folder), user="postgres", dbname="postgres") as server:
        assert server.info.server_version >= 180000


@pytest.mark.parametrize("turn", ["first", "second"])
def test_redis_is_a_real_one_and_empty(redis_url, turn):
    with redis.Redis.from_url(redis_url) as server:
        assert server.dbsize() == 0
        assert server.eval("return redis.call('INCR', KEYS[1])", 1, "counter") == 1
