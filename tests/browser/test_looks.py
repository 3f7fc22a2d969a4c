"""The checks of looks find what they are there for."""

import pytest
from playwright.sync_api import Page

from tests.browser.looks import check_looks

GOOD = """<!doctype html><html lang="en"><title>Good</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<main><h1>Good</h1><label>Name <input></label></main>"""
FAULTS = [
    ("<label>Name <input></label>", "<input>", "light 1280: label"),
    ("<h1>", "<h1 style='color: #ccc; background: #fff'>", "light 1280: color-contrast"),
    ("<h1>", "<h1 style='color: #eee; background: light-dark(#000, #fff)'>", "dark 320: color-con"),
    ("<h1>", "<h1 style='width: 600px'>", "320: 288 pixels of sideways scroll"),
]


def test_a_good_page_passes(page: Page) -> None:
    page.set_content(GOOD)

    check_looks(page)


@pytest.mark.parametrize("good, bad, found", FAULTS, ids=[found for *_, found in FAULTS])
def test_a_bad_page_fails_with_what_is_wrong(page: Page, good: str, bad: str, found: str) -> None:
    page.set_content(GOOD.replace(good, bad))

    with pytest.raises(AssertionError, match=found):
        check_looks(page)
