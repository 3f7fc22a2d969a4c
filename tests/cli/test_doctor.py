"""`gatewright doctor`: what is wrong, in a sentence each, and the code of the worst fault."""

import json

import pytest
import sqlalchemy as sa

from app import health
from app.domain import jobs, turns
from app.extensions import db
from tests.cli.conftest import ON_ONE_DATABASE
from tests.services.gate import said as answer
from tests.services.gate import scripted, token_answer


@pytest.fixture
def said_by():
    """Return a function that starts a gate or a token endpoint."""
    with scripted() as start:
        yield start


def examined(run, **changes):
    result = run("doctor", "--json", **changes)
    found = {row["check"]: row["level"] for row in json.loads(result.stdout)}
    return result.exit_code, found


def test_a_healthy_server_has_no_faults(run, said):
    said("db", "upgrade")

    code, found = examined(run)

    assert code == 0
    assert found == {
        "issuer": "note",
        "secret key": "ok",
        "redis": "ok",
        "database": "ok",
        "signing keys": "ok",
        "administrator": "note",
        "jobs": "note",
    }


def test_nothing_is_noted_about_a_server_that_is_set_up(run, said, app, redis_url):
    said("db", "upgrade")
    with app.app_context():
        turns.take(turns.LOOK, 60)
        db.session.commit()
    words = ("user", "create", "ann@example.org", "--role", "admin", "--password-stdin")
    said(*words, stdin="correct horse battery")

    code, found = examined(run, redis_url=redis_url, trusted_proxies="1")

    assert code == 0
    assert set(found.values()) == {"ok"}


def test_work_that_nobody_does_is_a_fault_and_work_that_failed_is_noted(run, said, app):
    said("db", "upgrade")
    with app.app_context():
        jobs.add("work", {}, queue="q", topic="t")
        db.session.commit()
    nobody = examined(run)
    with app.app_context():
        turns.take(turns.LOOK, 60)
        db.session.execute(sa.update(jobs.Job).values(state="dead"))
        db.session.commit()

    assert (nobody[0], nobody[1]["jobs"]) == (1, "fault")
    assert examined(run)[1]["jobs"] == "note"


def test_a_database_that_is_behind_is_a_fault_of_kind_four(run, app):
    with app.app_context():
        db.session.execute(sa.text("DELETE FROM alembic_version"))
        db.session.commit()

    code, found = examined(run)

    assert code == 4
    assert found["database"] == "fault"
    assert "signing keys" not in found


def test_a_secret_key_of_other_data_is_a_fault_of_kind_three(run, said):
    said("db", "upgrade")

    code, found = examined(run, secret_key="another-0123456789-0123456789-012345")

    assert code == 3
    assert found["signing keys"] == "fault"


def test_missing_signing_keys_are_a_fault(run):
    code, found = examined(run)

    assert code == 1
    assert found["signing keys"] == "fault"


def test_a_missing_next_key_is_noted(run, said, app):
    said("db", "upgrade")
    with app.app_context():
        db.session.execute(sa.text("DELETE FROM signing_keys WHERE state = 'next'"))
        db.session.commit()

    code, found = examined(run)

    assert code == 0
    assert found["signing keys"] == "note"


def test_keys_that_nobody_rotates_although_their_days_are_over_are_noted(run, said, clock):
    said("db", "upgrade")
    clock.advance(90 * 86400 + health.OVERDUE_SECONDS)
    assert examined(run)[1]["signing keys"] == "ok"

    clock.advance(1)

    assert examined(run)[1]["signing keys"] == "note"
    assert examined(run, key_rotation_days="0")[1]["signing keys"] == "ok"


def test_a_redis_that_does_not_answer_is_a_fault(run, said):
    said("db", "upgrade")

    code, found = examined(run, redis_url="redis://127.0.0.1:1/0")

    assert code == 1
    assert found["redis"] == "fault"


@ON_ONE_DATABASE
def test_a_server_on_this_machine_only_is_noted(run, tmp_path):
    fresh = {"data_dir": str(tmp_path / "a"), "database_url": None, "secret_key": None}
    run("db", "upgrade", **fresh)

    code, found = examined(run, issuer=None, **fresh)

    assert code == 0
    assert found["issuer"] == "note"
    assert found["secret key"] == "ok"


def gate_of(server, **changes):
    """Return the settings of a gate."""
    values = {"enabled": "true", "url": server.url} | changes
    return {f"registration_gate_{name}": value for name, value in values.items()}


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "token, level, code", [(token_answer(), "ok", 0), (answer(401), "fault", 1)]
)
def test_the_registration_gate_is_reached_and_one_token_got(run, said_by, token, level, code):
    run("db", "upgrade")
    gate, tokens = said_by(answer(405)), said_by(token)
    access = {
        "auth_type": "oauth2_client_credentials",
        "oauth2_token_url": tokens.url,
        "oauth2_client_id": "gatewright",
        "oauth2_client_secret": "c4n4ry-0123456789",
    }

    ended, found = examined(run, **gate_of(gate, **access))

    assert ended == code
    assert (found["registration gate"], found["registration gate token"]) == ("ok", level)
    assert gate.requests[0].startswith(b"HEAD /gate ")
    assert len(tokens.requests) == 1


@ON_ONE_DATABASE
def test_a_registration_gate_that_is_not_there_is_a_fault(run, said_by):
    run("db", "upgrade")
    gate = said_by(b"")

    code, found = examined(run, **gate_of(gate))

    assert code == 1
    assert found["registration gate"] == "fault"
    assert "registration gate token" not in found


@pytest.mark.parametrize(
    "url, level",
    [
        ("https://gate.example/", None),
        ("http://127.0.0.1:9000/", None),
        ("http://localhost/", None),
        ("http://gate.example/", "note"),
    ],
)
def test_a_way_that_others_can_read_is_noted(url, level):
    found = health.in_clear("registration gate", url)

    assert (found and found.level) == level
