"""A connection in Chromium, from its URL to its end: two people, two instances, one tool."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app.domain import clients, connections
from app.domain.audit import AuditEvent
from app.domain.audit_tags import Tag
from app.domain.tokens import TYPE_URN
from app.extensions import db
from app.outbound.upstream_trials import ANEW
from tests.browser.conftest import another_page as another_page
from tests.browser.conftest import callback as callback
from tests.browser.looks import check_looks
from tests.browser.steps import expect_heading, press, sign_in
from tests.flows.conftest import World
from tests.flows.person import Person
from tests.flows.two_servers import (
    AUTHORIZE,
    Here,
    approve,
    ask_tool,
    end_there,
    expire,
    spoil,
    whose_notes,
)
from tests.flows.two_servers import here as here
from tests.flows.worker import Worker
from tests.flows.worker import worker as worker
from tests.flows.world import add_person

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.parametrize("issuer", ["/tenant/one"], indirect=True),
]


@pytest.fixture
def settings_of_story() -> dict[str, Any]:
    """Let tokens live longer than the story, so that it alone says when one ends."""
    return {"access_token_seconds": 600}


def test_a_connection_is_made_authorized_used_and_ended_by_people_at_their_browsers(
    page: Page,
    another_page: Callable[[], Page],
    here: Here,
    world: World,
    app: Flask,
    worker: Worker,
) -> None:
    make(page, here, world)
    home = page.url
    client_id = client_there(here)
    authorize(page, world)
    expect(page).to_have_url(home)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    try_it(page, "It works")
    check_looks(page)

    # A second person has tokens of their own.
    theirs = add_person(app, "ben@example.org", "member")
    subject = allow_for_oneself(another_page(), here, theirs, worker)
    first, of_person = worker.token(), worker.token(**subject)
    assert whose_notes(world, first)["subject"] == world.person.user_id
    assert whose_notes(world, of_person) == {"subject": theirs.user_id, "client_id": client_id}

    # It expires; ten callers at two processes cause one refresh there.
    expire(here)
    with ThreadPoolExecutor(10) as threads:
        renewed = set(threads.map(lambda _: worker.token(), range(10)))
    assert (len(renewed), refreshes(app)) == (1, 1)
    assert renewed != {first}
    assert whose_notes(world, *renewed)["subject"] == world.person.user_id

    # A token that was ended is answered 401, and renewed.
    spoil(here)
    assert ask_tool(world, *renewed).status_code == 401
    page.goto(home)
    check_looks(page)
    try_it(page, "It works")
    assert refreshes(app) == 2

    # Ended there, it has to be authorized anew.
    end_there(here)
    page.goto(home)
    try_it(page, ANEW.sentence)
    assert worker.ask().json()["error"] == "invalid_grant"
    page.goto(home)
    expect(page.get_by_text("or that has ended")).to_be_visible()
    press(page, AUTHORIZE)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert whose_notes(world, worker.token())["subject"] == world.person.user_id

    # Deleted, it leaves nothing there.
    delete(page)
    assert ask_tool(world, of_person).status_code == 401
    with app.app_context():
        assert clients.find(client_id).state == "deleted"


def make(page: Page, here: Here, world: World) -> None:
    """Go from the URL to a client there, as an operator does."""
    page.goto(f"{here.issuer}/admin/connections/new/upstream")
    sign_in(page, here.admin)
    expect_heading(page, "New connection to an MCP server or API")
    check_looks(page)
    page.get_by_label("Name").fill("notes")
    page.get_by_label("URL").fill(world.resource)
    press(page, "Create connection")
    press(page, "Look for its server")
    expect_heading(page, "Where notes leads")
    expect(page.get_by_text("Its authorization server is found")).to_be_visible()
    check_looks(page)
    page.get_by_role("link", name="Become a client").click()
    expect_heading(page, "Become a client")
    check_looks(page)
    press(page, "Become a client")
    expect_heading(page, "notes")
    check_looks(page)


def authorize(page: Page, world: World) -> None:
    """Wait there to be approved, then allow it there."""
    press(page, AUTHORIZE)
    expect_heading(page, "Someone has to approve")
    approve(world, page.url)
    expect_heading(page, "Sign in")
    sign_in(page, world.person)
    expect_heading(page, "use your account?")
    press(page, "Allow")
    expect_heading(page, "notes")


def try_it(page: Page, words: str) -> None:
    """Test the connection on its page."""
    press(page, "Test now")
    expect_heading(page, "Test of notes")
    expect(page.get_by_text(words)).to_be_visible()


def allow_for_oneself(page: Page, here: Here, there: Person, worker: Worker) -> dict[str, str]:
    """Authorize as a person who has accounts at both; return what names them to this server."""
    page.goto(f"{here.issuer}/connections/")
    sign_in(page, add_person(here.app, "ben@example.org", "member"))
    expect_heading(page, "Your connections")
    check_looks(page)
    page.get_by_role("link", name="notes").click()
    expect_heading(page, "notes")
    check_looks(page)
    press(page, "Authorize")
    expect_heading(page, "Sign in")
    sign_in(page, there)
    expect_heading(page, "use your account?")
    press(page, "Allow")
    expect(page.get_by_role("button", name="Authorize again")).to_be_visible()
    expect(page).to_have_url(f"{here.issuer}/connections/notes/")
    check_looks(page)
    return {"subject_token": worker.token_of(page), "subject_token_type": TYPE_URN}


def delete(page: Page) -> None:
    """Remove the connection on its page."""
    press(page, "Delete")
    question = page.get_by_role("dialog")
    question.get_by_label("Type notes to confirm").fill("notes")
    question.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The connection is deleted")).to_be_visible()
    expect(page.get_by_text("could not")).to_have_count(0)


def client_there(here: Here) -> str:
    """Return as whom this server is known at the other instance."""
    with here.app.app_context():
        return connections.get("notes").client_id


def refreshes(app: Flask) -> int:
    """Return how often the other instance has refreshed a token."""
    with app.app_context():
        query = db.select(db.func.count()).where(AuditEvent.tag == Tag.TOKEN_REFRESHED)
        return db.session.scalar(query)
