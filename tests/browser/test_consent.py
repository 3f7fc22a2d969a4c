"""Consent: what a person sees, and that the answer really reaches the app."""

import pytest
from playwright.sync_api import Page, expect

from app.domain import admissions, client_metadata, clients, software_logos
from app.domain.audit import SERVER
from app.extensions import db
from tests.browser.looks import check_looks
from tests.browser.site import RESOURCE, AppRequest, Site
from tests.browser.steps import expect_heading, press, sign_in, tab_to
from tests.domain.pictures import png
from tests.flows.person import Browser, Person
from tests.flows.world import SCOPE, SCOPE_TITLE
from tests.services.callback import Callback


def approve(site: Site, approver: Person, asked: AppRequest) -> AppRequest:
    """Approve an app in place, without a look."""
    with Browser() as browser:
        browser.open(site.url("/login"))
        approver.sign_in(browser)
        browser.open(asked.url)
        browser.press("Approve")
    return asked


@pytest.fixture
def approved(site: Site, approver: Person, asked: AppRequest) -> AppRequest:
    """Return the request of an app that an approver has approved."""
    return approve(site, approver, asked)


@pytest.fixture
def consent(page: Page, member: Person, approved: AppRequest) -> Page:
    """Return the browser of a signed-in person, showing the consent page."""
    page.goto(approved.url)
    expect_heading(page, "Sign in")
    sign_in(page, member)
    expect_heading(page, f"Let {approved.name} use your account?")
    return page


def test_the_sign_in_page_says_which_app_asks(page: Page, approved: AppRequest) -> None:
    page.goto(approved.url)

    expect(page.get_by_text(f"to continue to {approved.name}")).to_be_visible()
    check_looks(page)


def test_the_page_says_who_asks_for_what_and_where_it_leads(
    consent: Page, member: Person, approver: Person, callback: Callback
) -> None:
    expect(consent.get_by_text(f"Listens at {callback.host}")).to_be_visible()
    expect(consent.get_by_text(f"Approved by {approver.email}")).to_be_visible()
    expect(consent.get_by_text(SCOPE_TITLE)).to_be_visible()
    expect(consent.get_by_text(SCOPE, exact=True)).to_have_count(1)
    expect(consent.get_by_text(RESOURCE)).to_be_visible()
    expect(consent.get_by_text(member.email)).to_be_visible()
    check_looks(consent)


def test_a_logo_is_a_picture_of_fixed_size_beside_the_name(
    page: Page, site: Site, member: Person, approver: Person, callback: Callback
) -> None:
    uri = "https://pictured.example/logo.png"
    asked = approve(site, approver, site.register(callback.uri, logo_uri=uri))
    show_logo(site, asked.client_id, uri)
    page.goto(asked.url)
    sign_in(page, member)
    expect_heading(page, f"Let {asked.name} use your account?")

    logo = page.locator("img.logo")
    assert logo.evaluate("each => each.decode().then(() => each.naturalWidth)") == 2000
    check_looks(page)
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        box, name = logo.bounding_box(), page.locator("h1").bounding_box()
        assert (box["width"], box["height"]) == (48, 48)
        assert box["x"] + box["width"] < name["x"]


def show_logo(site: Site, client_id: str, uri: str) -> None:
    """Let people see a long logo of an app."""
    with site.app.app_context():
        software_id = clients.get(client_id).software_id
        kept = software_logos.keep(software_id, uri, png(2000, 40), by=SERVER)
        software_logos.show(software_id, kept.digest, by=SERVER)
        db.session.commit()


def test_denying_is_as_prominent_as_allowing(consent: Page) -> None:
    deny, allow = (consent.get_by_role("button", name=name) for name in ("Deny", "Allow"))

    assert deny.bounding_box()["width"] == pytest.approx(allow.bounding_box()["width"], abs=1)
    assert deny.bounding_box()["height"] == pytest.approx(allow.bounding_box()["height"], abs=1)


def test_allowing_brings_a_code_to_the_app(
    consent: Page, approved: AppRequest, callback: Callback, site: Site
) -> None:
    press(consent, "Allow")

    expect_heading(consent, "You can close this window")
    brought = callback.take()
    assert brought["code"].startswith("ac_")
    assert (brought["state"], brought["iss"]) == (approved.state, site.issuer)


def test_denying_brings_the_refusal_to_the_app(
    consent: Page, approved: AppRequest, callback: Callback, site: Site
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
    page: Page, site: Site, member: Person, approver: Person, callback: Callback
) -> None:
    """The form target follows the presented address, not the registered one."""
    known = site.register("http://localhost:1/callback")
    here = callback.uri.replace("127.0.0.1", "localhost")
    asked = approve(site, approver, site.ask(known.name, known.client_id, here))
    page.goto(asked.url)
    sign_in(page, member)

    press(page, "Allow")

    expect_heading(page, "You can close this window")
    assert "code" in callback.take()


def test_signing_in_is_enough_for_an_app_with_a_secret_made_by_hand_and_allowed_before(
    page: Page, site: Site, member: Person, callback: Callback
) -> None:
    """The sign-in form itself then ends at the app, which its form-action must allow."""
    asked = site.ask("By hand", made_by_hand(site, callback.uri), callback.uri)
    page.goto(asked.url)
    sign_in(page, member)
    expect(page.get_by_role("link", name="Terms of service")).to_be_visible()
    check_looks(page)
    press(page, "Allow")
    expect_heading(page, "You can close this window")
    first = callback.take()
    page.context.clear_cookies()
    page.goto(asked.url)

    sign_in(page, member)

    expect_heading(page, "You can close this window")
    assert callback.take()["code"] != first["code"]


def made_by_hand(site: Site, redirect_uri: str) -> str:
    """Return the client_id of a client with a secret that an operator created."""
    pages = {"policy_uri": "https://app.example/p", "tos_uri": "https://app.example/t"}
    body = {"redirect_uris": [redirect_uri, "https://app.example/cb"], **pages}
    with site.app.app_context():
        metadata = client_metadata.parse(body)
        allowed = [SCOPE, "offline_access"]
        client, _ = admissions.create(metadata, by=SERVER, allowed=allowed)
        db.session.commit()
        return client.client_id


def test_a_second_request_of_the_same_session_is_not_asked_again(
    consent: Page, site: Site, approved: AppRequest, callback: Callback
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

    expect(consent.get_by_text(f"Signed in as {approver.email}")).to_be_visible()
    press(consent, "Allow")
    expect_heading(consent, "You can close this window")
    assert "code" in callback.take()


def test_whoever_goes_back_after_denying_is_asked_afresh(consent: Page, callback: Callback) -> None:
    press(consent, "Deny")
    expect_heading(consent, "You can close this window")
    assert callback.take()["error"] == "access_denied"

    consent.go_back()
    press(consent, "Allow")

    expect_heading(consent, "You can close this window")
    assert "code" in callback.take()
