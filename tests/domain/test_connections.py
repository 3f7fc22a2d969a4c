"""Connections: filled in by people, followed from the environment, every change on record."""

import json
from dataclasses import fields, replace

import pytest

from app.domain import connection_drafts, connections, errors
from app.domain.connection_drafts import Draft
from app.domain.connection_secrets import secrets_of
from app.extensions import db
from tests.domain.held_connections import (
    BY_KEY,
    GOOD,
    OPERATOR,
    RSA,
    SEALING,
    SECRET,
    adopt,
    create,
    events,
    stored,
)
from tests.domain.held_connections import context as context


def test_a_connection_comes_back_as_it_was_filled_in(context):
    row = create()

    assert connections.get("billing") is row
    assert (row.kind, row.source, row.revision) == ("client_credentials", "console", 1)
    assert (row.token_endpoint, row.issuer) == (GOOD.token_endpoint, None)
    assert (row.scope, row.resource, row.expiry_buffer_seconds) == ("read write", "", 60)
    assert (row.created_by, row.last_used_at) == (OPERATOR.name, None)
    assert secrets_of(row, SEALING, {}).client_secret == SECRET


def test_every_missing_member_is_named_at_once(context):
    with pytest.raises(errors.InvalidMembers) as refused:
        connections.create("Not A Name", Draft(), SEALING, by=OPERATOR)

    assert list(refused.value.faults) == ["name", "token_endpoint", "client_id", "client_secret"]
    for member in refused.value.faults:
        assert f"{member} must be " in refused.value.description
    assert connections.find_all() == events() == []


def test_a_name_is_taken_once(context):
    for name in ("a-1", "x" * 64):
        create(name)
        with pytest.raises(errors.Conflict):
            create(name)

    assert [row.name for row in connections.find_all()] == ["a-1", "x" * 64]


def test_a_name_that_cannot_be_one_names_nothing(context):
    for name in ("", "-a", "a-", "A", "a_b", "a b", "x" * 65, "\0", "a\n", "\u00e4"):
        assert not connection_drafts.is_name(name)
        with pytest.raises(errors.NotFound):
            connections.get(name)


def test_a_change_raises_the_revision_and_the_trail_says_what_differs(context, clock):
    row = create()
    clock.advance(60)
    wanted = {"scope": "read", "resource": "https://api.example/", "expiry_buffer_seconds": 0}

    connections.change(row, by=OPERATOR, description="billing", **wanted)
    db.session.commit()

    db.session.expire_all()
    found = connections.get("billing")
    assert {name: getattr(found, name) for name in wanted} == wanted
    assert (found.revision, found.updated_at) == (2, clock.now)
    assert events()[-1].tag == "connection.changed"
    assert events()[-1].detail == {
        "name": "billing",
        "before": {
            "description": "the billing API",
            "expiry_buffer_seconds": 60,
            "resource": "",
            "scope": "read write",
        },
        "after": wanted | {"description": "billing"},
    }
    assert secrets_of(found, SEALING, {}).client_secret == SECRET


def test_a_change_that_cannot_be_changes_nothing_and_names_every_fault(context):
    row = create()

    with pytest.raises(errors.InvalidMembers) as refused:
        connections.change(
            row, by=OPERATOR, scope='"', resource="x", expiry_buffer_seconds=-1, description="\n"
        )

    assert sorted(refused.value.faults) == [
        "description",
        "expiry_buffer_seconds",
        "resource",
        "scope",
    ]
    assert (row.revision, row.scope, len(events())) == (1, "read write", 1)


def test_a_rotated_secret_takes_the_place_of_the_old_one(context):
    row = create()
    for secret in ("", "line\nbreak"):
        with pytest.raises(errors.InvalidMembers):
            connections.rotate_secret(row, secret, SEALING, by=OPERATOR)

    connections.rotate_secret(row, "new", SEALING, by=OPERATOR)
    db.session.commit()

    db.session.expire_all()
    assert secrets_of(connections.get("billing"), SEALING, {}).client_secret == "new"
    assert row.revision == 2
    assert [event.tag for event in events()] == ["connection.created", "connection.secret_rotated"]


def test_a_login_by_key_is_rotated_to_another_key_and_never_to_a_secret(context):
    row = create(draft=BY_KEY)
    with pytest.raises(errors.InvalidMembers):
        connections.rotate_secret(row, SECRET, SEALING, by=OPERATOR)

    connections.rotate_secret(row, json.dumps(RSA), SEALING, by=OPERATOR)

    assert secrets_of(row, SEALING, {}).private_key == RSA


def test_what_was_deleted_meanwhile_is_not_found(context):
    row = create()
    connections.remove(row, by=OPERATOR)
    db.session.commit()

    for verb in (
        lambda: connections.get("billing"),
        lambda: connections.remove(row, by=OPERATOR),
        lambda: connections.rotate_secret(row, "new", SEALING, by=OPERATOR),
    ):
        with pytest.raises(errors.NotFound):
            verb()
    assert [event.tag for event in events()] == ["connection.created", "connection.deleted"]
    assert {event.subject for event in events()} == {row.id}


def test_no_event_is_filed_under_a_client_of_ours_with_the_same_client_id(context):
    row = create()
    connections.remove(row, by=OPERATOR)
    db.session.commit()

    filed = [(event.client_id, event.detail["upstream_client_id"]) for event in events()]
    assert filed == [(None, GOOD.client_id)] * 2


def test_use_and_tests_are_noted_without_another_revision(context, clock):
    row = create()

    connections.note_use(row.id, clock.now + 300)
    connections.note_test(row, "timeout", by=OPERATOR)
    db.session.commit()

    db.session.refresh(row)
    assert (row.last_used_at, row.token_expires_at) == (clock.now, clock.now + 300)
    assert row.revision == 1
    assert events()[-1].tag == "connection.tested"
    assert events()[-1].detail == {"name": "billing", "failure": "timeout"}


def test_rows_follow_the_environment_from_start_to_start(context):
    create("by-hand")
    adopt(one=GOOD, two=replace(GOOD, scope=""))
    first = connections.get("one")
    assert (first.source, first.secret_sealed, first.revision) == ("environment", None, 1)

    adopt(one=GOOD, two=replace(GOOD, scope="more"))
    assert [row.revision for row in connections.find_all()] == [1, 1, 2]
    assert connections.get("two").scope == "more"
    moved = replace(GOOD, token_endpoint="", issuer="https://id.example")
    adopt(one=moved)

    assert [row.name for row in connections.find_all()] == ["by-hand", "one"]
    assert (first.id, first.token_endpoint) == (connections.get("one").id, None)
    assert [(event.tag, event.detail["name"], event.actor_kind) for event in events()] == [
        ("connection.created", "by-hand", "operator"),
        ("connection.created", "one", "server"),
        ("connection.created", "two", "server"),
        ("connection.changed", "two", "server"),
        ("connection.deleted", "two", "server"),
        ("connection.changed", "one", "server"),
    ]
    assert SECRET not in stored()


def test_what_the_environment_says_is_changed_there_only(context):
    adopt(one=GOOD)
    row = connections.get("one")
    asked = {name.name: getattr(GOOD, name.name) for name in fields(GOOD)}
    named = ("scope", "resource", "expiry_buffer_seconds", "description")

    for verb in (
        lambda: connections.change(row, by=OPERATOR, **{name: asked[name] for name in named}),
        lambda: connections.rotate_secret(row, "new", SEALING, by=OPERATOR),
        lambda: connections.remove(row, by=OPERATOR),
        lambda: create("one"),
    ):
        with pytest.raises(errors.Conflict):
            verb()
    assert (row.revision, len(events())) == (1, 1)


def test_a_name_that_people_took_is_told_before_the_environment_takes_it(context):
    create("one")

    assert connections.taken(["one", "two"]) == ["one"]
    with pytest.raises(errors.Conflict):
        connections.adopt({"one": GOOD})
