"""An API that people authorize, and commands that may ask it; test files import the fixtures."""

import pytest

from app.clock import epoch
from app.config import current_key
from app.domain import connection_grants, connection_secrets, connections
from app.domain.connection_grants import SERVICE
from app.domain.upstream_tokens import Tokens
from app.extensions import db
from tests.conftest import ISSUER
from tests.domain.held_connections import OPERATOR
from tests.outbound.sites import OAUTH
from tests.services.gate import said as answered

SECRET, MANAGING = "c4n4ry-s3cret", "c4n4ry-rat"
ACCESS, REFRESH = "c4n4ry-access", "c4n4ry-refresh"
REDIRECT = f"{ISSUER}/connections/callback"


class There:
    """An API and its authorization server, and commands that may ask them."""

    def __init__(self, app, api, login):
        self.app, self.api, self.login = app, api, login
        self.settings = {"outbound_allow": f"{api.name},{login.name}"}
        login.describe_server(OAUTH, login.origin, revocation_endpoint=f"{login.origin}/revoke")
        login.pages["POST /register"] = answered(201, self.registration())
        login.pages["POST /revoke"] = answered(200)
        login.pages["DELETE /clients/c-1"] = answered(204, b"", "")

    def registration(self, **changes):
        """Return what the server answers to a registration."""
        return {
            "client_id": "c-1",
            "client_secret": SECRET,
            "client_secret_expires_at": 0,
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "client_secret_basic",
            "registration_client_uri": f"{self.login.origin}/clients/c-1",
            "registration_access_token": MANAGING,
        } | changes

    @property
    def words(self):
        """Return the words that make the connection."""
        return ("connection", "create", "notes", "--url", self.api.url)

    def authorize(self, refresh_token=REFRESH, lives=600):
        """Let this server have tokens there, as if somebody had authorized it."""
        with self.app.app_context():
            row = connections.get("notes")
            connection_grants.keep(
                Tokens(ACCESS, refresh_token, ("read",), epoch() + lives),
                current_key("connections"),
                connection_id=row.id,
                owner=SERVICE,
                revision=row.revision,
                by=OPERATOR,
            )
            db.session.commit()

    def secrets(self):
        """Return the client secret and the registration access token that are kept."""
        with self.app.app_context():
            row, key = connections.get("notes"), current_key("connections")
            opened = connection_secrets.secrets_of(row, key, {})
            return opened.client_secret, connection_secrets.registration_token_of(row, key)


@pytest.fixture
def there(app, api, login):
    """Return the other side."""
    return There(app, api, login)


@pytest.fixture
def made(there, said):
    """Return the other side, where this server is a client."""
    said(*there.words, **there.settings)
    return there
