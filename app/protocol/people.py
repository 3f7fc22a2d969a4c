"""Owns what the pages of the machine door show about a client, a redirect and a person."""

from collections.abc import Mapping
from typing import Any

from flask import url_for

from app import browser_session, views
from app.config import current_settings
from app.domain import client_pages, consents, redirect_uris, software, software_logos, users
from app.domain.audit import Actor
from app.domain.client_pages import Page
from app.domain.client_records import Client, ClientRecord
from app.domain.users import User
from app.extensions import db
from app.protocol import caller

UNWELCOME = "This app takes no new people for now; ask the operators of this server."


def user_actor(user: User) -> Actor:
    """Return a signed-in person as the actor."""
    kind = "operator" if users.may(user, "viewer") else "user"
    return caller.actor(kind, user.id, user.email)


def describe(client: ClientRecord, redirect_uri: str | None) -> dict[str, Any]:
    """Describe who asks, in the way the pages show it; a device has no redirect URI."""
    row = db.session.get(Client, client.client_id)
    approved, is_document = client.software_status == "approved", client.source == "cimd"
    return {
        "name": client.name or client.client_id,
        "client_id": client.client_id,
        "logo_url": logo_url(client.software_id, row.client_metadata) if row is not None else None,
        "target": redirect_uris.describe(redirect_uri) if redirect_uri else {"kind": "device"},
        "approved_by": client.decided_by if approved else None,
        "approved_at": views.instant(client.decided_at) if approved else None,
        "document_host": redirect_uris.host_of(client.client_id) if is_document else None,
        "registered_at": views.instant(row.created_at) if row is not None else None,
    }


def logo_url(software_id: str, metadata: Mapping[str, Any]) -> str | None:
    """Return where the logo beside the name is, if an operator lets people see it."""
    digest = software_logos.digest_for(software_id, metadata)
    return None if digest is None else url_for("logos.show_logo", digest=digest)


def pages_of(client: ClientRecord) -> list[Page]:
    """Return what an app writes about itself, as its software was approved."""
    return client_pages.of(software.get(client.software_id).client_metadata, client.client_id)


def local_path(path: str) -> str | None:
    """Return a path of this server that a browser may be sent to, or None for anything else."""
    printable = all("!" <= character <= "~" for character in path)
    if not printable or not path.startswith("/") or path.startswith("//") or "\\" in path:
        return None
    return path


def signed_in() -> User | None:
    """Return who is signed in."""
    return browser_session.current_user()


def is_welcome(user_id: str, client: ClientRecord) -> bool:
    """Tell whether a person may use an app, which may take no newcomers."""
    return client.takes_newcomers or consents.knows(user_id=user_id, client_id=client.client_id)


def contact_sentence() -> str:
    """Say whom to ask."""
    contact = current_settings().contact
    return f"Ask {contact} if you need it."
