"""What every page must stand: axe in light and dark, wide and narrow, without sideways scroll."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
WIDTHS = (1280, 320)
HEIGHT = 900
GRAVE = ("serious", "critical")
ALL = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
RULES = {"light": ALL, "dark": COLOURS}
"""What a scheme is looked at for: only colours differ from one to the other."""


@cache
def axe() -> str:
    """Return a function that brings axe into a page past its content security policy."""
    return f"() => {{ {AXE.read_text()} }}"


def check_looks(page: Page) -> None:
    """Fail when the page as it stands is hard to use for somebody, in any scheme or width."""
    found = []
    page.evaluate(axe())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme, rules in RULES.items():
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found += [f"{scheme} {width}: {fault}" for fault in faults(page, rules)]
        if sideways(page):
            found.append(f"{width}: {sideways(page)} pixels of sideways scroll")
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    page.emulate_media(color_scheme=None, reduced_motion=None)
    assert not found, "\n".join([f"{page.title()} at {page.url.partition('?')[0]}", *found])


def faults(page: Page, rules: dict[str, Any]) -> list[str]:
    """Return the grave findings of axe, with the elements they are about."""
    answer: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules
    )
    assert answer["passes"], "axe looked at nothing"
    return [
        f"{fault['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for fault in answer["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    root = "document.documentElement"
    return int(page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))
