"""Registrants as tests use them: what they post, what they were given, and who decides."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.config import current_settings
from app.domain import clients, decisions, registration_modes, software
from app.domain.audit import Actor
from app.extensions import db
from tests.protocol.machines import Machine

BODY: dict[str, Any] = {
    "client_name": "Registrant",
    "redirect_uris": ["https://registrant.example/cb"],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
    "scope": "mcp:read",
}
OPERATOR = Actor("operator", "u-1", "grace@people.example")
SERVER_ONLY = (
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
)


def bearer(token: str | None) -> dict[str, str]:
    """Return the header that presents a token, or none."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def post(
    http: FlaskClient,
    body: Mapping[str, Any] = BODY,
    *,
    token: str | None = None,
    address: str = "192.0.2.1",
    **changes: Any,
) -> TestResponse:
    """Post a registration from an address; a member changed to None is left out."""
    sent = {name: value for name, value in {**body, **changes}.items() if value is not None}
    return http.post(
        "/register",
        json=sent,
        headers=bearer(token),
        environ_overrides={"REMOTE_ADDR": address},
    )


@dataclass(frozen=True)
class Registrant:
    """Somebody who registered a client and manages it."""

    http: FlaskClient
    answer: dict[str, Any] = field(repr=False)

    @property
    def client_id(self) -> str:
        """Return the identifier of the client."""
        return self.answer["client_id"]

    @property
    def token(self) -> str:
        """Return the registration access token."""
        return self.answer["registration_access_token"]

    @property
    def path(self) -> str:
        """Return the path of the client configuration endpoint of this client."""
        return f"/clients/{self.client_id}"

    @property
    def machine(self) -> Machine:
        """Return the client as it calls the other endpoints."""
        return Machine(
            self.http,
            self.client_id,
            self.answer["token_endpoint_auth_method"],
            self.answer.get("client_secret"),
            self.token,
            self.answer.get("redirect_uris", [""])[0],
        )

    def read(self) -> TestResponse:
        """Read the registration."""
        return self.http.get(self.path, headers=bearer(self.token))

    def document(self, **changes: Any) -> dict[str, Any]:
        """Return what this registrant would send as an update: the answer without our members."""
        kept = {name: value for name, value in self.answer.items() if name not in SERVER_ONLY}
        return {name: value for name, value in (kept | changes).items() if value is not None}

    def put(self, document: Any) -> TestResponse:
        """Replace the registration by a document."""
        return self.http.put(self.path, json=document, headers=bearer(self.token))

    def update(self, **changes: Any) -> TestResponse:
        """Replace the registration with members changed; None leaves one out."""
        return self.put(self.document(**changes))

    def delete(self) -> TestResponse:
        """Delete the registration."""
        return self.http.delete(self.path, headers=bearer(self.token))


def register(http: FlaskClient, **changes: Any) -> Registrant:
    """Register over HTTP; keywords change the body, or name ``token`` and ``address``."""
    response = post(http, **changes)
    assert response.status_code == 201, response.text
    return Registrant(http, response.get_json())


@dataclass(frozen=True)
class Operator:
    """Somebody who decides, by the verbs behind the console, as a console would commit them."""

    app: Flask

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Open a context of its own and commit at its end."""
        with self.app.app_context():
            yield
            db.session.commit()

    def software_id(self, registrant: Registrant, *, waiting: bool = False) -> str:
        """Return the software of a client, or that of its waiting revision."""
        with self.app.app_context():
            row = clients.get(registrant.client_id)
            found = row.pending_software_id if waiting else row.software_id
        assert found is not None
        return found

    def look(self, software_id: str) -> software.Software:
        """Return software as a page shows it; the row is not attached to anything."""
        with self.app.app_context():
            row = software.get(software_id)
            db.session.expunge(row)
        return row

    def approve(
        self, registrant: Registrant, *, waiting: bool = False, **options: Any
    ) -> software.Software:
        """Approve the software of a client as it is now."""
        seen = self.look(self.software_id(registrant, waiting=waiting))
        self.approve_as_seen(seen, **options)
        return seen

    def approve_as_seen(self, seen: software.Software, **options: Any) -> None:
        """Approve software as it was seen earlier."""
        with self.deciding():
            wanted = {"allowed": decisions.offered_scopes(software.get(seen.id))} | options
            decisions.approve(seen.id, seen.revision, by=OPERATOR, **wanted)

    def reject(self, registrant: Registrant, *, waiting: bool = False) -> None:
        """Reject the software of a client."""
        seen = self.look(self.software_id(registrant, waiting=waiting))
        with self.deciding():
            decisions.reject(seen.id, seen.revision, "not wanted", by=OPERATOR)

    def block(self, registrant: Registrant) -> None:
        """Block the software of a client."""
        with self.deciding():
            decisions.block(clients.get(registrant.client_id).software_id, "no more", by=OPERATOR)

    def suspend(self, registrant: Registrant) -> None:
        """Suspend one client."""
        with self.deciding():
            clients.suspend(clients.get(registrant.client_id), "stop", by=OPERATOR)

    def switch_mode(self, mode: str) -> None:
        """Change who may register."""
        with self.deciding():
            registration_modes.switch(mode, current_settings().registration_mode, by=OPERATOR)
