"""A connection to a real MCP server behind another instance: from its URL to its end."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app import upstream_uses
from app.outbound import calls
from app.outbound.calls import Access, Call
from app.outbound.discovery import INITIALIZE
from app.outbound.upstream_trials import ANEW
from app.outbound.walks import POSTED
from tests.flows.conftest import World
from tests.flows.person import Browser
from tests.flows.two_servers import (
    AUTHORIZE,
    Here,
    approve,
    end_there,
    expire,
    spoil,
    whose_notes,
)
from tests.flows.two_servers import here as here
from tests.flows.world import SCOPE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.parametrize("issuer", ["/tenant/one"], indirect=True),
]


def connect(here: Here, world: World, browser: Browser) -> None:
    """Go from the URL to a client that is approved there."""
    browser.open(f"{here.issuer}/login")
    here.admin.sign_in(browser)
    browser.open(f"{here.issuer}/admin/connections/new/upstream")
    browser.press("Create connection", name="notes", url=world.resource)
    found = browser.press("Look for its server")
    assert "Its authorization server is found" in found.text, found
    browser.follow("Become a client")
    page = browser.press("Become a client")
    assert "This server has a client there" in page.text, page
    asked = browser.press(AUTHORIZE).url
    approve(world, asked)


def test_a_connection_lasts_from_a_url_to_its_deletion(here: Here, world: World) -> None:
    with Browser() as browser:
        connect(here, world, browser)

        # A person allows it there; the browser comes back to the connection.
        browser.open(f"{here.issuer}/admin/connections/")
        home = browser.follow("notes").url
        browser.press(AUTHORIZE)
        world.person.sign_in(browser)
        assert browser.press("Allow").url == home
        assert SCOPE in browser.page.text
        assert "It works" in browser.press("Test now").text

        # Its token opens the tool, for that person.
        first = here.tokens().token()
        assert whose_notes(world, first)["subject"] == world.person.user_id

        # It expires; ten callers cause one refresh.
        expire(here)
        with ThreadPoolExecutor(10) as threads:
            renewed = set(threads.map(lambda _: here.tokens().token(20), range(10)))
        assert len(renewed) == 1
        assert renewed != {first}
        assert here.grant().version == 2
        assert whose_notes(world, *renewed)["subject"] == world.person.user_id

        # A token that the API refuses is replaced, and the call goes again.
        spoil(here)
        call = Call(world.resource, "POST", POSTED, INITIALIZE)
        with here.app.app_context():
            access = Access(upstream_uses.outbound().stranger, here.tokens(), "X-User")
        assert calls.make(access, call).status == 200
        assert here.grant().version == 3

        # Ended there, it is to be authorized anew.
        end_there(here)
        browser.open(home)
        assert ANEW.sentence in browser.press("Test now").text
        browser.open(home)
        assert "or that has ended" in browser.page.text
        assert browser.press(AUTHORIZE).url == home, "what a person allowed before is not asked"
        assert "It works" in browser.press("Test now").text

        # Deleted, it leaves nothing there.
        browser.open(home)
        page = browser.press("Delete", confirm_name="notes")
        assert "The connection is deleted" in page.text
        assert "could not" not in page.text
