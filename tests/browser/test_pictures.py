"""The pictures of the README, taken again when UPDATE_PICTURES is set."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.domain import policy_versions, rules
from app.domain.audit import SERVER
from app.extensions import db
from tests.browser.site import Site, running_site
from tests.browser.steps import expect_heading, press, sign_in
from tests.flows.world import add_person

IMAGES = Path(__file__).parents[2] / "docs" / "images"
QUEUE = (
    ("Notes reader", "https://notes.example/oauth/callback", "notes:read offline_access"),
    ("Desk assistant", "http://127.0.0.1:41873/callback", "notes:read"),
    ("Release helper", "http://localhost:8976/oauth/callback", ""),
    ("Meeting scribe", "https://scribe.example/callback", "notes:read calendar:read"),
)


RULES = (
    {
        "name": "Editors in the office",
        "outcome": "admit",
        "when": {"redirect_host": "loopback", "network": "192.0.2.0/24"},
        "then": {"access_token_seconds": 600, "approve_days": 90},
    },
    {"name": "Look-alikes", "outcome": "hold", "when": {"look_alike": 60}},
    {"name": "Web applications", "outcome": "hold", "when": {"redirect_scheme": "https"}},
)


def put_in_force(site: Site) -> None:
    """Let some rules decide."""
    with site.app.app_context():
        policy_versions.save(rules.all_from_json(RULES), 0, by=SERVER)
        db.session.commit()


@pytest.fixture
def site(sqlite_template: Path, tmp_path: Path) -> Iterator[Site]:
    """Run a server where nothing else has happened."""
    with running_site(sqlite_template, tmp_path) as running:
        yield running


def keep(page: Page, name: str) -> None:
    """Write the picture if it is to be written; what it shows was checked before."""
    if os.environ.get("UPDATE_PICTURES"):
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=IMAGES / name, animations="disabled", full_page=True)


def test_the_pictures_show_the_queue_and_the_consent_page(page: Page, site: Site) -> None:
    ada = add_person(site.app, "ada@example.org", "approver")
    put_in_force(site)
    asked = [site.register(uri, name, scope=scope) for name, uri, scope in QUEUE]
    for _ in range(3):
        site.register(asked[1].redirect_uri, asked[1].name, scope=QUEUE[1][2])
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")

    page.goto(site.url("/admin/registrations/"))
    sign_in(page, ada)
    expect_heading(page, "Registrations")
    for each in asked:
        expect(page.get_by_role("link", name=each.name, exact=True)).to_be_visible()
    keep(page, "console-registrations.png")

    page.get_by_role("link", name=asked[0].name, exact=True).click()
    expect_heading(page, asked[0].name)
    expect(page.get_by_role("cell", name="Web applications")).to_be_visible()
    keep(page, "console-registration.png")
    press(page, "Approve")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.set_viewport_size({"width": 720, "height": 800})
    page.goto(asked[0].url)
    expect_heading(page, f"Let {asked[0].name} use your account?")
    expect(page.get_by_role("button", name="Allow")).to_be_visible()
    keep(page, "consent.png")


def test_the_picture_of_the_simulator_shows_a_verdict_of_every_rule(page: Page, site: Site) -> None:
    ada = add_person(site.app, "ada@example.org", "viewer")
    put_in_force(site)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")

    page.goto(site.url("/admin/simulator/"))
    sign_in(page, ada)
    expect_heading(page, "Simulator")
    page.get_by_label("It comes from").fill("192.0.2.17")
    press(page, "Judge it")

    for rule in RULES:
        expect(page.get_by_role("cell", name=rule["name"])).to_be_visible()
    expect(page.get_by_text("approved for 90 days")).to_be_visible()
    keep(page, "console-simulator.png")
