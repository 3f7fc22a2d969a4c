"""People's own connections: the way there, and what a disconnection says and survives."""

import pytest

from app.domain import connection_grants, connection_step_ups, connections
from app.domain.audit import SERVER
from app.domain.connection_drafts import Draft
from app.extensions import db
from tests.outbound.grants import endpoint as endpoint
from tests.outbound.grants import granted as granted
from tests.protocol.persons import find_form

OWN = "/connections/notes/"
FORM = f"{OWN}disconnect"
LASTING = "The other server did not end your access"


def held(app, person):
    """Return what a person has at the connection."""
    with app.app_context():
        return connection_grants.find(connections.get("notes").id, person.user_id)


def test_the_front_door_leads_who_is_signed_in_to_their_connections(person):
    assert 'href="/connections/"' not in person.open("/").text
    person.sign_in()

    assert 'href="/connections/"' in person.open("/").text


def test_a_disconnection_that_the_other_server_did_not_follow_is_told_once(
    app, endpoint, granted, person
):
    granted(endpoint(), owner=person.user_id)
    person.sign_in()

    assert person.submit(person.open(OWN), FORM).location == OWN

    assert held(app, person) is None
    assert LASTING in person.open(OWN).text
    assert LASTING not in person.open(OWN).text


def test_who_wants_to_give_no_more_keeps_what_was_given(app, endpoint, granted, person):
    granted(endpoint(), owner=person.user_id)
    with app.app_context():
        row = connection_grants.find(connections.get("notes").id, person.user_id)
        connection_step_ups.want(row, ["<b>write</b>"])
        db.session.commit()
    person.sign_in()
    page = person.open(OWN)
    assert "&lt;b&gt;write&lt;/b&gt;" in page.text

    assert person.submit(page, f"{OWN}decline").location == OWN

    assert "More access is wanted" not in person.open(OWN).text
    assert (held(app, person).scopes, held(app, person).wanted_scope) == (["read"], None)


def test_what_cannot_be_opened_any_more_is_forgotten_all_the_same(app, endpoint, granted, person):
    granted(endpoint(), owner=person.user_id)
    person.sign_in()
    page = person.open(OWN)
    app.extensions["gatewright.keys"]["connections"] = b"x" * 32

    assert person.submit(page, FORM).location == OWN

    assert held(app, person) is None
    assert LASTING in person.open(OWN).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_holds_nothing_disconnects_from_a_server_that_nobody_has_looked_for(app, person):
    with app.app_context():
        key = app.extensions["gatewright.keys"]["connections"]
        draft = Draft(kind="authorization_code", url="https://api.example/mcp", auth_method="none")
        connections.create("notes", draft, key, by=SERVER)
        db.session.commit()
    person.sign_in()
    csrf = {"csrf_token": csrf_of(person.open("/"))}

    assert person.http.post(FORM, data=csrf).location == OWN
    assert LASTING not in person.open(OWN).text


def csrf_of(page):
    """Return the CSRF token of a page."""
    return find_form(page, "/logout").fields["csrf_token"]
