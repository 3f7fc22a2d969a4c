"""An answer that travels as a form: by itself where scripts run, by a button where they do not."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.site import AppRequest, Site
from tests.browser.steps import expect_heading, press, sign_in
from tests.browser.test_consent import approve
from tests.flows.person import Person
from tests.services.callback import Callback


@pytest.fixture
def asked(site: Site, approver: Person, callback: Callback) -> AppRequest:
    """Return the request of an app that an approver has approved."""
    return approve(site, approver, site.register(callback.uri))


@pytest.fixture
def plain(browser: Any) -> Iterator[Page]:
    """Return a page of a browser that runs no script."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def go(page: Page, asked: AppRequest, member: Person) -> None:
    """Sign in and allow the app."""
    page.goto(f"{asked.url}&response_mode=form_post")
    sign_in(page, member)
    press(page, "Allow")


def test_the_form_sends_itself(
    page: Page, asked: AppRequest, member: Person, callback: Callback, site: Site
) -> None:
    """N-035: the policy of the page lets the script run and the form go there."""
    go(page, asked, member)

    expect_heading(page, "You can close this window")
    brought = callback.take()
    assert brought["code"].startswith("ac_")
    assert (brought["state"], brought["iss"]) == (asked.state, site.issuer)


def test_a_button_sends_the_form_where_no_script_runs(
    plain: Page, asked: AppRequest, member: Person, callback: Callback
) -> None:
    go(plain, asked, member)
    expect_heading(plain, "Back to the app")

    press(plain, "Go on")

    expect_heading(plain, "You can close this window")
    assert callback.take()["code"].startswith("ac_")
