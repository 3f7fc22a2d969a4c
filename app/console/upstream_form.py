"""Owns the forms of connections that people authorize: what is typed, and becoming a client."""

from collections.abc import Sequence

from flask import Response, request

from app import connection_settings, upstream_uses
from app.console.connection_form import secret, text
from app.console.forms import Form, refused
from app.console.pages import render_page
from app.domain import connection_drafts, errors, upstreams
from app.domain.connection_drafts import AUTHORIZATION_CODE, PUBLIC, Draft
from app.domain.connection_records import DOCUMENT, GIVEN, REGISTERED, Connection
from app.outbound import failures, registration, upstream_clients, upstream_ends, upstream_logins
from app.outbound.errors import OutboundError
from app.outbound.logins import AuthMethod
from app.outbound.registration import Registered
from app.outbound.upstream_clients import Client, Way
from app.outbound.upstream_logins import Upstream
from app.outbound.upstream_metadata import ServerMetadata

METHODS: tuple[tuple[AuthMethod, str], ...] = (
    ("client_secret_basic", "client_secret_basic: the secret in HTTP Basic"),
    ("client_secret_post", "client_secret_post: the secret in the form"),
    ("private_key_jwt", "private_key_jwt: signed with the key of this server"),
    ("none", "none: a public client"),
)
UNDISCOVERED = (
    "The authorization server of this connection is not known yet; look for it on the page of the"
    " connection first."
)


def draft() -> Draft:
    """Return the connection as it was typed."""
    return Draft(
        kind=AUTHORIZATION_CODE,
        url=text("url"),
        auth_method=PUBLIC,
        scope=text("scope"),
        description=text("description"),
        expiry_buffer_seconds=connection_settings.number(text("expiry_buffer_seconds")),
    )


def show_new(form: Form) -> Response:
    """Show the form of a new connection with what was typed."""
    buffer = str(connection_drafts.BUFFER_SECONDS)
    typed = {"expiry_buffer_seconds": buffer} | request.form.to_dict()
    return refused(render_page("upstream_new.html", faults=form.faults, typed=typed), form)


def show_register(row: Connection, form: Form) -> Response:
    """Show how to become a client, with what was typed, secrets left out."""
    server_of(row)
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


def server_of(row: Connection) -> ServerMetadata:
    """Return the server that was discovered; raises Conflict without one."""
    if row.server is None:
        raise errors.Conflict(UNDISCOVERED)
    return upstream_logins.server_of(row.server)


def way_to(row: Connection) -> Way | None:
    """Return how this server becomes a client where nobody gave it one; None without a server."""
    if row.server is None:
        return None
    return upstream_clients.how(
        server_of(row), upstream_uses.profile(), own_url=upstream_uses.own_url()
    )


def become_client(
    form: Form, server: ServerMetadata, scopes: Sequence[str]
) -> upstreams.Client | None:
    """Return the client that this server has there now; faults of the form say why there is none.

    An initial access token asks for registration, also where our document would do.
    """
    token, own_url = secret("initial_access_token"), upstream_uses.own_url()
    profile = upstream_uses.profile()
    typed = given(form)
    way = upstream_clients.how(server, profile, given=typed, own_url="" if token else own_url)
    if form.faults:
        return None
    if way.kind == "impossible":
        form.faults["client_id"] = way.sentence
        return None
    if way.client is not None:
        how = GIVEN if way.kind == "given" else DOCUMENT
        made = way.client
        return upstreams.Client(made.client_id, made.auth_method, how, made.client_secret)
    return registered(form, server, scopes, token)


def given(form: Form) -> Client | None:
    """Return the client that the operators of the other server gave, if they did."""
    if not text("client_id"):
        return None
    typed = form.choice("auth_method", "The authentication method", dict(METHODS))
    method: AuthMethod = typed  # type: ignore[assignment]  # one of the choices
    return Client(text("client_id"), method, secret("client_secret"))


def registered(
    form: Form, server: ServerMetadata, scopes: Sequence[str], token: str
) -> upstreams.Client | None:
    """Register a client; a refusal is the fault of the form."""
    try:
        found = registration.register(
            upstream_uses.outbound(),
            server,
            upstream_uses.profile(),
            scopes=scopes,
            initial_access_token=token,
        )
    except OutboundError as error:
        form.faults["initial_access_token"] = " ".join(failures.of_error(error))
        return None
    if not isinstance(found, Registered):
        form.faults["initial_access_token"] = found.sentence
        return None
    return upstreams.Client(
        found.client.client_id,
        found.client.auth_method,
        REGISTERED,
        found.client.client_secret,
        registration_client_uri=found.registration_client_uri,
        registration_token=found.registration_access_token,
    )


def abandon(server: ServerMetadata, client: upstreams.Client) -> None:
    """Delete a client that was registered and cannot be kept, if that is possible."""
    if client.how == REGISTERED:
        made = Client(client.client_id, "none")
        uri, token = client.registration_client_uri, client.registration_token
        used = Upstream(server, made, (), "", 0, None, uri, token)
        upstream_ends.unregister(upstream_uses.outbound(), used)
