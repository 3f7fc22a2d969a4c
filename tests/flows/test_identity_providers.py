"""Sign-in at another instance in Chromium: made, tried, used, linked, and every wrong way back."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app.domain import (
    admissions,
    client_metadata,
    foreign_id_tokens,
    identity_providers,
    sign_in_attempts,
    users,
)
from app.domain.audit import SERVER, AuditEvent
from app.domain.audit_tags import Tag
from app.domain.federation import OWNED
from app.domain.identity_provider_drafts import Draft
from app.extensions import db
from app.outbound.upstream_metadata import SLASH
from tests.browser.conftest import another_page as another_page
from tests.browser.looks import check_looks
from tests.browser.steps import expect_heading, press, sign_in
from tests.flows.conftest import World
from tests.flows.person import Person
from tests.flows.two_servers import Here
from tests.flows.two_servers import here as here
from tests.flows.world import add_person

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.parametrize("issuer", ["/tenant/one"], indirect=True),
]
SCOPES = ("openid", "profile", "email")
BUTTON = "Continue with The other instance"


@pytest.fixture
def client(app: Flask, here: Here) -> dict[str, str]:
    """Return what this server is at the other instance, with two redirect URIs."""
    metadata = client_metadata.parse(
        {
            "client_name": "Here",
            "redirect_uris": [f"{here.issuer}/login/callback/{name}" for name in ("there", "two")],
            "grant_types": ["authorization_code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": " ".join(SCOPES),
        }
    )
    with app.app_context():
        made, issued = admissions.create(metadata, by=SERVER, allowed=SCOPES)
        db.session.commit()
        return {"client_id": made.client_id, "client_secret": issued.client_secret}


@pytest.fixture
def there(here: Here, world: World, client: dict[str, str]) -> str:
    """Hold the other instance as a provider under two names; return its button."""
    titles = {"there": "The other instance", "two": "The same by another name"}
    with here.app.app_context():
        key = here.app.extensions["gatewright.keys"]["identity providers"]
        for name, title in titles.items():
            draft = Draft(issuer=world.issuer, title=title, **client)
            identity_providers.create(name, draft, key, by=SERVER)
        db.session.commit()
    return BUTTON


def test_an_operator_makes_a_provider_and_tries_it_before_people_use_it(
    page: Page, another_page: Callable[[], Page], here: Here, world: World, client: dict[str, str]
) -> None:
    page.goto(f"{here.issuer}/admin/identity-providers/new")
    sign_in(page, here.admin)
    expect_heading(page, "New identity provider")
    check_looks(page)
    fill(page, f"{world.issuer}/", client)
    expect(page.get_by_text(SLASH).first).to_be_visible()
    fill(page, world.issuer, client)
    expect_heading(page, "there")
    press(page, "Test sign-in")
    come_from_there(page, world.person)
    expect(page.get_by_text("An account would be made and signed in.")).to_be_visible()
    expect(page.get_by_text(world.person.user_id, exact=True)).to_be_visible()
    check_looks(page)

    # Somebody comes for the first time.
    newcomer = another_page()
    come_in(newcomer, here)
    check_looks(newcomer)
    press(newcomer, BUTTON)
    come_from_there(newcomer, world.person, asks=False)
    expect(newcomer.get_by_text(world.person.email)).to_be_visible()

    # Whoever has an account links it, and comes in by it.
    owner, other = add_person(here.app, "owner@example.org", "viewer"), another_page()
    come_in(other, here, "?next=/account/identities")
    sign_in(other, owner)
    check_looks(other)
    press(other, "Link The other instance")
    come_from_there(other, world.approver)
    expect(other.get_by_role("button", name="Unlink")).to_be_visible()
    check_looks(other)
    other.context.clear_cookies(domain="localhost")
    come_in(other, here)
    press(other, BUTTON)
    expect(other.get_by_text(owner.email)).to_be_visible()


def test_no_wrong_way_back_signs_anybody_in(
    page: Page, here: Here, world: World, there: str
) -> None:
    answers = kept_back(page, world)
    come_in(page, here)
    press(page, there)
    come_from_there(page, world.person)
    first = answer_of(page, answers)

    # Another provider's redirect URI, another issuer's answer; each uses the state up.
    page.goto(first.replace("/callback/there?", "/callback/two?"))
    expect(page.get_by_text(foreign_id_tokens.FAILED)).to_be_visible()
    check_looks(page)
    press(page, there)
    page.goto(answer_of(page, answers).replace("iss=", "iss=https%3A%2F%2Fevil.example%2F"))
    expect(page.get_by_text(foreign_id_tokens.FAILED)).to_be_visible()

    # A state that was answered already.
    press(page, there)
    right = answer_of(page, answers)
    page.unroute_all()
    page.goto(right)
    expect(page.get_by_text(world.person.email)).to_be_visible()
    press(page, "Sign out")
    page.goto(right)
    expect(page.get_by_text(foreign_id_tokens.FAILED)).to_be_visible()

    # An account that is disabled, and one that somebody else has under the same address.
    disable(here, world.person)
    press(page, there)
    expect(page.get_by_text(foreign_id_tokens.FAILED)).to_be_visible()
    add_person(here.app, world.approver.email, "admin")
    page.context.clear_cookies(domain="127.0.0.1")
    press(page, there)
    come_from_there(page, world.approver)
    expect(page.get_by_text(OWNED)).to_be_visible()
    assert reasons(here)[:1] == [sign_in_attempts.MIXED_UP]
    assert len(reasons(here)) == 5


def fill(page: Page, issuer: str, client: dict[str, str]) -> None:
    """Fill in the form of a provider, and send it."""
    page.get_by_label("Name", exact=True).fill("there")
    page.get_by_role("textbox", name="Title").fill("The other instance")
    page.get_by_label("Issuer", exact=True).fill(issuer)
    page.get_by_label("client_id", exact=True).fill(client["client_id"])
    page.get_by_label("Client secret", exact=True).fill(client["client_secret"])
    press(page, "Create provider")


def come_in(page: Page, here: Here, query: str = "") -> None:
    """Open the sign-in page."""
    page.goto(f"{here.issuer}/login{query}")
    expect_heading(page, "Sign in")


def come_from_there(page: Page, person: Person, *, asks: bool = True) -> None:
    """Sign in at the other instance, and let this one know who it is."""
    expect(page.get_by_text("to continue to Here")).to_be_visible()
    sign_in(page, person)
    if asks:
        expect_heading(page, "use your account?")
        press(page, "Allow")


def kept_back(page: Page, world: World) -> list[str]:
    """Keep answers of the other instance from reaching this server; return where they are put."""
    found: list[str] = []

    def keep(route: Any) -> None:
        answer = route.fetch(max_redirects=0)
        location = answer.headers.get("location", "")
        if "/login/callback/" in location:
            found.append(location)
            route.fulfill(body="kept back")
        else:
            route.fulfill(response=answer)

    for path in ("consent", "authorize"):
        page.route(f"{world.issuer}/{path}?*", keep)
    return found


def answer_of(page: Page, answers: list[str]) -> str:
    """Return the answer that was kept back last."""
    expect(page.get_by_text("kept back")).to_be_visible()
    return answers[-1]


def disable(here: Here, person: Person) -> None:
    """Disable the account that somebody has here."""
    with here.app.app_context():
        user = users.find_by_email(person.email)
        assert user is not None
        users.disable(user, by=SERVER)
        db.session.commit()


def reasons(here: Here) -> list[str]:
    """Return why sign-ins failed, the first one first."""
    with here.app.app_context():
        failed = db.select(AuditEvent).where(AuditEvent.tag == Tag.USER_SIGN_IN_FAILED)
        return [
            each.detail["reason"] for each in db.session.scalars(failed.order_by(AuditEvent.id))
        ]
