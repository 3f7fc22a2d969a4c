"""Software that nobody has approved waits on a page that goes on by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import check_looks
from tests.browser.site import AppRequest, Site, running_site
from tests.browser.steps import expect_heading, press, sign_in
from tests.flows.person import Person
from tests.services.callback import Callback

pytestmark = pytest.mark.timeout(180)
Pages = Callable[[], Page]


def test_an_approver_decides_in_place_and_goes_on_to_consent(
    page: Page, site: Site, approver: Person, asked: AppRequest, callback: Callback
) -> None:
    page.goto(asked.url)
    expect_heading(page, f"Someone has to approve {asked.name}")
    check_looks(page)
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, approver)
    expect_heading(page, "Someone has to approve")
    check_looks(page)

    press(page, "Approve")

    expect_heading(page, f"Let {asked.name} use your account?")
    press(page, "Allow")
    expect_heading(page, "You can close this window")
    assert callback.take()["state"] == asked.state


@pytest.mark.slow
def test_the_page_of_whoever_waits_goes_on_by_itself(
    page: Page, another_page: Pages, site: Site, asked: AppRequest
) -> None:
    page.goto(site.url("/login"))
    sign_in(page, site.add("member"))
    expect_heading(page, "Gatewright")
    page.goto(asked.url)
    stranger = another_page()
    stranger.goto(asked.url)
    page.get_by_label("Why do you need this app?").fill("To read my notes aloud.")
    press(page, "Send the note")
    expect(page.get_by_text("Your note is with the approvers.")).to_be_visible()
    check_looks(page)

    other = another_page()
    other.goto(site.url("/login"))
    sign_in(other, site.add("approver"))
    expect_heading(other, "Gatewright")
    other.goto(asked.url)
    press(other, "Approve")
    expect_heading(other, "use your account?")

    expect_heading(page, f"Let {asked.name} use your account?")
    expect_heading(stranger, "Sign in")


@pytest.mark.slow
def test_rejected_software_is_told_to_nobody_but_the_person(
    page: Page, another_page: Pages, site: Site, asked: AppRequest, callback: Callback
) -> None:
    waiting = another_page()
    waiting.goto(asked.url)
    page.goto(site.url("/login"))
    sign_in(page, site.add("approver"))
    expect_heading(page, "Gatewright")
    page.goto(asked.url)

    press(page, "Reject")

    expect_heading(page, "not active here")
    check_looks(page)
    expect_heading(waiting, "not active here")
    assert callback.is_empty


@pytest.mark.slow
def test_a_wait_without_a_decision_ends_at_the_app(
    page: Page, callback: Callback, sqlite_template: Path, tmp_path: Path
) -> None:
    with running_site(sqlite_template, tmp_path, waiting_seconds=5) as site:
        asked = site.register(callback.uri)
        page.goto(asked.url)

        expect_heading(page, "You can close this window", seconds=30)

    told = callback.take()
    assert told["error"] == "access_denied"
    assert "waiting for approval" in told["error_description"]
    assert (told["state"], told["iss"]) == (asked.state, site.issuer)
