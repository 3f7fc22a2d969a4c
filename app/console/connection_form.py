"""Owns the forms of connections: what is typed, and every fault beside its field."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Response, request

from app import connection_settings
from app.console.forms import Form, refused
from app.console.pages import render_page
from app.domain import connection_drafts, connection_records, errors
from app.domain.connection_drafts import BY_KEY, Draft
from app.domain.connection_records import Connection
from app.extensions import db

LABELS = {
    "name": "The name",
    "url": "The URL",
    "token_endpoint": "The token endpoint",
    "issuer": "The issuer",
    "client_id": "The client_id",
    "auth_method": "The authentication method",
    "client_secret": "The client secret",
    "private_key": "The private key",
    "scope": "The scope",
    "resource": "The resource",
    "expiry_buffer_seconds": "The expiry buffer",
    "description": "The description",
    "registration_client_uri": "The registration_client_uri of its answer",
    "registration_token": "The registration_access_token of its answer",
}
ASKED = ("scope", "resource", "description")
METHODS = (
    ("client_secret_basic", "client_secret_basic: the secret in HTTP Basic"),
    ("client_secret_post", "client_secret_post: the secret in the form"),
    (BY_KEY, "private_key_jwt: a signed assertion, no secret"),
)


def draft() -> Draft:
    """Return the connection as it was typed."""
    return Draft(
        token_endpoint=text("token_endpoint"),
        issuer=text("issuer"),
        client_id=text("client_id"),
        auth_method=text("auth_method"),
        client_secret=secret("client_secret"),
        private_key=secret("private_key"),
        **asked(),
    )


def asked() -> dict[str, Any]:
    """Return what may be changed later, as it was typed."""
    typed: dict[str, Any] = {member: text(member) for member in ASKED}
    return typed | {
        "expiry_buffer_seconds": connection_settings.number(text("expiry_buffer_seconds"))
    }


def asked_of(row: Connection) -> dict[str, Any]:
    """Return what may be changed of a connection, as it is."""
    facts = connection_records.facts(row)
    return {member: facts[member] for member in (*ASKED, "expiry_buffer_seconds")}


def text(member: str) -> str:
    """Return what was typed in a field."""
    return request.form.get(member, "").strip()


def secret(member: str) -> str:
    """Return a secret that was pasted, but for the end of its line; it is never shown again."""
    return request.form.get(member, "").strip("\r\n")


@contextmanager
def blaming_members(form: Form) -> Iterator[None]:
    """Turn faults of members inside the block into those of their fields."""
    try:
        yield
    except errors.InvalidMembers as refusal:
        db.session.rollback()
        for member, what in refusal.faults.items():
            form.faults[member] = f"{LABELS[member]} {what}."


def show_new(form: Form) -> Response:
    """Show the form of a new connection with what was typed, secrets left out."""
    buffer = str(connection_drafts.BUFFER_SECONDS)
    typed = {"expiry_buffer_seconds": buffer, "auth_method": METHODS[0][0]} | request.form.to_dict()
    page = render_page("connection_new.html", faults=form.faults, typed=typed, methods=METHODS)
    return refused(page, form)


def show_edit(row: Connection, form: Form, typed: Mapping[str, Any]) -> Response:
    """Show the form of what a connection asks for."""
    page = render_page("connection_edit.html", row=row, faults=form.faults, typed=typed)
    return refused(page, form)


def show_secret(row: Connection, form: Form) -> Response:
    """Show the form for a new secret."""
    by_key = row.auth_method == BY_KEY
    page = render_page("connection_secret.html", row=row, by_key=by_key, faults=form.faults)
    return refused(page, form)
