"""The console in a real browser: the queue, its decisions, and how every page looks."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import check_looks
from tests.browser.site import AppRequest, Site
from tests.browser.steps import expect_heading, press, sign_in
from tests.flows.person import Person
from tests.flows.world import SCOPE
from tests.services.callback import Callback

Pages = Callable[[], Page]
ENTRIES = (
    "",
    "registrations",
    "clients",
    "initial-access-tokens",
    "policies",
    "scopes",
    "resources",
    "webhooks",
    "users",
    "identity-providers",
)
REPORTS = ("acquire", "simulator", "statement-issuers", "audit", "clean-up", "gate", "system")


def enter(page: Page, site: Site, person: Person, path: str = "/admin/") -> None:
    """Open a page of the console, signing in on the way."""
    page.goto(site.url(path))
    expect_heading(page, "Sign in")
    sign_in(page, person)
    page.wait_for_url(site.url(path))


def open_from_queue(page: Page, site: Site, person: Person, asked: AppRequest) -> None:
    """Find the software of an app in the queue and look at it."""
    enter(page, site, person, "/admin/registrations/")
    page.get_by_role("link", name=asked.name, exact=True).click()
    expect_heading(page, asked.name)


def test_an_approver_approves_from_the_queue(
    page: Page, another_page: Pages, site: Site, approver: Person, asked: AppRequest
) -> None:
    enter(page, site, approver, "/admin/registrations/")
    check_looks(page)
    page.get_by_role("link", name=asked.name, exact=True).click()
    expect_heading(page, asked.name)
    check_looks(page)

    press(page, "Approve")

    expect(page.get_by_role("main")).to_contain_text(f"{approver.email}, just now")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    check_looks(page)
    stranger = another_page()
    stranger.goto(asked.url)
    expect_heading(stranger, "Sign in")


def test_an_approver_gives_less_than_was_asked_for(
    page: Page, another_page: Pages, site: Site, approver: Person, asked: AppRequest
) -> None:
    open_from_queue(page, site, approver, asked)
    page.get_by_role("checkbox", name="offline_access").uncheck()
    press(page, "Approve")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()

    page.goto(asked.url)

    expect_heading(page, f"Let {asked.name} use your account?")
    expect(page.get_by_text(SCOPE, exact=True)).to_be_visible()
    expect(page.get_by_text("offline_access")).to_have_count(0)


def test_an_approver_rejects_with_a_reason(
    page: Page, another_page: Pages, site: Site, approver: Person, asked: AppRequest
) -> None:
    open_from_queue(page, site, approver, asked)
    page.get_by_label("Reason for rejecting").fill("Nobody here knows it.")

    press(page, "Reject")

    expect(page.get_by_role("main")).to_contain_text("Nobody here knows it.")
    check_looks(page)
    stranger = another_page()
    stranger.goto(asked.url)
    expect_heading(stranger, "not active here")
    expect(stranger.get_by_text("Nobody here knows it.")).to_have_count(0)


def test_who_decides_second_is_told_that_nothing_was_decided(
    page: Page, another_page: Pages, site: Site, approver: Person, asked: AppRequest
) -> None:
    open_from_queue(page, site, approver, asked)
    faster = another_page()
    open_from_queue(faster, site, site.add("approver"), asked)
    press(faster, "Approve")
    expect(faster.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_label("Reason for rejecting").fill("Too late.")

    press(page, "Reject")

    expect(page.get_by_text("Nothing was decided")).to_be_visible()
    check_looks(page)


def test_several_are_approved_at_once_after_a_question(
    page: Page, site: Site, approver: Person, callback: Callback
) -> None:
    many = [site.register(callback.uri, f"Choir {number}") for number in range(3)]
    enter(page, site, approver, "/admin/registrations/")
    for asked in many[:2]:
        page.get_by_label(f"Select {asked.name}").check()
    expect(page.get_by_text("2 selected")).to_be_visible()

    press(page, "Approve selected")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Approve the selected software")
    check_looks(page)
    question.get_by_role("button", name="Approve selected").click()

    expect(page.get_by_role("link", name="Choir 0", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Choir 1", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Choir 2", exact=True)).to_have_count(1)


def test_a_search_keeps_only_what_fits_and_stays_in_the_address(
    page: Page, site: Site, approver: Person, asked: AppRequest, callback: Callback
) -> None:
    other = site.register(callback.uri, "Quite another thing")
    enter(page, site, approver, "/admin/registrations/")

    page.get_by_role("searchbox", name="Search").fill(asked.name)

    expect(page.get_by_role("link", name=other.name, exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name=asked.name, exact=True)).to_be_visible()
    page.wait_for_url(lambda url: quote(asked.name).replace("%20", "+") in url or asked.name in url)
    page.reload()
    expect(page.get_by_role("link", name=asked.name, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=other.name, exact=True)).to_have_count(0)


def test_the_queue_is_walked_with_the_keyboard(
    page: Page, site: Site, approver: Person, asked: AppRequest
) -> None:
    enter(page, site, approver)

    page.keyboard.press("g")
    page.keyboard.press("r")
    expect_heading(page, "Registrations")
    page.wait_for_load_state()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=asked.name, exact=True)).to_be_focused()
    page.keyboard.press("Enter")

    expect_heading(page, asked.name)


@pytest.mark.timeout(180)
def test_every_page_of_the_menu_stands_axe_and_a_narrow_window(
    page: Page, site: Site, asked: AppRequest, subtests: pytest.Subtests
) -> None:
    enter(page, site, site.add("admin"), "/admin/")
    for entry in ENTRIES + REPORTS:
        with subtests.test(entry or "overview"):
            page.goto(site.url(f"/admin/{entry}/" if entry else "/admin/"))
            check_looks(page)


@pytest.mark.timeout(180)
def test_every_page_for_something_new_stands_axe_and_a_narrow_window(
    page: Page, site: Site, subtests: pytest.Subtests
) -> None:
    enter(page, site, site.add("admin"), "/admin/")
    for entry in ENTRIES[2:]:
        with subtests.test(entry):
            page.goto(site.url(f"/admin/{entry}/"))
            page.locator("a[data-new]").first.click()
            page.wait_for_url(lambda url: "/new" in url)
            check_looks(page)


def test_the_page_of_a_client_stands_axe_and_a_narrow_window(
    page: Page, site: Site, asked: AppRequest
) -> None:
    enter(page, site, site.add("admin"), f"/admin/clients/{asked.client_id}")

    check_looks(page)


def test_an_admin_adds_rules_after_a_question_changes_one_and_brings_them_back(
    page: Page, site: Site
) -> None:
    """The hosts of vendors, because no other test registers one of them."""
    enter(page, site, site.add("admin"), "/admin/policies/")
    press(page, "Add these rules: Vendor hosts")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("callback hosts of known clients")
    question.get_by_role("button", name="Add these rules").click()
    expect(page.get_by_text("Added behind the others: Vendor hosts.")).to_be_visible()
    check_looks(page)

    page.get_by_role("link", name="Vendor hosts", exact=True).click()
    expect_heading(page, "Vendor hosts")
    check_looks(page)
    page.get_by_label("Shadow").check()
    press(page, "Save")
    expect(page.get_by_text("Changed: Vendor hosts")).to_be_visible()

    page.get_by_role("link", name="Versions").click()
    expect_heading(page, "Versions of the policy")
    check_looks(page)
    page.locator("tr", has_text="Added the preset").get_by_role("link").click()
    expect(page.get_by_text("What restoring it would change")).to_be_visible()
    check_looks(page)
    press(page, "Restore this version")
    page.get_by_role("dialog").get_by_role("button", name="Restore this version").click()
    expect(page.get_by_text("are in force again")).to_be_visible()


def test_a_member_is_told_that_the_console_is_not_for_them(
    page: Page, site: Site, member: Person
) -> None:
    enter(page, site, member)

    expect(page.get_by_text("needs the role viewer").first).to_be_visible()
    check_looks(page)
