"""Owns the form with which operators change a client: scopes, redirect URIs, token lifetime."""

from typing import Any

from flask import Response, flash, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app import sectors
from app.config import current_settings
from app.console import sign_out_fields
from app.console.client_page import address_of, name_of
from app.console.forms import Form, refused, word
from app.console.pages import actor, asks_others, render_page, requires, requires_fresh
from app.domain import (
    client_locks,
    client_metadata,
    clients,
    errors,
    fapi,
    fingerprints,
    openid_metadata,
    redirect_uris,
    scopes,
    software,
)
from app.domain.client_records import Client
from app.domain.grants import LONGEST_SECONDS, SHORTEST_SECONDS
from app.extensions import db

NEW_SUBJECTS = (
    "This is another host. Everybody who uses the app would come to it as a stranger; tick the box"
    " below if that is wanted."
)


@requires_fresh("admin")
def edit_client(client_id: str) -> Response:
    """Show what can be changed."""
    client = clients.get(client_id)
    return show_form(client, in_force(client), Form(), [])


@requires_fresh("admin", keeps=True)
@asks_others
def save_client(client_id: str) -> BaseResponse:
    """Change the client as it was seen, or show the form again with what is wrong."""
    client = clients.get(client_id)
    if word("seen") != seen(client):
        return conflict(client)
    try:
        return change(client)
    except errors.Conflict:
        db.session.rollback()
        return conflict(clients.get(client_id))


def change(client: Client) -> BaseResponse:
    """Put in force what was typed; raises Conflict when another change came first."""
    form = Form()
    chosen = form.several("scopes", software.get(client.software_id).scopes)
    follows = "follows" in request.form
    seconds = form.number(
        "access_token_seconds", "The lifetime of access tokens", SHORTEST_SECONDS, LONGEST_SECONDS
    )
    verdicts = judge(client)
    uris = tuple(uri for uri, _ in verdicts)
    check_uris(client, verdicts, form)
    logout = sign_out_fields.typed(client.client_metadata.get("application_type", ""), form)
    if form.faults:
        values = {
            "follows": follows,
            "scopes": chosen,
            "redirect_uris": request.form.get("redirect_uris", ""),
            **sign_out_fields.sent(),
            "access_token_seconds": request.form.get("access_token_seconds", ""),
            "pkce_optional": "pkce_optional" in request.form,
            "fapi2": "fapi2" in request.form,
            "new_subjects": "new_subjects" in request.form,
        }
        return show_form(client, values, form, verdicts)
    if word("seen") != seen(client):  # a sector took its time to answer
        raise errors.Conflict("The client has changed meanwhile; look at it again.")

    clients.edit(
        client,
        by=actor(),
        scopes=None if follows else chosen,
        redirect_uris=uris,
        logout=logout if signs_in(client) else None,
        access_token_seconds=seconds,
        pkce_optional="pkce_optional" in request.form,
        fapi2="fapi2" in request.form,
    )
    db.session.commit()
    flash("The client is changed; it takes effect with its next request.", "success")
    return redirect(address_of(client), 303)


@requires("admin")
def check_redirect_uris() -> Response:
    """Say of each typed redirect URI whether it may be registered; nothing changes."""
    kind = request.form.get("kind", "")
    return render_page("_uri_verdicts.html", verdicts=verdicts_of(kind))


def judge(client: Client) -> list[tuple[str, str]]:
    """Return the typed redirect URIs, each with what is wrong with it."""
    return verdicts_of(client.client_metadata.get("application_type", ""))


def verdicts_of(application_type: str) -> list[tuple[str, str]]:
    """Return the typed redirect URIs, once each, with what is wrong with it or nothing."""
    schemes = frozenset(current_settings().private_use_schemes)
    found = []
    for uri in dict.fromkeys(request.form.get("redirect_uris", "").split()):
        fault = ""
        try:
            redirect_uris.validate(
                uri, private_use_schemes=schemes, native_hint=application_type != "web"
            )
        except errors.InvalidRedirectURI as refusal:
            fault = str(refusal.description)
        found.append((uri, fault))
    return found


def check_uris(client: Client, verdicts: list[tuple[str, str]], form: Form) -> None:
    """Note what is wrong with the redirect URIs as a whole."""
    if any(fault for _, fault in verdicts):
        form.faults["redirect_uris"] = "Some redirect URIs cannot be registered; see each below."
    elif len(verdicts) > client_metadata.REDIRECT_URIS:
        form.faults["redirect_uris"] = "A client may have at most 32 redirect URIs."
    elif signs_in(client) and not verdicts:
        form.faults["redirect_uris"] = "A client that signs people in needs a redirect URI."
    elif not form.faults:
        with form.blaming("redirect_uris"):
            check_sector(client, [uri for uri, _ in verdicts])


def check_sector(client: Client, uris: list[str]) -> None:
    """Refuse redirect URIs that the sector of a client does not know, or that would be another."""
    before, after = client.client_metadata, {**client.client_metadata, "redirect_uris": uris}
    if before.get("redirect_uris") == uris:
        return
    openid_metadata.check_sector(after)
    if openid_metadata.notes(before, after) and "new_subjects" not in request.form:
        raise errors.InvalidRedirectURI(NEW_SUBJECTS)
    sectors.check(after)


def in_force(client: Client) -> dict[str, Any]:
    """Return what the fields of the form hold before anybody types."""
    return {
        "follows": client.scopes is None,
        "scopes": client.scopes or [],
        "redirect_uris": "\n".join(client.client_metadata.get("redirect_uris", [])),
        **sign_out_fields.shown(client.client_metadata),
        "access_token_seconds": client.access_token_seconds,
        "pkce_optional": client.pkce_optional,
        "fapi2": client.fapi2,
        "new_subjects": False,
    }


def may_omit_pkce(client: Client) -> bool:
    """Tell whether the client could go without PKCE: it signs people in and proves itself."""
    public = client.client_metadata["token_endpoint_auth_method"] == "none"
    return signs_in(client) and not public


def signs_in(client: Client) -> bool:
    """Tell whether people are sent back to the client."""
    return "authorization_code" in client.client_metadata["grant_types"]


def seen(client: Client) -> str:
    """Return what changes with everything that the form would overwrite."""
    return fingerprints.revision(client_locks.editable(client))


def conflict(client: Client) -> Response:
    """Show the form with what is in force now, because that is not what was seen."""
    page = show_form(client, in_force(client), Form(), [], changed=True)
    page.status_code = errors.Conflict.status
    return page


def show_form(
    client: Client,
    values: dict[str, Any],
    form: Form,
    verdicts: list[tuple[str, str]],
    *,
    changed: bool = False,
) -> Response:
    """Show the form."""
    ceiling = software.get(client.software_id).scopes
    words = {scope.name: scope.description for scope in scopes.find_all()}
    page = render_page(
        "client_edit.html",
        client=client,
        name=name_of(client),
        seen=seen(client),
        changed=changed,
        values=values,
        faults=form.faults,
        verdicts=verdicts,
        scope_options=[(name, name, words.get(name)) for name in ceiling],
        sector=openid_metadata.sector_of(client.client_metadata),
        may_omit_pkce=may_omit_pkce(client),
        can_fapi2=client.fapi2 or fapi.is_able(client.client_metadata),
        has_redirects=signs_in(client),
        default_seconds=current_settings().access_token_seconds,
        bounds=(SHORTEST_SECONDS, LONGEST_SECONDS),
        client_url=address_of(client),
    )
    return refused(page, form)
