"""Owns the form of each kind of test on the page Acquire: what it asks, and reading it."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response, request, url_for

from app import clock
from app.config import current_settings
from app.console.explanations import obstacles
from app.console.forms import Form, refused, word
from app.console.pages import render_page
from app.console.simulator import EXAMPLE, written
from app.domain import client_lists, client_records, client_texts, generations, resources
from app.domain.client_lists import Filters
from app.domain.client_records import ClientRecord
from app.domain.signing_keys import LONGEST_TOKEN

LATEST = 10
SCOPE_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of test: what it is called and does, where its form goes, and its fields."""

    label: str
    lede: str
    endpoint: str
    button: str
    fields: tuple[str, ...]


KINDS = {
    "client_credentials": Kind(
        "Client credentials",
        "The client asks for a token of its own; no person is there.",
        "acquire.acquire_alone",
        "Get a token",
        ("proof", "scope", "resource"),
    ),
    "authorization_code": Kind(
        "Authorization code",
        "A person allows it in the browser: you. With PKCE, state and nonce.",
        "acquire.begin_code",
        "Make the authorization request",
        ("redirect_uri", "scope", "resource"),
    ),
    "refresh_token": Kind(
        "Refresh",
        "A refresh token is exchanged for new tokens. It is used up by that.",
        "acquire.refresh",
        "Refresh",
        ("refresh_token", "proof", "scope", "resource"),
    ),
    "introspect": Kind(
        "Introspect",
        "The client asks whether a token works, as a resource server does.",
        "acquire.introspect",
        "Introspect",
        ("token", "proof"),
    ),
    "revoke": Kind(
        "Revoke",
        "The client ends one of its tokens. A refresh token ends with its whole family.",
        "acquire.revoke",
        "Revoke",
        ("token", "proof"),
    ),
    "register": Kind(
        "Registration",
        "A client registers, as a stranger or with an initial access token. What comes of it is"
        " real: it is stored, and it waits or works like every other one.",
        "acquire.register",
        "Register",
        ("metadata", "initial_access_token"),
    ),
}


def show_form(kind: str, form: Form) -> Response:
    """Show the form of a kind with what was typed, except credentials; first a client is chosen."""
    needs_client = kind != "register"
    client = chosen_client() if needs_client else None
    if word("client_id") and client is None and needs_client:
        form.faults["client_id"] = "There is no client with this identifier."
    values = {name: word(name) for name in ("client_id", "scope", "resource", "redirect_uri")}
    values["metadata"] = request.form.get("metadata", written(EXAMPLE))
    page = render_page(
        "acquire.html",
        kind=kind,
        shown=KINDS[kind],
        tabs=tabs(kind),
        client=client,
        standing=client.standing(clock.epoch()).value if client is not None else "",
        stops=obstacles(client, kind, values["scope"], values["resource"]) if client else [],
        values=values,
        faults=form.faults,
        resources=resource_options(),
        latest=client_lists.find_page(Filters(), size=LATEST)
        if needs_client and client is None
        else [],
    )
    return refused(page, form)


def tabs(current: str) -> list[tuple[str, str, bool]]:
    """Return the kinds, what this server gets itself, and the inspector; they keep the client."""
    chosen = word("client_id") or None
    found = [
        (kind.label, url_for("acquire.show_acquire", kind=name, client_id=chosen), name == current)
        for name, kind in KINDS.items()
    ]
    return [
        *found,
        ("This server", url_for("acquire_own.show_own"), current == "own"),
        ("JWT inspector", url_for("acquire.inspect_token"), current == "inspect"),
    ]


def resource_options() -> list[tuple[str, str]]:
    """Return the resources that a test may name."""
    default = current_settings().resource
    known = [(row.uri, f"{row.name} ({row.uri})") for row in resources.find_all()]
    return [("", f"none; that is {default}, or what was granted"), *known]


def chosen_client() -> ClientRecord | None:
    """Return the client that the form or the address names, deleted ones included."""
    return find(word("client_id"))


def find(client_id: str) -> ClientRecord | None:
    """Return a client as the endpoints see it now."""
    return client_records.look_up(client_id, generations.read()["clients"])


def scope_of(form: Form) -> str:
    """Return the scopes that were typed, separated by single spaces."""
    typed = request.form.get("scope", "")[:SCOPE_LENGTH]
    return form.tried("scope", lambda: client_texts.scope("The scope", typed)) or ""


def resource_of(form: Form) -> str:
    """Return the resource that was chosen, empty for none."""
    return form.choice("resource", "The resource", (uri for uri, _ in resource_options()))


def redirect_uri_of(form: Form, client: ClientRecord | None) -> str:
    """Return the chosen one of the redirect URIs that a client registered."""
    registered: Iterable[str] = client.redirect_uris if client is not None else ()
    if not registered:
        form.faults["redirect_uri"] = "The client has no redirect URI; add one on its page."
        return ""
    return form.choice("redirect_uri", "The redirect URI", registered)


def secret(name: str) -> str:
    """Return a credential that was typed or pasted; it is never shown again."""
    return request.form.get(name, "").strip()[:LONGEST_TOKEN]


def required(form: Form, name: str, label: str) -> str:
    """Return a credential that must be there."""
    found = secret(name)
    if not found:
        form.faults[name] = f"{label} is missing."
    return found
