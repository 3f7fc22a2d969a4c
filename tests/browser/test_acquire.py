"""The page Acquire in a real browser: tokens got, a code brought back, a JWT taken apart."""

import json
from base64 import urlsafe_b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.domain import admissions, client_metadata, signing_keys
from app.domain.audit import SERVER
from app.extensions import db
from tests.browser.looks import check_looks
from tests.browser.site import RESOURCE, Site
from tests.browser.steps import expect_heading, press, sign_in, tab_to
from tests.flows.person import Person
from tests.flows.world import SCOPE
from tests.services.callback import Callback

INSPECTOR = "/admin/acquire/inspect"


def make(site: Site, **metadata: Any) -> SimpleNamespace:
    """Make a client by hand that may read notes."""
    wanted = client_metadata.parse({"client_name": "Notes robot"} | metadata)
    with site.app.app_context():
        signing_keys.ensure(site.app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        client, issued = admissions.create(wanted, by=SERVER, allowed=[SCOPE, "openid"])
        db.session.commit()
        return SimpleNamespace(client_id=client.client_id, secret=issued.client_secret)


@pytest.fixture
def robot(site: Site) -> SimpleNamespace:
    return make(site, grant_types=["client_credentials"])


def enter(page: Page, site: Site, person: Person, path: str) -> None:
    """Open a page of the console, signing in on the way."""
    page.goto(site.url(path))
    expect_heading(page, "Sign in")
    sign_in(page, person)
    page.wait_for_url(site.url(path))


def token_of(claims: dict[str, Any]) -> str:
    """Return a JWT that nobody signed."""
    parts = [{"alg": "ES256", "typ": "at+jwt", "kid": "k-1"}, claims]
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def test_a_token_is_acquired_from_the_page_of_a_client_with_the_keyboard(
    page: Page, site: Site, approver: Person, robot: SimpleNamespace
) -> None:
    enter(page, site, approver, f"/admin/clients/{robot.client_id}")
    page.get_by_role("link", name="Try it").click()
    expect_heading(page, "Acquire")
    check_looks(page)

    page.locator("[name=proof]").focus()
    page.keyboard.type(robot.secret)
    tab_to(page, "Resource (optional)")
    page.locator("select[name=resource]").select_option(RESOURCE)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_text("It worked")).to_be_visible()
    expect(page.get_by_text("Failed:")).to_have_count(0)
    for details in page.locator("main details summary").all():
        details.click()
    check_looks(page)
    assert robot.secret not in page.content()
    page.locator("[name=proof]").fill("wrong")
    press(page, "Introspect")
    expect(page.get_by_text("Refused: invalid_client")).to_be_visible()
    check_looks(page)


def test_a_code_is_brought_back_from_another_tab(
    page: Page, site: Site, approver: Person, callback: Callback
) -> None:
    uris = {"redirect_uris": [callback.uri], "token_endpoint_auth_method": "none"}
    app = make(site, client_name="Notes desk", grant_types=["authorization_code"], **uris)
    path = f"/admin/acquire/?kind=authorization_code&client_id={app.client_id}"
    enter(page, site, approver, path)
    check_looks(page)
    page.get_by_role("textbox", name="Scope").fill(f"openid {SCOPE}")
    page.locator("select[name=resource]").select_option(RESOURCE)
    press(page, "Make the authorization request")
    check_looks(page)

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the authorization request in a new tab").click()
    press(opened.value, "Allow")
    page.get_by_label("Address").fill(callback.take_url())
    press(page, "Exchange the code")

    expect(page.get_by_role("heading", name="The ID token")).to_be_visible()
    expect(page.get_by_text("Failed:")).to_have_count(0)
    check_looks(page)


def test_a_jwt_is_taken_apart_with_the_keyboard_and_nothing_leaves_the_browser(
    page: Page, site: Site, approver: Person
) -> None:
    enter(page, site, approver, INSPECTOR)
    page.wait_for_load_state("networkidle")
    left: list[str] = []
    page.on("request", lambda request: left.append(request.url))

    tab_to(page, "Token")
    page.keyboard.insert_text(token_of({"sub": "Zoë <b>", "exp": 1, "aud": ["a", "b"]}))

    status = page.get_by_role("status").filter(has_text="signature")
    expect(status).to_have_text("It has expired. Its signature was not checked.")
    expect(page.get_by_role("main")).to_contain_text("Zoë <b>")
    expect(page.get_by_role("main")).to_contain_text("1970")
    expect(page.get_by_role("main")).to_contain_text('["a","b"]')
    check_looks(page)
    page.get_by_label("Token").fill(f"Bearer {token_of({'exp': 2**40, 'nbf': 1e300})}")
    expect(status).to_contain_text("It does not count yet.")
    page.get_by_label("Token").fill(token_of({"exp": 2**33}))
    expect(status).to_contain_text("It has not expired.")
    assert left == []


def test_what_is_no_jwt_is_said_to_be_none(page: Page, site: Site, approver: Person) -> None:
    enter(page, site, approver, INSPECTOR)

    for typed in ("rt_notajwt", "a.b.c", "bnVsbA.bnVsbA.x", "W10.W10.x", "..", "é"):
        page.get_by_label("Token").fill("")
        expect(page.get_by_text("This is not a JWT")).to_be_hidden()
        page.get_by_label("Token").fill(typed)
        expect(page.get_by_text("This is not a JWT")).to_be_visible()
        expect(page.get_by_role("heading", name="Claims")).to_be_hidden()


def test_without_script_the_inspector_says_why_it_needs_one(
    browser: Any, site: Site, approver: Person
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, site, approver, INSPECTOR)

    # Chromium keeps noscript out of sight where script is only switched off for a test
    assert "so that it never leaves your browser" in page.content()
    expect(page.get_by_label("Token")).to_be_hidden()
    context.close()
