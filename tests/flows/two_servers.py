"""This server beside the other instance, and the MCP server behind that one."""

import json
import shutil
from collections.abc import Callable, Iterator
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
from app.outbound import upstream
from app.outbound.discovery import INITIALIZE
from app.outbound.walks import POSTED
from tests.conftest import SECRET_KEY
from tests.flows.conftest import World
from tests.flows.person import Browser, Person
from tests.flows.world import add_person
from tests.services.gunicorn import Server
from tests.services.process import free_port

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
    serve(port=port, workers=2, **values)
    app = create_app(load(secret_key=SECRET_KEY, data_dir=tmp_path, **values))
    yield Here(values["issuer"], app, add_person(app, "olga@example.org", "admin"))
    with app.app_context():
        db.engine.dispose()


def approve(world: World, asked: str) -> None:
    """Let an approver of the other instance approve what asks there."""
    with Browser() as approver:
        approver.open(f"{world.issuer}/login")
        world.approver.sign_in(approver)
        approver.open(asked)
        approver.press("Approve")


def ask_tool(world: World, token: str) -> httpx2.Response:
    """Begin with the MCP server as its clients do."""
    headers = {**POSTED, "Authorization": f"Bearer {token}"}
    return httpx2.post(world.resource, headers=headers, content=INITIALIZE)


def whose_notes(world: World, token: str) -> dict[str, str]:
    """Call the tool of the MCP server."""
    session = ask_tool(world, token).headers["mcp-session-id"]
    headers = {**POSTED, "Authorization": f"Bearer {token}", "mcp-session-id": session}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    httpx2.post(world.resource, headers=headers, json=ready).raise_for_status()
    wanted = {"name": "whose_notes", "arguments": {}}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": wanted}
    answer = httpx2.post(world.resource, headers=headers, json=call).text
    (line,) = [each for each in answer.splitlines() if each.startswith("data: {")]
    return json.loads(json.loads(line[6:])["result"]["content"][0]["text"])


def expire(here: Here) -> None:
    """Let the tokens of all grants be old ones."""
    with here.app.app_context():
        past = {"expires_at": 1, "authorized_at": 1, "refreshed_at": None}
        db.session.execute(update(ConnectionGrant).values(past))
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
