"""Owns creating a client by hand: its kind, its form, and its credentials shown once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request, url_for

from app import sectors
from app.config import current_settings
from app.console import snippets
from app.console.client_editing import verdicts_of
from app.console.client_page import address_of
from app.console.forms import Form, refused
from app.console.pages import actor, asks_others, render_page, requires_fresh
from app.domain import (
    admissions,
    client_metadata,
    client_texts,
    grant_types,
    resources,
    scopes,
    software,
)
from app.extensions import db


@dataclass(frozen=True, slots=True)
class Kind:
    """What an operator chooses first, and the metadata that follows from it."""

    label: str
    text: str
    symbol: str
    metadata: dict[str, Any]

    @property
    def signs_people_in(self) -> bool:
        """Tell whether people are redirected back to it."""
        return "authorization_code" in self.metadata["grant_types"]

    @property
    def proves_itself(self) -> bool:
        """Tell whether nobody else can be it."""
        return bool(self.metadata["token_endpoint_auth_method"] != "none")


SIGN_IN = ["authorization_code", "refresh_token"]
KINDS = {
    "web": Kind(
        "Web app",
        "Runs on a server and keeps a secret. People sign in and consent.",
        "globe",
        {
            "application_type": "web",
            "grant_types": SIGN_IN,
            "token_endpoint_auth_method": "client_secret_basic",
        },
    ),
    "native": Kind(
        "Native app or command line",
        "Runs on people's own devices and cannot keep a secret; proves itself with PKCE.",
        "device",
        {
            "application_type": "native",
            "grant_types": SIGN_IN,
            "token_endpoint_auth_method": "none",
        },
    ),
    "service": Kind(
        "Service",
        "Acts for itself: no person signs in. A job, an agent in the background, an API.",
        "server",
        {
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_basic",
        },
    ),
}

UNASKED = [
    (
        grant_types.EXCHANGE,
        "Pass on what a person allowed",
        "It is a resource, and exchanges the tokens that it is sent for those of other resources.",
    ),
    (
        grant_types.ASSERTION,
        "Rely on identity providers that vouch for people",
        "An organisation decides at its provider for whom it may act (ID-JAG).",
    ),
]
"""Grants that operators give by hand, in words."""


@requires_fresh("admin")
def new_client() -> Response:
    """Offer the kinds of clients, or show the form of one."""
    kind = request.args.get("kind", "")
    if kind not in KINDS:
        return render_page("client_kinds.html", kinds=list(KINDS.items()))
    return show_form(kind, Form(), [])


@requires_fresh("admin", keeps=True)
@asks_others
def create_client() -> Response:
    """Create the client and show its credentials, on this page and never again."""
    form = Form()
    kind = form.choice("kind", "The kind", KINDS)
    offered = offered_scopes(kind)
    name = form.text("name", "The name", client_texts.NAME_LENGTH)
    allowed = form.several("scopes", (scope.name for scope in offered))
    known = [resource.uri for resource in resources.find_all()]
    targets = None if "everywhere" in request.form else form.several("resources", known)
    if targets == ():
        form.faults["resources"] = "Choose a resource, or allow every resource."
    verdicts = verdicts_of(kind) if KINDS[kind].signs_people_in else []
    unasked = form.several("unasked", grant_types.BY_HAND) if KINDS[kind].proves_itself else ()
    metadata = parse(kind, name, [uri for uri, _ in verdicts], unasked, form)
    if form.faults:
        return show_form(kind, form, verdicts)

    client, issued = admissions.create(
        metadata,
        by=actor(),
        allowed=allowed,
        resources=targets,
        introspects=form.several("introspects", known) if kind == "service" else (),
    )
    db.session.commit()
    issuer = current_settings().issuer
    return render_page(
        "client_created.html",
        client=client,
        kind=KINDS[kind],
        name=name,
        issuer=issuer,
        secret=issued.client_secret,
        also=snippets.credentials(client, issuer, issued),
        script=snippets.script(client, issuer, issued, allowed, targets or ()),
        client_url=address_of(client),
        waits=software.get(client.software_id).status == "pending",
    )


def parse(
    kind: str, name: str, uris: list[str], unasked: Sequence[str], form: Form
) -> dict[str, object]:
    """Return the metadata by the rules of registration, or blame the field that breaks them."""
    document = {**KINDS[kind].metadata, "client_name": name, "redirect_uris": uris}
    document["grant_types"] = [*document["grant_types"], *unasked]
    rules = replace(current_settings().metadata_rules, grant_types=grant_types.ALL)
    metadata: dict[str, object] = {}
    with form.blaming("redirect_uris"):
        metadata.update(client_metadata.parse(document, rules))
    if KINDS[kind].signs_people_in and not form.faults:
        with form.blaming("sector_identifier_uri"):
            metadata.update(client_metadata.parse(document | subjects(), rules))
            sectors.check(metadata)
    return metadata


def subjects() -> dict[str, str]:
    """Return by what a client is to know people, as it was typed."""
    pairwise = "pairwise" if "pairwise" in request.form else ""
    typed = request.form.get("sector_identifier_uri", "").strip()
    return {"subject_type": pairwise, "sector_identifier_uri": typed}


def offered_scopes(kind: str) -> list[scopes.Scope]:
    """Return the scopes that make sense for a kind: a service has nobody to sign in."""
    people = KINDS[kind].signs_people_in
    return [scope for scope in scopes.find_all() if people or scope.name not in scopes.BUILT_IN]


def show_form(kind: str, form: Form, verdicts: list[tuple[str, str]]) -> Response:
    """Show the form of a kind, with what was typed."""
    sent = request.method == "POST"
    offered = offered_scopes(kind)
    defaults = [scope.name for scope in offered if scope.is_default]
    page = render_page(
        "client_new.html",
        kind=kind,
        kind_words=KINDS[kind],
        faults=form.faults,
        verdicts=verdicts,
        typed=request.form,
        scope_options=[(scope.name, scope.name, scope.description) for scope in offered],
        chosen=request.form.getlist("scopes") if sent else defaults,
        resource_options=[(row.uri, row.name, row.uri) for row in resources.find_all()],
        chosen_resources=request.form.getlist("resources"),
        introspects=request.form.getlist("introspects"),
        unasked_options=UNASKED,
        unasked=request.form.getlist("unasked"),
        everywhere=not sent or "everywhere" in request.form,
        kinds_url=url_for("clients_console.new_client"),
    )
    return refused(page, form)
