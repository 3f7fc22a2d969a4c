"""Clients to acquire tokens as, and what the pages of a test show."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.config import current_key
from app.domain import admissions, assertion_secrets, client_metadata
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.conftest import Send
from tests.console.markup import controls, texts

PAGE = "/admin/acquire/"
ALONE = f"{PAGE}client-credentials"
ONE = "https://one.example/"
CALLBACK = "http://127.0.0.1:33418/cb?app=it's"

Make = Callable[..., SimpleNamespace]


@pytest.fixture
def make(app: Flask, catalogue: None, signing_key: None) -> Make:
    """Return a function that makes a client by hand; gives its identifiers and its secret."""

    def create(
        *grants: str, allowed: tuple[str, ...] = ("tools",), **metadata: Any
    ) -> SimpleNamespace:
        wanted = {"client_name": "Robot", "grant_types": list(grants), **metadata}
        with app.app_context():
            client, issued = admissions.create(
                client_metadata.parse(wanted), by=SERVER, allowed=allowed
            )
            assertion_secrets.seal(client, issued.client_secret, current_key("client secrets"))
            db.session.commit()
            return SimpleNamespace(
                client_id=client.client_id,
                software_id=client.software_id,
                secret=issued.client_secret,
            )

    return create


@pytest.fixture
def robot(make: Make) -> SimpleNamespace:
    """Return a service that may use tools."""
    return make("client_credentials")


@pytest.fixture
def desktop(make: Make) -> SimpleNamespace:
    """Return a native app that may use tools and stay connected."""
    return make(
        "authorization_code",
        "refresh_token",
        allowed=("tools", "openid", "offline_access"),
        redirect_uris=[CALLBACK],
        token_endpoint_auth_method="none",
    )


@pytest.fixture
def alone(approver: FlaskClient, send: Send, robot: SimpleNamespace) -> Callable[..., str]:
    """Return a function that gets a token for the robot itself; gives the page."""

    def acquire(**typed: str) -> str:
        form = {"client_id": robot.client_id, "proof": robot.secret, "resource": ONE}
        return send(approver, ALONE, **form | typed).text

    return acquire


def token_of(page: str) -> str:
    """Return the access token that a page lets its reader copy."""
    [button] = controls(page, "button", **{"data-copied": "Access token copied"})
    return button["data-copy"]


def held(page: str, button: str) -> dict[str, str]:
    """Return what the button of these words sends by itself, and where to."""
    for part in page.split("<button")[1:]:
        tag, _, words = part.partition(">")
        if texts(words.split("</button>")[0]) == button:
            return controls(f"<button{tag}>", "button")[0]
    raise AssertionError(f"no button {button!r}")


def missing(page: str, *expected: str) -> list[str]:
    """Return the sentences that a page does not say."""
    said = texts(page)
    return [sentence for sentence in expected if sentence not in said]
