"""What a story starts from: a resource with its scope, and the people, made through the verbs."""

from flask import Flask

from app.domain import admissions, client_metadata, resources, scopes, users
from app.domain.audit import SERVER
from app.extensions import db
from tests.flows.person import Person

SCOPE = "notes:read"
SCOPE_TITLE = "Read your notes"
PASSWORD = "a sentence that nobody guesses"


def add_person(app: Flask, email: str, role: str) -> Person:
    """Make an account."""
    with app.app_context():
        hasher = app.extensions["gatewright.passwords"]
        user = users.create(email, role, PASSWORD, hasher, by=SERVER)
        db.session.commit()
        return Person(user.id, user.email, PASSWORD)


def add_resource(app: Flask, uri: str) -> dict[str, str]:
    """Put a resource into the catalogue; return what its server needs to introspect tokens."""
    with app.app_context():
        scopes.create(SCOPE, SCOPE_TITLE, by=SERVER, risk="medium")
        resources.create(uri, "Notes", [SCOPE], by=SERVER)
        metadata = client_metadata.parse(
            {
                "client_name": "Notes server",
                "grant_types": ["client_credentials"],
                "token_endpoint_auth_method": "client_secret_basic",
            }
        )
        client, issued = admissions.create(metadata, by=SERVER, allowed=[], introspects=[uri])
        db.session.commit()
        return {
            "client_id": client.client_id,
            "client_secret": issued.client_secret,
            "resource": uri,
        }
