"""What people do in Chromium, by the words on the page."""

from playwright.sync_api import Page, expect

from tests.flows.person import Person


def sign_in(page: Page, person: Person, password: str | None = None) -> None:
    """Fill in the sign-in form that the page shows, and send it."""
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password", exact=True).fill(password or person.password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def press(page: Page, name: str) -> None:
    """Press the button of these words."""
    page.get_by_role("button", name=name, exact=True).click()


def expect_heading(page: Page, words: str, seconds: float = 15) -> None:
    """Wait until the page says what it is."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(words, timeout=seconds * 1000)


def tab_to(page: Page, name: str, most: int = 40) -> None:
    """Press Tab until the element of this name has the focus, and can be seen to have it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        label = focused.evaluate("e => e.labels?.[0]?.textContent ?? e.ariaLabel ?? e.textContent")
        assert has_ring(page), f"nobody sees that {label.strip()!r} has the focus"
        if label.strip() == name:
            return
    raise AssertionError(f"no {name!r} within {most} stops")


def has_ring(page: Page) -> bool:
    """Tell whether the focused element differs from how it looks without the focus."""
    style = "e => { const s = getComputedStyle(e); return s.outlineStyle + s.boxShadow; }"
    return page.locator(":focus").evaluate(style) != "nonenone"
