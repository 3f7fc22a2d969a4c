"""A connection to a real MCP server behind another instance: from its URL to its end."""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from flask import Flask
from sqlalchemy import update

from app import create_app, grant_tokens, upstream_uses
from app.config import load
from app.domain import connection_grants, connections
from app.domain.connection_grants import SERVICE, ConnectionGrant
from app.extensions import db
from app.outbound import calls, upstream
from app.outbound.calls import Access, Call
from app.outbound.discovery import INITIALIZE
from app.outbound.upstream_trials import ANEW
from app.outbound.walks import POSTED
from tests.conftest import SECRET_KEY
from tests.flows.conftest import World
from tests.flows.person import Browser, Person
from tests.flows.world import SCOPE, add_person
from tests.services.gunicorn import Server
from tests.services.process import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.parametrize("issuer", ["/tenant/one"], indirect=True),
]
AUTHORIZE = "Authorize for this server"


@dataclass(frozen=True)
class Here:
    """This server, beside the other instance; ``app`` is over its database."""

    issuer: str
    app: Flask
    admin: Person

    def tokens(self) -> grant_tokens.GrantTokens:
        """Return where tokens of this server itself come from."""
        with self.app.app_context():
            row_id = connections.get("notes").id
            return grant_tokens.of(row_id, SERVICE, upstream_uses.outbound())

    def grant(self) -> Any:
        """Return the grant of this server itself."""
        with self.app.app_context():
            return connection_grants.find(connections.get("notes").id, SERVICE)


@pytest.fixture
def here(
    world: World, sqlite_template: Path, tmp_path: Path, serve: Callable[..., Server]
) -> Iterator[Here]:
    """Run this server; by another name of this machine, so that its cookies are its own."""
    shutil.copyfile(sqlite_template, tmp_path / "here.db")
    port = free_port()
    values = {
        "issuer": f"http://localhost:{port}",
        "database_url": f"sqlite:///{tmp_path / 'here.db'}",
        "outbound_allow": ",".join(urlsplit(url).netloc for url in (world.issuer, world.resource)),
    }
    serve(port=port, **values)
    app = create_app(load(secret_key=SECRET_KEY, data_dir=tmp_path, **values))
    yield Here(values["issuer"], app, add_person(app, "olga@example.org", "admin"))
    with app.app_context():
        db.engine.dispose()


def connect(here: Here, world: World, browser: Browser) -> None:
    """Go from the URL to a client that is approved there."""
    browser.open(f"{here.issuer}/login")
    here.admin.sign_in(browser)
    browser.open(f"{here.issuer}/admin/connections/new/upstream")
    browser.press("Create connection", name="notes", url=world.resource)
    found = browser.press("Look for its server")
    assert "Its authorization server is found" in found.text, found
    browser.follow("Become a client")
    page = browser.press("Become a client")
    assert "This server has a client there" in page.text, page
    asked = browser.press(AUTHORIZE).url
    with Browser() as approver:
        approver.open(f"{world.issuer}/login")
        world.approver.sign_in(approver)
        approver.open(asked)
        approver.press("Approve")


def whose_notes(world: World, token: str) -> dict[str, str]:
    """Call the tool of the MCP server."""
    headers = {**POSTED, "Authorization": f"Bearer {token}"}
    began = httpx2.post(world.resource, headers=headers, content=INITIALIZE)
    headers["mcp-session-id"] = began.headers["mcp-session-id"]
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    httpx2.post(world.resource, headers=headers, json=ready).raise_for_status()
    wanted = {"name": "whose_notes", "arguments": {}}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": wanted}
    answer = httpx2.post(world.resource, headers=headers, json=call).text
    (line,) = [each for each in answer.splitlines() if each.startswith("data: {")]
    return json.loads(json.loads(line[6:])["result"]["content"][0]["text"])


def test_a_connection_lasts_from_a_url_to_its_deletion(here: Here, world: World) -> None:
    with Browser() as browser:
        connect(here, world, browser)

        # A person allows it there; the browser comes back to the connection.
        browser.open(f"{here.issuer}/admin/connections/")
        home = browser.follow("notes").url
        browser.press(AUTHORIZE)
        world.person.sign_in(browser)
        assert browser.press("Allow").url == home
        assert SCOPE in browser.page.text
        assert "It works" in browser.press("Test now").text

        # Its token opens the tool, for that person.
        first = here.tokens().token()
        assert whose_notes(world, first)["subject"] == world.person.user_id

        # It expires; ten callers cause one refresh.
        expire(here)
        with ThreadPoolExecutor(10) as threads:
            renewed = set(threads.map(lambda _: here.tokens().token(20), range(10)))
        assert len(renewed) == 1
        assert renewed != {first}
        assert here.grant().version == 2
        assert whose_notes(world, *renewed)["subject"] == world.person.user_id

        # A token that the API refuses is replaced, and the call goes again.
        spoil(here)
        call = Call(world.resource, "POST", POSTED, INITIALIZE)
        with here.app.app_context():
            access = Access(upstream_uses.outbound().stranger, here.tokens(), "X-User")
        assert calls.make(access, call).status == 200
        assert here.grant().version == 3

        # Ended there, it is to be authorized anew.
        end_there(here)
        browser.open(home)
        assert ANEW.sentence in browser.press("Test now").text
        browser.open(home)
        assert "or that has ended" in browser.page.text
        assert browser.press(AUTHORIZE).url == home, "what a person allowed before is not asked"
        assert "It works" in browser.press("Test now").text

        # Deleted, it leaves nothing there.
        browser.open(home)
        page = browser.press("Delete", confirm_name="notes")
        assert "The connection is deleted" in page.text
        assert "could not" not in page.text


def expire(here: Here) -> None:
    """Let the token of the grant be an old one."""
    with here.app.app_context():
        db.session.execute(update(ConnectionGrant).values(expires_at=1, authorized_at=1))
        db.session.commit()


def spoil(here: Here) -> None:
    """Revoke the access token where it came from, and only that."""
    token = here.tokens().token()
    with here.app.app_context():
        used = upstream_uses.opened(connections.get("notes"))
        told = upstream.revoke(
            upstream_uses.outbound(), used.server, used.login(""), access_token=token
        )
    assert [each.failure for each in told] == [""]


def end_there(here: Here) -> None:
    """Revoke the refresh token where it came from."""
    found = here.tokens().current()
    told = upstream.revoke(
        here.app.extensions["gatewright.outbound"],
        found.used.server,
        found.used.login(""),
        refresh_token=found.tokens.refresh_token,
    )
    assert [each.failure for each in told] == [""]
