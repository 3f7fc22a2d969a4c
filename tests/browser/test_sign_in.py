"""Signing in and out, in a real browser."""

from playwright.sync_api import Page, expect

from tests.browser.looks import check_looks
from tests.browser.site import AppRequest, Site
from tests.browser.steps import expect_heading, press, sign_in, tab_to
from tests.flows.person import Person


def test_a_person_signs_in(page: Page, site: Site, member: Person) -> None:
    page.goto(site.url("/login"))
    check_looks(page)

    sign_in(page, member)

    expect_heading(page, "Gatewright")
    assert page.url == site.url("/")
    check_looks(page)


def test_an_operator_signs_out_of_the_console(page: Page, site: Site, approver: Person) -> None:
    page.goto(site.url("/admin/"))
    sign_in(page, approver)
    page.wait_for_url(site.url("/admin/"))

    press(page, "Sign out")

    expect_heading(page, "You are signed out")
    check_looks(page)
    page.goto(site.url("/admin/"))
    expect_heading(page, "Sign in")


def test_an_app_s_wish_is_a_question_unless_it_proves_itself(
    page: Page, site: Site, member: Person
) -> None:
    """N-203: whoever sends a browser here with nothing to show signs nobody out."""
    page.goto(site.url("/login"))
    sign_in(page, member)
    page.goto(site.url("/logout?post_logout_redirect_uri=https://evil.example/"))
    expect_heading(page, "Sign out?")
    expect(page.get_by_role("alert")).to_contain_text("you will stay here")
    check_looks(page)

    page.goto(site.url("/logout"))
    press(page, "Sign out")

    expect_heading(page, "You are signed out")
    page.goto(site.url("/account/"))
    expect_heading(page, "Sign in")


def test_a_wrong_password_is_said_and_leaves_the_address_typed(
    page: Page, site: Site, member: Person
) -> None:
    page.goto(site.url("/login"))

    sign_in(page, member, password="something else entirely")

    expect(page.get_by_role("alert")).to_contain_text("password is wrong")
    expect(page.get_by_label("Email")).to_have_value(member.email)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    check_looks(page)


def test_a_password_can_be_shown(page: Page, site: Site) -> None:
    page.goto(site.url("/login"))
    password = page.get_by_label("Password", exact=True)
    password.fill("seen by me alone")

    press(page, "Show password")

    expect(password).to_have_attribute("type", "text")


def test_a_person_signs_in_with_the_keyboard_alone(page: Page, site: Site, member: Person) -> None:
    page.goto(site.url("/login"))
    expect(page.get_by_label("Email")).to_be_focused()

    page.keyboard.type(member.email)
    tab_to(page, "Password")
    page.keyboard.type(member.password)
    page.keyboard.press("Enter")

    expect_heading(page, "Gatewright")


def test_the_chosen_theme_stays(page: Page, site: Site) -> None:
    page.goto(site.url("/login"))
    ground = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)

    press(page, "Dark theme")

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(ground) != light
    check_looks(page)
    page.goto(site.url("/"))
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_who_is_not_known_here_is_told_so_and_sent_nowhere(
    page: Page, site: Site, asked: AppRequest
) -> None:
    page.goto(asked.url.replace(asked.client_id, "unknown-client"))

    expect_heading(page, "not active here")
    assert page.url.startswith(site.url("/authorize"))
    check_looks(page)


def test_an_address_without_a_page_says_so(page: Page, site: Site) -> None:
    page.goto(site.url("/nothing-here"))

    expect_heading(page, "Not found")
    check_looks(page)
