"""Letting a device in: the code, the question and the answer, in a real browser."""

from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from app.domain import admissions, client_metadata
from app.domain.audit import SERVER
from app.domain.grant_types import DEVICE
from app.extensions import db
from tests.browser.looks import check_looks
from tests.browser.site import RESOURCE, Site
from tests.browser.steps import expect_heading, press, sign_in, tab_to
from tests.flows.person import Person
from tests.flows.world import SCOPE, SCOPE_TITLE

NAME = "Television in the meeting room"
METADATA = {
    "client_name": NAME,
    "grant_types": [DEVICE],
    "token_endpoint_auth_method": "none",
}


class Device:
    """A device that an operator let use this server."""

    def __init__(self, site: Site) -> None:
        self.site = site
        with site.app.app_context():
            metadata = client_metadata.parse(METADATA)
            client, _ = admissions.create(metadata, by=SERVER, allowed=[SCOPE])
            db.session.commit()
            self.client_id = client.client_id
        self.asked = self.post("/device_authorization", scope=SCOPE, resource=RESOURCE).json()

    def post(self, path: str, **values: str) -> httpx2.Response:
        """Call an endpoint."""
        return httpx2.post(self.site.url(path), data={"client_id": self.client_id} | values)

    def poll(self) -> dict[str, Any]:
        """Ask for the tokens."""
        code = self.asked["device_code"]
        return dict(self.post("/token", grant_type=DEVICE, device_code=code).json())


@pytest.fixture
def device(site: Site) -> Device:
    return Device(site)


@pytest.fixture
def question(page: Page, member: Person, device: Device) -> Page:
    """Return the browser of somebody who typed the code and is asked."""
    page.goto(device.asked["verification_uri"])
    sign_in(page, member)
    expect_heading(page, "Connect a device")
    page.get_by_label("Code").fill(device.asked["user_code"].lower().replace("-", " "))
    press(page, "Continue")
    expect_heading(page, f"Let {NAME} use your account on a device?")
    return page


def test_the_question_shows_code_origin_and_scopes_and_looks_right(
    question: Page, member: Person, device: Device
) -> None:
    expect(question.get_by_text(device.asked["user_code"], exact=True)).to_be_visible()
    expect(question.get_by_text("127.0.0.1")).to_be_visible()
    expect(question.get_by_text("less than a minute ago")).to_be_visible()
    expect(question.get_by_text(SCOPE_TITLE)).to_be_visible()
    expect(question.get_by_text(member.email)).to_be_visible()
    expect(question.get_by_text("Only if you started it yourself")).to_be_visible()
    check_looks(question)


def test_allowing_lets_the_device_in(question: Page, device: Device) -> None:
    press(question, "Allow")

    expect_heading(question, "Go back to your device")
    check_looks(question)
    assert device.poll()["scope"] == SCOPE


def test_denying_turns_the_device_away(question: Page, device: Device) -> None:
    press(question, "Deny")

    expect_heading(question, "The device was turned away")
    check_looks(question)
    assert device.poll()["error"] == "access_denied"


def test_denying_is_as_prominent_as_allowing(question: Page) -> None:
    deny, allow = (question.get_by_role("button", name=name) for name in ("Deny", "Allow"))

    assert deny.bounding_box()["width"] == pytest.approx(allow.bounding_box()["width"], abs=1)
    assert deny.bounding_box()["height"] == pytest.approx(allow.bounding_box()["height"], abs=1)


def test_a_scanned_address_fills_the_code_in_and_the_keyboard_does_the_rest(
    page: Page, member: Person, device: Device
) -> None:
    page.goto(device.asked["verification_uri_complete"])
    sign_in(page, member)
    expect(page.get_by_label("Code")).to_have_value(device.asked["user_code"])
    assert device.poll()["error"] == "authorization_pending"

    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    expect_heading(page, f"Let {NAME} use your account on a device?")
    tab_to(page, "Allow")
    page.keyboard.press("Enter")

    expect_heading(page, "Go back to your device")
    assert "access_token" in device.poll()


def test_wrong_codes_are_said_on_the_form_and_then_have_to_wait(
    page: Page, site: Site, member: Person
) -> None:
    page.goto(site.url("/device"))
    sign_in(page, member)
    check_looks(page)
    for _ in range(6):
        page.get_by_label("Code").fill("BCDF-GHJK")
        press(page, "Continue")
        expect(page.get_by_text("No device waits with this code")).to_be_visible()
    check_looks(page)

    page.get_by_label("Code").fill("BCDF-GHJK")
    press(page, "Continue")

    expect(page.get_by_text("Too many wrong codes", exact=True)).to_be_visible()
    check_looks(page)


def test_another_account_can_be_used(question: Page, approver: Person) -> None:
    press(question, "Use another account")
    expect_heading(question, "Sign in")

    sign_in(question, approver)
    press(question, "Continue")

    expect(question.get_by_text(f"Signed in as {approver.email}")).to_be_visible()


def test_the_picture_of_the_address_can_be_shown(page: Page, site: Site, device: Device) -> None:
    page.goto(site.url(f"/device/qr.svg?user_code={device.asked['user_code']}"))

    size = page.evaluate("document.documentElement.getBoundingClientRect().toJSON()")
    assert size["width"] == size["height"] > 150
