"""Step-ups of connection grants: noted for the owner, asked for with what is held, or declined."""

import pytest

from app.domain import connection_grants, connection_refreshes, errors
from app.domain.connection_grants import SERVICE, find
from app.domain.connection_step_ups import decline, scopes_to_ask, want
from app.domain.upstream_tokens import Tokens
from app.extensions import db
from tests.domain.held_connections import OPERATOR, SEALING
from tests.domain.held_connections import context as context
from tests.domain.upstream_cast import TOKENS, at_once, keep, told, upstream

GRANTED = Tokens("access", "refresh", ("read", "list"))


def wanted(row, owner=SERVICE):
    """Return what is noted for an owner."""
    return find(row.id, owner).wanted_scope


def test_what_a_grant_lacks_is_noted_in_place_of_what_was_wanted_before(context):
    row = upstream()
    held, of_ada = keep(row, tokens=GRANTED), keep(row, "u-ada")

    assert want(held, ("list", "write")) == ("write",)
    assert want(held, ("share", "read", "admin")) == ("share", "admin")
    assert want(held, ("list", "read")) == ()
    db.session.commit()

    assert wanted(row) == "share admin"
    assert wanted(row, of_ada.owner) is None


def test_an_owner_is_asked_for_what_is_held_and_wanted_together(context):
    row = upstream()
    assert scopes_to_ask(row, SERVICE, "") == ("read",)
    held = keep(row, tokens=Tokens("access", scopes=("list",)))
    assert scopes_to_ask(row, SERVICE, "") == ("read",)

    want(held, ("write", "read"))

    assert scopes_to_ask(row, SERVICE, "write read") == ("read", "list", "write")
    assert scopes_to_ask(row, SERVICE, "") == ("read",)
    for owner, agreed in ((SERVICE, "write"), ("u-ada", "write read")):
        with pytest.raises(errors.Conflict):
            scopes_to_ask(row, owner, agreed)


def test_a_note_lasts_through_refreshes_until_the_next_authorization(context):
    row = upstream()
    old = keep(row)
    want(old, ("write",))

    connection_refreshes.store_refreshed(old, Tokens("new"), SEALING, by=OPERATOR)
    assert wanted(row) == "write"
    keep(row, tokens=GRANTED)
    want(old, ("admin",))

    assert wanted(row) is None, "what was wanted of the grant before is not wanted of this one"
    assert told("authorized")[1][1] == {
        "name": "tools",
        "owner": SERVICE,
        "scopes": ["read", "list"],
        "scopes_before": ["read"],
    }


def test_a_refusal_of_more_is_recorded_once_and_keeps_what_was_granted(app, context):
    row = upstream()
    for owner in (SERVICE, "u-ada"):
        want(keep(row, owner), ("write", "admin"))
    db.session.commit()

    at_once(app, 4, lambda _: decline(row.id, "u-ada", by=OPERATOR))
    decline(row.id, "u-eve", by=OPERATOR)

    assert (wanted(row, "u-ada"), wanted(row)) == (None, "write admin")
    assert find(row.id, "u-ada").scopes == list(TOKENS.scopes)
    assert told("declined") == [("declined", {"owner": "u-ada", "scope": "write admin"})]
    assert [each.owner for each in connection_grants.of_connection(row.id)] == [SERVICE, "u-ada"]
