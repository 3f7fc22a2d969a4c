"""Owns the form of identity providers: what is typed, every fault beside its field, discovery."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Response, request

from app import provider_uses
from app.console.connection_form import secret, text
from app.console.forms import Form, refused
from app.console.pages import render_page
from app.domain import errors, identity_providers
from app.domain.identity_provider_drafts import Draft
from app.domain.identity_providers import Provider
from app.extensions import db
from app.outbound import discovery

LABELS = {
    "name": "The name",
    "issuer": "The issuer",
    "client_id": "The client_id",
    "client_secret": "The client secret",
    "scope": "The scope",
    "allowed_domains": "The allowed domains",
    "title": "The title",
    "name_claim": "The claim of the name",
    "email_claim": "The claim of the e-mail address",
    "groups_claim": "The claim of the groups",
    "group_roles": "The roles of groups",
}
SWITCHES = ("makes_accounts", "links_by_email", "signs_out", "vouches", "enabled")


def draft() -> Draft:
    """Return the provider as it was typed."""
    words = {member: text(member) for member in LABELS if member not in ("name", "client_secret")}
    switches = {member: member in request.form for member in SWITCHES}
    return Draft(client_secret=secret("client_secret"), **words, **switches)  # type: ignore[arg-type]


@contextmanager
def blaming_members(form: Form) -> Iterator[None]:
    """Turn faults of members inside the block into those of their fields."""
    try:
        yield
    except errors.InvalidMembers as refusal:
        db.session.rollback()
        for member, what in refusal.faults.items():
            form.faults[member] = f"{LABELS[member]} {what}."


def check_issuer(form: Form, issuer: str) -> None:
    """Look for the provider; why it is not used is the fault of the issuer."""
    db.session.rollback()
    found = discovery.discover_provider(provider_uses.outbound(), issuer)
    if found.server is None:
        form.faults["issuer"] = found.obstacle


def show_new(form: Form) -> Response:
    """Show the form of a new provider with what was typed, the secret left out."""
    typed: Mapping[str, Any] = request.form or identity_providers.told(Draft())
    where = provider_uses.redirect_uri("")
    page = render_page("provider_new.html", faults=form.faults, typed=typed, redirect_uri=where)
    return refused(page, form)


def show_edit(provider: Provider, form: Form) -> Response:
    """Show the form of what can be changed of a provider."""
    typed: Mapping[str, Any] = request.form or identity_providers.told(provider.draft)
    page = render_page("provider_edit.html", provider=provider, faults=form.faults, typed=typed)
    return refused(page, form)
