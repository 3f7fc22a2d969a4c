"""Connection grants: sealed for their owner, found by their owner alone, ended with their owner."""

import pytest
from sqlalchemy import update

from app.domain import connection_grants, errors, users
from app.domain.connection_grants import SERVICE, ConnectionGrant, find
from app.domain.connection_records import Connection
from app.domain.upstream_tokens import Tokens, tokens_of
from app.domain.users import User
from app.extensions import db
from tests.domain.held_connections import OPERATOR, SEALING
from tests.domain.held_connections import context as context
from tests.domain.upstream_cast import (
    CANARIES,
    TOKENS,
    access_token,
    at_once,
    keep,
    leaked,
    person,
    told,
    upstream,
)


def test_what_an_authorization_brought_comes_back_and_is_nowhere_to_be_read(context, clock):
    row = upstream()
    kept = keep(row, "u-ada")

    found = find(row.id, "u-ada")

    assert found == kept
    opened = tokens_of(found, SEALING)
    assert opened == Tokens(f"{CANARIES[2]}-u-ada", CANARIES[3], ("read",), TOKENS.expires_at)
    assert (found.authorized_at, found.authorized_by, found.version) == (
        clock.now,
        OPERATOR.name,
        1,
    )
    assert CANARIES[2] not in repr(opened) + repr(found)
    assert leaked() == []
    assert told("authorized") == [
        ("authorized", {"name": "tools", "owner": "u-ada", "scopes": ["read"]})
    ]


def test_everybody_finds_only_their_own_tokens(context):
    row, other = upstream(), upstream("other")
    for owner in (SERVICE, "u-ada", "u-bob"):
        keep(row, owner)
    keep(other, "u-ada")

    found = {owner: access_token(row, owner) for owner in (SERVICE, "u-ada", "u-bob", "u-eve")}
    assert [owner for owner, token in found.items() if token == f"{CANARIES[2]}-{owner}"] == [
        SERVICE,
        "u-ada",
        "u-bob",
    ]
    assert found["u-eve"] is None
    assert [each.name for each in connection_grants.of_user("u-ada")] == ["other", "tools"]
    assert [each.name for each in connection_grants.of_user("u-bob")] == ["tools"]
    assert connection_grants.of_user("u-eve") == connection_grants.of_user(SERVICE) == []
    facts = connection_grants.of_connection(row.id)
    assert [each.owner for each in facts] == [SERVICE, "u-ada", "u-bob"]
    for each in (*facts, *connection_grants.of_user("u-ada")):
        assert [name for name in each._mapping if "sealed" in name] == []


@pytest.mark.parametrize("forged", ["row", "column", "owner", "connection"])
def test_a_token_opens_in_its_own_row_column_and_owner_only(context, forged):
    row, other = upstream(), upstream("other")
    before, mine = keep(row, "u-ada"), keep(row, "u-ada")
    values = {
        "row": {"access_token_sealed": before.access_token_sealed},
        "column": {"access_token_sealed": mine.refresh_token_sealed},
        "owner": {"owner": "u-bob"},
        "connection": {"connection_id": other.id, "revision": other.revision},
    }[forged]
    db.session.execute(
        update(ConnectionGrant).where(ConnectionGrant.id == mine.id).values(**values)
    )

    where = other if forged == "connection" else row
    found = find(where.id, "u-bob" if forged == "owner" else "u-ada")
    with pytest.raises(ValueError, match="another row"):
        tokens_of(found, SEALING)


def test_another_authorization_takes_the_place_of_the_one_before(app, context):
    row = upstream()
    first = keep(row)
    more = keep(row, tokens=Tokens("more", scopes=("read", "write")))

    assert (more.id == first.id, more.scopes, more.refresh_token_sealed) == (
        False,
        ["read", "write"],
        None,
    )
    assert find(row.id, SERVICE) == more
    results = at_once(app, 4, lambda _: keep(row).id)
    assert find(row.id, SERVICE).id in results


def test_tokens_of_another_revision_are_neither_kept_nor_found(context):
    row = upstream()
    keep(row)

    with pytest.raises(errors.Conflict) as late:
        connection_grants.keep(
            TOKENS, SEALING, connection_id=row.id, owner=SERVICE, revision=1, by=OPERATOR
        )
    db.session.execute(update(Connection).values(revision=row.revision + 1))

    assert late.value.description == connection_grants.CHANGED
    assert find(row.id, SERVICE) is None


def test_whoever_drops_a_grant_leaves_those_of_others(context):
    row = upstream()
    kept = keep(row, "u-ada")
    keep(row, "u-bob")

    assert connection_grants.drop(row.id, "u-ada", by=OPERATOR) == [kept]
    assert connection_grants.drop(row.id, "u-ada", by=OPERATOR) == []
    db.session.commit()

    assert (access_token(row, "u-ada"), bool(access_token(row, "u-bob"))) == (None, True)
    assert told("revoked") == [("revoked", {"owner": "u-ada", "reason": "dropped"})]


def test_a_disabled_person_loses_their_tokens_and_the_service_keeps_its_own(context):
    row, other, ada = upstream(), upstream("other"), person("ada")
    for where, owner in ((row, ada[0]), (other, ada[0]), (row, SERVICE), (row, "u-bob")):
        keep(where, owner)

    users.disable(db.session.get(User, ada[0]), by=OPERATOR)
    assert connection_grants.forget_of_user(SERVICE, "never", by=OPERATOR) == []
    db.session.commit()

    assert connection_grants.of_user(ada[0]) == []
    assert [each.owner for each in connection_grants.of_connection(row.id)] == [SERVICE, "u-bob"]
    assert [detail["reason"] for _, detail in told("revoked")] == ["user disabled"] * 2


def test_a_use_is_noted_once_in_a_minute(context, clock):
    row = upstream()
    keep(row)
    noted = []
    for _ in range(3):
        connection_grants.note_use(find(row.id, SERVICE))
        db.session.commit()
        noted.append(find(row.id, SERVICE).last_used_at)
        clock.advance(connection_grants.TOUCH_SECONDS // 2)

    first = noted[0]
    assert noted == [first, first, first + connection_grants.TOUCH_SECONDS]
