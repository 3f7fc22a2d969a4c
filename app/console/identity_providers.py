"""Identity providers: where people sign in besides here, tried before anybody depends on them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import provider_uses
from app.config import current_key
from app.console import connection_form, provider_form
from app.console.forms import Form
from app.console.pages import (
    actor,
    asks_others,
    console_blueprint,
    operator,
    render_page,
    requires,
    requires_fresh,
)
from app.domain import (
    claim_mappings,
    errors,
    federation,
    foreign_id_tokens,
    foreign_jwts,
    identity_providers,
    json_objects,
)
from app.domain.identity_providers import Provider
from app.domain.sign_in_attempts import TEST
from app.extensions import db

bp = console_blueprint("identity_providers", __name__, "/identity-providers")
PAGE = "identity_providers.show_provider"
LONGEST_PASTED = 32_768
UNREADABLE = errors.InvalidRequest("This is neither an ID token nor a JSON object of claims.")


@bp.get("/")
@requires("admin")
def list_providers() -> Response:
    """Show all providers."""
    return render_page("providers.html", providers=provider_uses.find_all())


@bp.get("/new")
@requires_fresh("admin")
def new_provider() -> BaseResponse:
    """Show the form."""
    return provider_form.show_new(Form())


@bp.post("/new")
@requires_fresh("admin")
@asks_others
def create_provider() -> BaseResponse:
    """Hold a provider whose metadata are in order; no transaction is open while it is asked."""
    form, draft, name = Form(), provider_form.draft(), connection_form.text("name")
    key = current_key(provider_uses.PURPOSE)
    with provider_form.blaming_members(form):
        identity_providers.check(name, draft)
    if not form.faults:
        provider_form.check_issuer(form, draft.issuer)
    if not form.faults:
        with form.blaming("name"):
            provider_uses.check_free(name)
            identity_providers.create(name, draft, key, by=actor())
    if form.faults:
        return provider_form.show_new(form)

    db.session.commit()
    return back(name, "The provider is made; test the sign-in before you announce it.")


@bp.get("/<name>")
@requires("admin")
def show_provider(name: str) -> Response:
    """Show a provider, and what came of the last test of this operator."""
    return show(provider_uses.get(name), provider_uses.trial_of(name))


@bp.get("/<name>/edit")
@requires_fresh("admin")
def edit_provider(name: str) -> BaseResponse:
    """Show the form of what can be changed."""
    provider = provider_uses.get(name)
    identity_providers.own_row(provider)
    return provider_form.show_edit(provider, Form())


@bp.post("/<name>/edit")
@requires_fresh("admin")
def change_provider(name: str) -> BaseResponse:
    """Change everything but the issuer and the client_id."""
    form, provider = Form(), provider_uses.get(name)
    fixed = {member: getattr(provider.draft, member) for member in identity_providers.FIXED}
    draft = replace(provider_form.draft(), **fixed)
    with provider_form.blaming_members(form):
        identity_providers.change(provider, draft, current_key(provider_uses.PURPOSE), by=actor())
    if form.faults:
        return provider_form.show_edit(provider, form)

    db.session.commit()
    return back(name, "The provider is changed.")


@bp.post("/<name>/test")
@requires_fresh("admin", back=PAGE)
@asks_others
def test_sign_in(name: str) -> BaseResponse:
    """Send the operator to the provider and back; nobody is signed in."""
    provider, user_id = provider_uses.get(name), operator().id
    try:
        url = provider_uses.begin(provider, TEST, user_id=user_id)
    except errors.AccessDenied as refusal:
        db.session.rollback()
        return back(name, str(refusal.facts["reason"]), "error")

    db.session.commit()
    return provider_uses.pass_on(url, provider.title)


@bp.post("/<name>/preview")
@requires("admin")
def preview_claims(name: str) -> Response:
    """Show what pasted claims would give; nothing is believed or kept."""
    provider, pasted = provider_uses.get(name), request.form.get("pasted", "").strip()
    try:
        claims = read_claims(pasted)
    except errors.InvalidRequest as refusal:
        return show(provider, {"failure": str(refusal.description)}, pasted, status=422)
    return show(provider, {"claims": claims, "failure": ""}, pasted)


@bp.post("/<name>/remove")
@requires_fresh("admin", back=PAGE)
def remove_provider(name: str) -> BaseResponse:
    """Forget a provider and its secret, once its name was typed."""
    if request.form.get("confirm_name", "").strip() != name:
        return back(name, "The name did not match; nothing was removed.", "error")

    identity_providers.remove(provider_uses.get(name), by=actor())
    db.session.commit()
    flash("The provider is removed.", "success")
    return redirect(url_for("identity_providers.list_providers"), 303)


def read_claims(pasted: str) -> Mapping[str, Any]:
    """Return the claims of an ID token, its signature left alone, or of a JSON object."""
    jwt = foreign_jwts.read(pasted, foreign_id_tokens.TYPES)
    return jwt.claims if jwt else json_objects.pasted(pasted.encode(), LONGEST_PASTED, UNREADABLE)


def show(
    provider: Provider, trial: Mapping[str, Any], pasted: str = "", status: int = 200
) -> Response:
    """Show the page of a provider, with what claims would give if there are any."""
    claims = None if trial.get("failure") else trial.get("claims")
    person = None if claims is None else claim_mappings.read(provider.draft, claims)
    page = render_page(
        "provider.html",
        provider=provider,
        redirect_uri=provider_uses.redirect_uri(provider.name),
        logout_uri=provider_uses.logout_uri(provider.name),
        trial=trial,
        person=person,
        outcome=federation.foresee(provider, person) if person else None,
        pasted=pasted,
    )
    page.status_code = status
    return page


def back(name: str, message: str, category: str = "success") -> BaseResponse:
    """Go back to the provider and say what happened."""
    flash(message, category)
    return redirect(url_for(PAGE, name=name), 303)
