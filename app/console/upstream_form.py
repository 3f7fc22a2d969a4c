"""Owns the forms of connections that people authorize: what is typed, and becoming a client."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request

from app import upstream_steps, upstream_uses
from app.console import connection_form
from app.console.connection_form import secret, text
from app.console.forms import Form, refused
from app.console.pages import render_page
from app.domain import connection_drafts, upstreams
from app.domain.connection_drafts import AUTHORIZATION_CODE, PUBLIC, Draft
from app.domain.connection_records import Connection
from app.outbound import failures, upstream_clients
from app.outbound.errors import OutboundError
from app.outbound.logins import AuthMethod
from app.outbound.upstream_clients import NO_METHOD, NO_WAY, Client, Way
from app.outbound.upstream_metadata import ServerMetadata
from app.outbound.upstream_refusals import Refused

METHODS: tuple[tuple[AuthMethod, str], ...] = (
    ("client_secret_basic", "client_secret_basic: the secret in HTTP Basic"),
    ("client_secret_post", "client_secret_post: the secret in the form"),
    ("private_key_jwt", "private_key_jwt: signed with the key of this server"),
    ("none", "none: a public client"),
)


def draft() -> Draft:
    """Return the connection as it was typed."""
    return Draft(
        kind=AUTHORIZATION_CODE,
        url=text("url"),
        auth_method=PUBLIC,
        **asked(),
    )


def asked() -> dict[str, Any]:
    """Return what may be changed later, as it was typed; the resource is discovered."""
    typed = connection_form.asked()
    del typed["resource"]
    return typed


def show_new(form: Form) -> Response:
    """Show the form of a new connection with what was typed."""
    buffer = str(connection_drafts.BUFFER_SECONDS)
    typed = {"expiry_buffer_seconds": buffer} | request.form.to_dict()
    return refused(render_page("upstream_new.html", faults=form.faults, typed=typed), form)


def show_edit(row: Connection, form: Form, typed: Mapping[str, Any]) -> Response:
    """Show the form of what a connection asks for."""
    page = render_page("upstream_edit.html", row=row, faults=form.faults, typed=typed)
    return refused(page, form)


def show_register(row: Connection, form: Form) -> Response:
    """Show how to become a client, with what was typed, secrets left out."""
    upstream_uses.server_of(row)
    typed = {"auth_method": METHODS[0][0]} | request.form.to_dict()
    page = render_page(
        "upstream_register.html",
        row=row,
        way=way_to(row),
        faults=form.faults,
        typed=typed,
        methods=METHODS,
        redirect_uri=upstream_uses.profile().redirect_uri,
    )
    return refused(page, form)


def way_to(row: Connection) -> Way | None:
    """Return how this server becomes a client where nobody gave it one; None without a server."""
    if row.server is None:
        return None
    return upstream_clients.how(
        upstream_uses.server_of(row), upstream_uses.profile(), own_url=upstream_uses.own_url()
    )


def become_client(
    form: Form, server: ServerMetadata, scopes: Sequence[str]
) -> upstreams.Client | None:
    """Return the client that this server has there now; faults say why there is none."""
    token, typed = secret("initial_access_token"), given(form)
    if form.faults:
        return None
    try:
        found = upstream_steps.become_client(
            server, scopes, given=typed, initial_access_token=token
        )
    except OutboundError as error:
        form.faults["initial_access_token"] = " ".join(failures.of_error(error))
        return None
    if not isinstance(found, Refused):
        return found
    field = "client_id" if found.sentence in (NO_WAY, NO_METHOD) else "initial_access_token"
    form.faults[field] = found.sentence
    return None


def given(form: Form) -> Client | None:
    """Return the client that the operators of the other server gave, if they did."""
    if not text("client_id"):
        return None
    typed = form.choice("auth_method", "The authentication method", dict(METHODS))
    method: AuthMethod = typed  # type: ignore[assignment]  # one of the choices
    return Client(text("client_id"), method, secret("client_secret"))
