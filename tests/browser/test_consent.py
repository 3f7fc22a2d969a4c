"""Consent: what a person sees, and that the answer really reaches the app."""

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import APP, RESOURCE, Request, Site
from tests.browser.looks import check_looks
from tests.browser.steps import expect_heading, press, sign_in, tab_to
from tests.flows.person import Browser, Person
from tests.flows.world import SCOPE_TITLE
from tests.services.callback import Callback


@pytest.fixture
def approved(site: Site, approver: Person, request_of_app: Request) -> Request:
    """Return the request of an app that an approver has approved."""
    with Browser() as browser:
        browser.open(site.url("/login"))
        approver.sign_in(browser)
        browser.open(request_of_app.url)
        browser.press("Approve")
    return request_of_app


@pytest.fixture
def consent(page: Page, member: Person, approved: Request) -> Page:
    """Return the browser of a signed-in person, showing the consent page."""
    page.goto(approved.url)
    expect_heading(page, "Sign in")
    sign_in(page, member)
    expect_heading(page, f"Let {APP} use your account?")
    return page


def test_the_sign_in_page_says_which_app_asks(page: Page, approved: Request) -> None:
    page.goto(approved.url)

    expect(page.get_by_text(f"to continue to {APP}")).to_be_visible()
    check_looks(page)


def test_the_page_says_who_asks_for_what_and_where_it_leads(
    consent: Page, member: Person, callback: Callback
) -> None:
    expect(consent.get_by_text(f"Listens at {callback.host}")).to_be_visible()
    expect(consent.get_by_text("Approved by ada@example.org")).to_be_visible()
    expect(consent.get_by_text(SCOPE_TITLE)).to_be_visible()
    expect(consent.get_by_text(RESOURCE)).to_be_visible()
    expect(consent.get_by_text(member.email)).to_be_visible()
    check_looks(consent)


def test_denying_is_as_prominent_as_allowing(consent: Page) -> None:
    deny, allow = (consent.get_by_role("button", name=name) for name in ("Deny", "Allow"))

    assert deny.bounding_box()["width"] == pytest.approx(allow.bounding_box()["width"], abs=1)
    assert deny.bounding_box()["height"] == pytest.approx(allow.bounding_box()["height"], abs=1)


def test_allowing_brings_a_code_to_the_app(
    consent: Page, approved: Request, callback: Callback, site: Site
) -> None:
    press(consent, "Allow")

    expect_heading(consent, "You can close this window")
    brought = callback.take()
    assert brought["code"].startswith("ac_")
    assert (brought["state"], brought["iss"]) == (approved.state, site.issuer)


def test_denying_brings_the_refusal_to_the_app(
    consent: Page, approved: Request, callback: Callback, site: Site
) -> None:
    press(consent, "Deny")

    expect_heading(consent, "You can close this window")
    brought = callback.take()
    assert brought["error"] == "access_denied"
    assert (brought["state"], brought["iss"]) == (approved.state, site.issuer)


def test_a_person_allows_with_the_keyboard_alone(consent: Page, callback: Callback) -> None:
    tab_to(consent, "Allow")
    consent.keyboard.press("Enter")

    expect_heading(consent, "You can close this window")
    assert "code" in callback.take()


def test_another_port_of_this_computer_is_reached_as_well(
    page: Page, site: Site, member: Person, approved: Request, callback: Callback
) -> None:
    """The form target follows the presented address, not the registered one."""
    moved = site.register("http://localhost:1/callback", name="Moves about")
    here = callback.uri.replace("127.0.0.1", "localhost")
    with Browser() as browser:
        asked = site.ask(moved["client_id"], here)
        browser.open(site.url("/login"))
        Person("", "ada@example.org", member.password).sign_in(browser)
        browser.open(asked.url)
        browser.press("Approve")
    page.goto(asked.url)
    sign_in(page, member)

    press(page, "Allow")

    expect_heading(page, "You can close this window")
    assert "code" in callback.take()


def test_a_second_request_of_the_same_session_is_not_asked_again(
    consent: Page, site: Site, approved: Request, callback: Callback
) -> None:
    press(consent, "Allow")
    expect_heading(consent, "You can close this window")
    first = callback.take()

    consent.goto(approved.url)

    expect_heading(consent, "You can close this window")
    assert callback.take()["code"] != first["code"]


def test_another_account_can_be_used(consent: Page, approver: Person, callback: Callback) -> None:
    press(consent, "Use another account")
    expect_heading(consent, "Sign in")

    sign_in(consent, approver)

    expect(consent.get_by_text("Signed in as ada@example.org")).to_be_visible()
    press(consent, "Allow")
    expect_heading(consent, "You can close this window")
    assert "code" in callback.take()


def test_a_page_that_was_answered_once_is_not_answered_again(
    consent: Page, callback: Callback
) -> None:
    press(consent, "Deny")
    expect_heading(consent, "You can close this window")
    callback.take()

    consent.go_back()
    press(consent, "Allow")

    expect_heading(consent, "not active here")
    assert callback.is_empty
    check_looks(consent)


def test_the_callback_of_these_tests_is_no_page_of_the_server(callback: Callback) -> None:
    assert httpx2.get(callback.uri + "?a=1").status_code == 200
    assert callback.take() == {"a": "1"}
