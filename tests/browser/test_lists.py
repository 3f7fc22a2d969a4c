"""What the console's script adds to lists and secrets, in a real browser."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import check_looks
from tests.browser.site import Site
from tests.browser.steps import press
from tests.browser.test_console import enter
from tests.services.callback import Callback


@pytest.fixture
def crowd(site: Site, callback: Callback) -> str:
    """Register more apps than a page shows; return the word in all their names."""
    for number in range(27):
        site.register(callback.uri, f"Crowd {number:02}", client_uri=f"https://{number}.example/")
    return "Crowd"


def test_all_that_match_are_rejected_after_a_question_that_says_how_many(
    page: Page, site: Site, approver, crowd: str
) -> None:
    enter(page, site, approver, "/admin/registrations/")
    page.goto(site.url(f"/admin/registrations/?q={crowd}&sort=name"))
    page.get_by_label("Select Crowd 03").check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.get_by_label("Select all 27 matching").check()
    expect(page.get_by_text("27 selected")).to_be_visible()
    check_looks(page)
    page.get_by_label("Reason for rejecting").fill("Too many.")

    press(page, "Reject selected")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Reject all 27, also those on other pages?")
    question.get_by_role("button", name="Reject selected").click()

    expect(page.get_by_text("27 rejected.")).to_be_visible()
    page.goto(site.url(f"/admin/registrations/?q={crowd}"))
    expect(page.get_by_text("Nothing matches")).to_be_visible()


def test_a_secret_is_downloaded_as_env_and_as_json(page: Page, site: Site, tmp_path: Path) -> None:
    enter(page, site, site.add("admin"), "/admin/clients/new?kind=service")
    page.get_by_label("Name").fill("Nightly job")
    press(page, "Create client")
    saved = {}

    for name, file in (("Download .env", "client.env"), ("Download JSON", "client.json")):
        with page.expect_download() as download:
            press(page, name)
        assert download.value.suggested_filename == file
        download.value.save_as(tmp_path / file)
        saved[file] = (tmp_path / file).read_text()

    secret = json.loads(saved["client.json"])["client_secret"]
    assert f"OAUTH_CLIENT_SECRET={secret}\n" in saved["client.env"]
    expect(page.get_by_role("status").filter(has_text="client.json is saved")).to_have_count(1)
    check_looks(page)


def test_sorting_works_in_a_narrow_window_too(page: Page, site: Site, asked) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    enter(page, site, site.add("viewer"), "/admin/clients/")

    page.get_by_role("link", name="Last used").click()

    page.wait_for_url(lambda url: "sort=used" in url)
    check_looks(page)


def test_a_tip_is_opened_with_the_keyboard_and_stays_in_a_narrow_window(
    page: Page, site: Site
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    enter(page, site, site.add("viewer"), "/admin/scopes/")
    tip = page.get_by_role("button", name="What “scope” means")
    text = page.get_by_text("One thing that a token allows")
    expect(text).to_be_hidden()

    tip.focus()
    page.keyboard.press("Enter")

    expect(text).to_be_visible()
    box = text.bounding_box()
    assert 0 <= box["x"] <= box["x"] + box["width"] <= 320
    check_looks(page)
    page.keyboard.press("Escape")
    expect(text).to_be_hidden()
