"""The page of software that waits for approval (the state table of the design)."""

import pytest
import sqlalchemy as sa

from app.domain import clients, decisions, software
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol.machines import FORM, LOOPBACK, form
from tests.protocol.persons import answer_of, find_form

POLL = {"HX-Request": "true"}
SENTENCE = "This client is waiting for approval by the operators of this server."


@pytest.fixture
def local(pending):
    """Return the pending client at its loopback redirect."""
    return pending.at(LOOPBACK)


def software_of(machine):
    return software.get(clients.get(machine.client_id).software_id)


def approve(app, machine):
    with app.app_context():
        row = software_of(machine)
        decisions.approve(row.id, row.revision, allowed=decisions.offered_scopes(row), by=SERVER)
        db.session.commit()


def status(app, machine):
    with app.app_context():
        return software_of(machine).status


def is_waiting(response):
    """Tell whether this is the waiting page, which sends the browser nowhere."""
    assert "Location" not in response.headers
    return response.status_code == 200 and "Waiting for approval" in response.text


def assert_ended(response, redirect_uri):
    """Demand that the client is told who decides, with state and issuer."""
    answer = answer_of(response)
    assert response.location.startswith(
        f"{redirect_uri}?error=access_denied&error_description=This%20client"
    )
    assert answer == {
        "error": "access_denied",
        "error_description": SENTENCE,
        "state": "a state",
        "iss": ISSUER,
    }


def contents(app):
    """Return every row of every table."""
    with app.app_context():
        names = sorted(sa.inspect(db.engine).get_table_names())
        rows = {name: db.session.execute(sa.text(f"SELECT * FROM {name}")).all() for name in names}
        return {name: sorted(map(str, found)) for name, found in rows.items()}


def test_the_page_says_what_is_waited_for(local, person):
    page = person.open(local.asking())

    assert is_waiting(page)
    for words in ("Pending Client", "127.0.0.1:49152", "the operators of this server"):
        assert words in page.text
    assert '<meta http-equiv="refresh" content="5">' in page.text


def test_looking_changes_nothing(app, local, person):
    """The page is shown to anybody, so that a GET must have no side effect."""
    before = contents(app)
    for options in ({}, {"headers": POLL}, {}):
        assert person.open(local.asking(), **options).status_code == 200

    assert contents(app) == before


@pytest.mark.parametrize(
    "change", [{"redirect_uri": "https://attacker.example/"}, {"client_id": "x"}]
)
def test_a_redirect_that_is_not_registered_shows_no_waiting_page(local, person, change):
    """N-022"""
    response = person.open(local.asking(**change))

    assert (response.status_code, response.location) == (400, None)
    assert "Waiting for approval" not in response.text


def test_a_loopback_redirect_is_told_when_the_time_is_over(local, person, clock):
    assert is_waiting(person.open(local.asking()))
    clock.advance(119)
    assert is_waiting(person.open(local.asking()))
    clock.advance(1)

    assert_ended(person.open(local.asking()), LOOPBACK)
    assert is_waiting(person.open(local.asking()))


@pytest.mark.parametrize(
    "overrides", [{"waiting_seconds": 7, "contact": "Security (security@example.com)"}]
)
def test_time_and_contact_are_settings(local, person, clock):
    person.open(local.asking())
    clock.advance(7)

    told = answer_of(person.open(local.asking()))["error_description"]
    assert told == "This client is waiting for approval by Security (security@example.com)."


def test_another_host_is_told_only_when_the_person_clicks(pending, person, clock):
    page = person.open(pending.asking())
    assert 'action="/waiting/leave' not in page.text
    clock.advance(600)
    page = person.open(pending.asking())
    assert is_waiting(page)
    leave = find_form(page, "/waiting/leave")
    assert person.open(leave.action).status_code == 405
    assert person.http.post(leave.action).status_code == 400

    assert_ended(person.submit(page, "/waiting/leave"), "https://pending.example/cb")


def test_leaving_checks_the_redirect_again(pending, person, clock):
    person.open(pending.asking())
    clock.advance(120)
    fields = find_form(person.open(pending.asking()), "/waiting/leave").fields
    query = pending.asking(redirect_uri="https://attacker.example/").partition("?")[2]

    response = person.http.post(f"/waiting/leave?{query}", data=form(fields), content_type=FORM)
    assert (response.status_code, response.location) == (400, None)


def test_a_poll_gets_only_what_changes(local, person, clock):
    person.open(local.asking())
    poll = person.open(local.asking(), headers=POLL)
    assert "Waiting for approval" in poll.text
    assert "<html" not in poll.text
    clock.advance(120)
    ended = person.open(local.asking(), headers=POLL)
    assert (ended.headers["HX-Refresh"], ended.location, ended.text) == ("true", None, "")

    assert_ended(person.open(local.asking()), LOOPBACK)


def test_the_request_goes_on_after_approval(app, local, person):
    assert is_waiting(person.open(local.asking()))
    approve(app, local)
    poll = person.open(local.asking(), headers=POLL)
    assert (poll.headers["HX-Refresh"], poll.text) == ("true", "")

    assert local.redeem(person.code(local)).status_code == 200


def test_a_rejection_ends_the_wait_on_a_page(app, local, person):
    person.open(local.asking())
    with app.app_context():
        row = software_of(local)
        decisions.reject(row.id, row.revision, "no", by=SERVER)
        db.session.commit()

    assert person.open(local.asking(), headers=POLL).headers["HX-Refresh"] == "true"
    response = person.open(local.asking())
    assert (response.status_code, response.location) == (400, None)
    assert "not active" in response.text
