"""Second factors in a real browser: an app, and passkeys of a virtual authenticator."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pyotp import TOTP

from app.domain.authenticators import Authenticator
from app.extensions import db
from tests.browser.looks import check_looks
from tests.browser.site import Site, running_site
from tests.browser.steps import expect_heading, press, sign_in, tab_to
from tests.flows.person import Person

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run a server with a name, which passkeys need, where administrators need a second factor."""
    folder = tmp_path_factory.mktemp("factors")
    with running_site(sqlite_template, folder, "localhost", second_factor_roles="admin") as running:
        yield running


@pytest.fixture
def device(page: Page) -> Any:
    """Give the browser an authenticator that knows its owner; return the connection to it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    session.authenticator = made["authenticatorId"]
    return session


def open_security(page: Page, site: Site, person: Person) -> None:
    """Open the page of the person's factors, signing in on the way."""
    page.goto(site.url("/account/security"))
    sign_in(page, person)
    expect_heading(page, "Your security")


def sign_out(page: Page, site: Site) -> None:
    """Leave the account."""
    page.goto(site.url("/account/security"))
    press(page, "Sign out")
    expect_heading(page, "You are signed out")


def forget_last_step(site: Site, person: Person) -> None:
    """Let the code of this half minute count once more, instead of waiting for the next."""
    with site.app.app_context():
        db.session.execute(
            db.update(Authenticator)
            .where(Authenticator.user_id == person.user_id)
            .values(last_step=0)
        )
        db.session.commit()


def add_app(page: Page) -> str:
    """Add an authenticator app on the page that offers it; return its secret."""
    press(page, "Show the secret")
    secret = page.locator(".copyable code").inner_text()
    check_looks(page)
    page.get_by_label("Code", exact=True).fill(TOTP(secret).at(int(time.time())))
    press(page, "Add the app")
    expect_heading(page, "Your recovery codes")
    check_looks(page)
    return secret


def test_an_app_is_added_and_asked_for_with_the_keyboard_alone(
    page: Page, site: Site, member: Person
) -> None:
    open_security(page, site, member)
    check_looks(page)
    page.get_by_role("link", name="Add an authenticator app").click()
    check_looks(page)
    secret = add_app(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 are unused")).to_be_visible()
    check_looks(page)
    sign_out(page, site)
    forget_last_step(site, member)

    page.goto(site.url("/login"))
    sign_in(page, member)
    expect_heading(page, "One more step")
    check_looks(page)
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    check_looks(page)
    page.get_by_label("Code", exact=True).fill("")
    page.keyboard.type(TOTP(secret).at(int(time.time())))
    tab_to(page, "Continue")
    page.keyboard.press("Enter")

    page.wait_for_url(site.url("/"))


def test_a_picture_shows_the_secret_that_is_written_below_it(
    page: Page, site: Site, member: Person
) -> None:
    open_security(page, site, member)
    page.get_by_role("link", name="Add an authenticator app").click()
    press(page, "Show the secret")

    box = page.get_by_role("img", name="QR code of the secret below").bounding_box()

    assert box["width"] == box["height"] > 150
    modules = page.evaluate("document.querySelector('.qr path').getBBox().width")
    assert modules >= 41


def test_an_administrator_is_led_to_a_factor_and_goes_on(page: Page, site: Site) -> None:
    administrator = site.add("admin")
    page.goto(site.url("/admin/users/"))
    sign_in(page, administrator)
    expect_heading(page, "Add an authenticator app")
    check_looks(page)

    add_app(page)
    page.get_by_role("link", name="I have kept them").click()

    expect_heading(page, "Users")


def test_a_passkey_signs_in_without_a_password(
    page: Page, site: Site, member: Person, device: Any
) -> None:
    open_security(page, site, member)
    page.get_by_label("Name of the passkey").fill("Laptop")
    press(page, "Add a passkey")
    expect_heading(page, "Your recovery codes")
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Laptop")).to_be_visible()
    check_looks(page)
    sign_out(page, site)

    page.goto(site.url("/login?next=/tenant/one/account/security"))
    check_looks(page)
    tab_to(page, "Use a passkey")
    page.keyboard.press("Enter")

    expect_heading(page, "Your security")
    kept = device.send("WebAuthn.getCredentials", {"authenticatorId": device.authenticator})
    [credential] = kept["credentials"]
    assert (credential["isResidentCredential"], credential["rpId"]) == (True, "localhost")


def test_a_passkey_completes_a_password(
    page: Page, site: Site, member: Person, device: Any
) -> None:
    open_security(page, site, member)
    press(page, "Add a passkey")
    expect_heading(page, "Your recovery codes")
    sign_out(page, site)

    page.goto(site.url("/login"))
    sign_in(page, member)
    expect_heading(page, "One more step")
    check_looks(page)
    press(page, "Use a passkey")

    page.wait_for_url(site.url("/"))


def test_an_administrator_may_add_a_passkey_instead_of_an_app(
    page: Page, site: Site, device: Any
) -> None:
    administrator = site.add("admin")
    page.goto(site.url("/admin/users/"))
    sign_in(page, administrator)
    expect_heading(page, "Add an authenticator app")

    press(page, "Add a passkey")
    expect_heading(page, "Your recovery codes")
    page.get_by_role("link", name="I have kept them").click()

    expect_heading(page, "Users")


def test_who_is_not_recognised_by_the_device_is_told(
    page: Page, site: Site, member: Person, device: Any
) -> None:
    open_security(page, site, member)
    press(page, "Add a passkey")
    expect_heading(page, "Your recovery codes")
    sign_out(page, site)
    unknown = {"authenticatorId": device.authenticator, "isUserVerified": False}
    device.send("WebAuthn.setUserVerified", unknown)

    page.goto(site.url("/login"))
    press(page, "Use a passkey")

    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    check_looks(page)


def test_a_passkey_is_not_added_twice_from_one_device(
    page: Page, site: Site, member: Person, device: Any
) -> None:
    open_security(page, site, member)
    press(page, "Add a passkey")
    expect_heading(page, "Your recovery codes")
    page.get_by_role("link", name="I have kept them").click()

    press(page, "Add a passkey")

    expect(page.get_by_text("This device has a passkey for your account already.")).to_be_visible()


def test_somebody_whose_factor_was_reset_signs_in_with_the_password(
    another_page: Callable[[], Page], page: Page, site: Site, member: Person
) -> None:
    open_security(page, site, member)
    page.get_by_role("link", name="Add an authenticator app").click()
    add_app(page)
    administrator = site.add("admin")
    desk = another_page()
    desk.goto(site.url(f"/admin/users/{member.user_id}"))
    sign_in(desk, administrator)
    add_app(desk)
    desk.get_by_role("link", name="I have kept them").click()
    check_looks(desk)

    press(desk, "Reset second factor")
    desk.get_by_role("dialog").get_by_role("button", name="Reset second factor").click()

    expect(desk.get_by_text("Their second factor is removed")).to_be_visible()
    page.goto(site.url("/account/security"))
    sign_in(page, member)
    expect_heading(page, "Your security")
