"""People's own pages and the users of the console, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.domain import admissions, client_metadata, new_passwords, users
from app.domain.audit import SERVER
from app.extensions import db
from tests.browser.looks import check_looks
from tests.browser.site import Site
from tests.browser.steps import expect_heading, press, sign_in, tab_to
from tests.flows.person import Person
from tests.flows.world import SCOPE, SCOPE_TITLE
from tests.services.callback import Callback

PAGES = {
    "": "Your apps",
    "sessions": "Your sessions",
    "profile": "Your profile",
    "password": "Your password",
    "activity": "Your activity",
}
NEW = "another sentence of mine"


def enter(page: Page, site: Site, person: Person, path: str = "") -> None:
    """Open one of a person's own pages, signing in on the way."""
    page.goto(site.url(f"/account/{path}"))
    expect_heading(page, "Sign in")
    sign_in(page, person)
    expect_heading(page, PAGES[path])


@pytest.fixture
def allowed(page: Page, site: Site, member: Person, callback: Callback) -> str:
    """Let the member allow an app; return its name."""
    name = f"Notes of {member.email}"
    body = {"client_name": name, "redirect_uris": [callback.uri, "https://notes.example/cb"]}
    body |= {
        "policy_uri": "https://notes.example/p",
        "initiate_login_uri": "https://notes.example/",
    }
    with site.app.app_context():
        metadata = client_metadata.parse(body)
        client, _ = admissions.create(metadata, by=SERVER, allowed=[SCOPE, "offline_access"])
        db.session.commit()
        asked = site.ask(name, client.client_id, callback.uri)
    page.goto(asked.url)
    sign_in(page, member)
    press(page, "Allow")
    expect_heading(page, "You can close this window")
    callback.take()
    return name


def test_an_app_is_shown_and_removed_with_the_keyboard_alone(
    page: Page, site: Site, allowed: str
) -> None:
    page.goto(site.url("/account/"))
    expect(page.get_by_role("heading", name=allowed)).to_be_visible()
    expect(page.get_by_text(SCOPE_TITLE)).to_be_visible()
    expect(page.get_by_text("an app on this computer")).to_be_visible()
    expect(page.get_by_role("link", name="Privacy policy")).to_be_visible()
    expect(page.get_by_role("link", name=f"Open: {allowed}")).to_be_visible()
    check_looks(page)

    tab_to(page, f"Remove: {allowed}")
    page.keyboard.press("Enter")

    expect(page.get_by_text("The app is removed.")).to_be_visible()
    expect(page.get_by_role("heading", name=allowed)).to_have_count(0)
    check_looks(page)


@pytest.mark.parametrize("path", list(PAGES)[1:])
def test_every_page_of_a_person_stands_axe_and_a_narrow_window(
    page: Page, site: Site, member: Person, path: str
) -> None:
    enter(page, site, member, path)

    check_looks(page)


def test_another_browser_is_signed_out_at_once(
    page: Page, another_page: Callable[[], Page], site: Site, member: Person
) -> None:
    other = another_page()
    enter(other, site, member)
    enter(page, site, member, "sessions")
    expect(page.get_by_text("This one")).to_have_count(1)
    expect(page.get_by_role("heading", name="Chrome on Linux")).to_have_count(2)
    check_looks(page)

    press(page, "End all others")

    expect(page.get_by_text("All other browsers are signed out.")).to_be_visible()
    other.reload()
    expect_heading(other, "Sign in")


def test_a_password_is_changed_after_a_fault_is_said(
    page: Page, site: Site, member: Person
) -> None:
    enter(page, site, member, "password")
    page.get_by_label("Password you have now").fill("not this sentence")
    page.get_by_label("New password").fill(NEW)
    press(page, "Change password")
    expect(page.get_by_role("alert")).to_contain_text("This is not the password you have now.")
    check_looks(page)

    page.get_by_label("Password you have now").fill(member.password)
    page.get_by_label("New password").fill(NEW)
    press(page, "Change password")

    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    check_looks(page)


def test_a_link_fills_in_its_token_and_leaves_the_address_bar(
    page: Page, site: Site, member: Person
) -> None:
    with site.app.app_context():
        token = new_passwords.issue(users.get(member.user_id), by=SERVER)
        db.session.commit()
    page.goto(site.url(f"/account/new-password#token={token}"))
    expect(page.get_by_label("Token of your link")).to_have_value(token)
    assert token not in page.url
    check_looks(page)

    page.get_by_label("New password").fill(NEW)
    press(page, "Set password")

    expect_heading(page, "Your password is set")
    check_looks(page)


def test_an_administrator_makes_an_account_and_disables_it_after_a_question(
    page: Page, site: Site
) -> None:
    administrator = site.add("admin")
    page.goto(site.url("/admin/users/"))
    sign_in(page, administrator)
    page.get_by_role("link", name="New user").click()
    check_looks(page)
    page.get_by_label("E-mail").fill("zoe@example.org")
    press(page, "Create user")
    expect(page.get_by_text("Shown only now and never again")).to_be_visible()
    check_looks(page)

    page.get_by_role("link", name="I have passed it on").click()
    expect_heading(page, "zoe@example.org")
    check_looks(page)
    press(page, "Disable account")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("signed out everywhere")
    check_looks(page)
    question.get_by_role("button", name="Disable account").click()

    expect(page.get_by_text("The account is disabled")).to_be_visible()
    check_looks(page)
