"""The first administrator comes with a one-time link."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.domain import setup_links
from app.domain.audit import SERVER
from app.extensions import db
from tests.browser.looks import check_looks
from tests.browser.site import Site, running_site
from tests.browser.steps import expect_heading, press
from tests.flows.world import PASSWORD


@pytest.fixture
def site(sqlite_template: Path, tmp_path: Path) -> Iterator[Site]:
    """Run a server that has no administrator yet."""
    with running_site(sqlite_template, tmp_path) as running:
        yield running


def link(site: Site) -> tuple[str, str]:
    """Return the setup link and the token in it."""
    with site.app.app_context():
        token = setup_links.issue(by=SERVER)
        db.session.commit()
    return site.url(f"/setup#token={token}"), token


def test_the_token_moves_from_the_address_into_the_form(
    page: Page, site: Site, another_page: Callable[[], Page]
) -> None:
    url, token = link(site)
    page.goto(url)

    expect(page.get_by_label("Setup token")).to_have_value(token)
    assert page.url == site.url("/setup")
    check_looks(page)

    page.get_by_label("Your email").fill("root@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Create the administrator")

    page.wait_for_url(site.url("/admin/"))
    late = another_page()
    late.goto(url)
    expect_heading(late, "Sign in")


def test_a_bad_password_keeps_the_token_for_another_try(page: Page, site: Site) -> None:
    url, token = link(site)
    page.goto(url)
    page.get_by_label("Your email").fill("root@example.org")
    page.get_by_label("Password", exact=True).fill("root@example.org")

    press(page, "Create the administrator")

    expect(page.get_by_role("alert")).to_contain_text("needs your attention")
    expect(page.get_by_label("Setup token")).to_have_value(token)
    check_looks(page)


def test_a_wrong_token_is_refused(page: Page, site: Site) -> None:
    link(site)
    page.goto(site.url("/setup#token=guessed"))
    page.get_by_label("Your email").fill("root@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)

    press(page, "Create the administrator")

    expect(page.get_by_role("alert")).to_contain_text("too old")
