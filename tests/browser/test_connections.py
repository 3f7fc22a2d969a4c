"""Connections in a real browser: a login held, tested, changed and removed, on every screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import check_looks
from tests.browser.site import Site, running_site
from tests.browser.steps import expect_heading, press, sign_in
from tests.protocol.vendors import KEYS, jws
from tests.services.gate import ScriptedServer, said, scripted, token_answer

SECRET = "c4n4ry-0123456789"


@pytest.fixture
def endpoint() -> Iterator[ScriptedServer]:
    """Run a token endpoint that gives a JWT, and then refuses with a long word."""
    claims = {"iss": "https://id.example", "aud": "https://api.example/" + "a" * 90, "exp": 2**31}
    token = jws({"alg": "ES256", "typ": "at+jwt"}, claims, KEYS["ES256"], "ES256")
    refusal = {"error": "invalid_client", "error_description": "w" * 300}
    with scripted() as serve:
        yield serve(token_answer(token), said(401, refusal))


@pytest.fixture
def site(sqlite_template: Path, tmp_path: Path, endpoint: ScriptedServer) -> Iterator[Site]:
    """Run a server that may ask the token endpoint."""
    allowed = f"127.0.0.1:{endpoint.port}"
    with running_site(sqlite_template, tmp_path, outbound_allow=allowed) as running:
        yield running


def test_an_admin_holds_tests_changes_and_removes_a_login(
    page: Page, site: Site, endpoint: ScriptedServer
) -> None:
    page.goto(site.url("/admin/connections/"))
    sign_in(page, site.add("admin"))
    expect_heading(page, "Connections")
    check_looks(page)

    page.keyboard.press("n")
    expect_heading(page, "New connection")
    press(page, "Create connection")
    expect(page.get_by_label("Name")).to_be_focused()
    page.get_by_label("Name").fill("billing")
    page.get_by_role("textbox", name="client_id").fill("gatewright")
    press(page, "Create connection")
    expect(page.get_by_role("alert")).to_contain_text("The token endpoint must be set")
    check_looks(page)
    page.get_by_role("textbox", name="Token endpoint").fill(endpoint.url)
    page.locator("[name=client_secret]").fill(SECRET)
    press(page, "Create connection")

    expect_heading(page, "billing")
    check_looks(page)
    press(page, "Test now")
    expect(page.get_by_text("It works")).to_be_visible()
    page.get_by_text("The same as curl").click()
    check_looks(page)
    press(page, "Test again")
    expect(page.get_by_role("alert")).to_contain_text("It does not know this client")
    check_looks(page)
    assert SECRET not in page.content()

    page.get_by_role("link", name="billing").click()
    page.get_by_role("link", name="Edit what it asks for").click()
    expect_heading(page, "Edit billing")
    check_looks(page)
    page.get_by_label("Description").fill("The bills")
    press(page, "Save")
    expect(page.get_by_text("The connection is changed")).to_be_visible()
    page.get_by_role("link", name="Rotate the secret").click()
    expect_heading(page, "Rotate the secret")
    check_looks(page)
    page.go_back()
    press(page, "Remove")
    question = page.get_by_role("dialog")
    question.get_by_label("Type billing to confirm").fill("billing")
    question.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The connection is removed")).to_be_visible()


def test_the_list_is_reached_with_the_keyboard(page: Page, site: Site) -> None:
    page.goto(site.url("/admin/"))
    sign_in(page, site.add("viewer"))
    expect_heading(page, "Overview")
    page.wait_for_load_state()

    page.keyboard.press("g")
    page.keyboard.press("n")

    expect_heading(page, "Connections")
