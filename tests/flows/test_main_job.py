"""The main job: a stranger's client registers, is approved by a person, and uses a tool."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.flows.conftest import World
from tests.flows.person import Browser, Page
from tests.flows.python_client import AccessDeniedError
from tests.flows.typescript_client import TypescriptError
from tests.flows.world import SCOPE_TITLE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
Install = Callable[[], Any]
Open = Callable[[], Browser]


class NobodyThereError(Exception):
    """Raised by a visit when no person is at the browser."""


def nobody(_url: str) -> None:
    """Be away: whatever needs a person does not happen."""
    raise NobodyThereError


def waits(page: Page) -> bool:
    """Tell whether this is the waiting page."""
    return page.status == 200 and "has to approve" in page.text


def asks_to_sign_in(page: Page) -> bool:
    """Tell whether this is the sign-in page."""
    return any("Sign in" in form.buttons and "password" in form.typed for form in page.forms)


def has_arrived(page: Page) -> bool:
    """Tell whether the browser was sent to the client."""
    return page.text == "You can close this window"


def approve_in_console(world: World, browser: Browser, name: str, host: str) -> None:
    """Approve as an operator would: find the software in the queue, look at it, approve."""
    assert asks_to_sign_in(browser.open(f"{world.issuer}/admin/registrations/")), browser.page
    world.approver.sign_in(browser)
    page = browser.follow(name)
    assert host in page.text, page
    page = browser.press("Approve")
    assert world.approver.email in page.text, page
    assert any("Stop" in form.buttons for form in page.forms), page


def reject_in_console(world: World, browser: Browser, name: str) -> None:
    """Reject as an operator would, with a reason."""
    browser.open(f"{world.issuer}/admin/registrations/")
    world.approver.sign_in(browser)
    browser.follow(name)
    page = browser.press("Reject", reason="Nobody here knows it.")
    assert "Nobody here knows it." in page.text, page


def approve_in_place(world: World, browser: Browser, url: str) -> None:
    """Approve as a signed-in approver on the waiting page itself."""
    browser.open(f"{world.issuer}/login")
    world.approver.sign_in(browser)
    assert waits(browser.open(url)), browser.page
    browser.press("Approve")


def sign_in_and_allow(world: World, browser: Browser, host: str) -> None:
    """Sign in, look at the consent page, and allow."""
    world.person.sign_in(browser)
    page = browser.page
    assert page.status == 200, page
    assert f"Listens at {host}" in page.text, page
    assert SCOPE_TITLE in page.text, page
    assert f"Notes {world.resource}" in page.text, page
    assert world.person.email in page.text, page
    assert has_arrived(browser.press("Allow"))


def revoke_refresh_token(world: World, client: Any) -> None:
    """Revoke as the client would on sign-out (RFC 7009), with its own way of authentication."""
    known, token = client.information, client.tokens["refresh_token"]
    body, proof = {"token": token, "token_type_hint": "refresh_token"}, None
    if "client_secret" in known:
        proof = (known["client_id"], known["client_secret"])
    else:
        body["client_id"] = known["client_id"]
    answer = httpx2.post(f"{world.issuer}/revoke", data=body, auth=proof)
    assert answer.status_code == 200, answer.text


def test_a_strangers_client_waits_for_approval_and_then_uses_a_tool(
    world: World, install: Install, browser_of: Open
) -> None:
    """One story: register, wait, be approved, consent, call, refresh, revoke, log in, register."""
    client, visits = install(), []

    def first_visit(url: str) -> None:
        visits.append(url)
        browser = browser_of()
        assert waits(browser.open(url)), browser.page
        approve_in_console(world, browser_of(), client.name, client.callback.host)
        browser.reload_until(asks_to_sign_in)
        sign_in_and_allow(world, browser, client.callback.host)

    def next_visit(url: str) -> None:
        browser = browser_of()
        assert asks_to_sign_in(browser.open(url)), browser.page
        sign_in_and_allow(world, browser, client.callback.host)

    said = client.call_tool(first_visit)
    client_id = client.information["client_id"]
    assert said == {"subject": world.person.user_id, "client_id": client_id}
    assert len(visits) == 1

    # The access token runs out: the next one needs no person.
    before = client.tokens
    client.expire()
    assert client.call_tool(nobody) == said
    after = client.tokens
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert after["scope"] == before["scope"]

    # Revoked: nothing works without the person, everything does after the next login.
    revoke_refresh_token(world, client)
    with pytest.raises(NobodyThereError):
        client.call_tool(nobody)
    assert client.call_tool(next_visit) == said

    # The same software registers once more, on another port: what was approved stays approved.
    first_information, client = client.information, install()
    assert client.call_tool(next_visit)["subject"] == world.person.user_id
    assert client.information["client_id"] != first_information["client_id"]
    assert client.information.get("client_secret", "") not in first_information.values()


@pytest.mark.parametrize("settings_of_story", [{"waiting_seconds": 5}], ids=["short wait"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("issuer", ["/tenant/one"], indirect=True)
def test_a_client_that_nobody_approves_is_told_so_and_keeps_its_registration(
    world: World, install: Install, browser_of: Open
) -> None:
    client = install()

    def visit_in_vain(url: str) -> None:
        browser = browser_of()
        assert waits(browser.open(url)), browser.page
        browser.reload_until(has_arrived)

    def visit_after_approval(url: str) -> None:
        approve_in_place(world, browser_of(), url)
        browser = browser_of()
        assert asks_to_sign_in(browser.open(url)), browser.page
        sign_in_and_allow(world, browser, client.callback.host)

    with pytest.raises((AccessDeniedError, TypescriptError), match="waiting for approval"):
        client.call_tool(visit_in_vain)
    before = client.information

    assert client.call_tool(visit_after_approval)["client_id"] == before["client_id"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("issuer", ["/tenant/one"], indirect=True)
def test_a_client_that_is_rejected_ends_at_a_page_and_cannot_register_again(
    world: World, install: Install, browser_of: Open
) -> None:
    client = install()

    def visit_while_rejected(url: str) -> None:
        browser = browser_of()
        assert waits(browser.open(url)), browser.page
        reject_in_console(world, browser_of(), client.name)
        browser.reload_until(lambda page: page.status == 400 and "not active here" in page.text)
        raise NobodyThereError

    with pytest.raises(NobodyThereError):
        client.call_tool(visit_while_rejected)

    with pytest.raises(Exception, match="refused here; ask the operators"):
        install().call_tool(nobody)
