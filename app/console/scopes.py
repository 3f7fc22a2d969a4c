"""Scopes: what may be granted at all, in words people understand."""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.console.forms import Form, refused, word
from app.console.pages import actor, console_blueprint, render_page, requires, requires_fresh
from app.domain import resources, scopes
from app.domain.scopes import Scope
from app.extensions import db

bp = console_blueprint("scopes", __name__, "/scopes")
DESCRIPTION_LENGTH = 500
RISKS = dict(zip(scopes.RISKS, ("Low risk", "Some risk", "High risk"), strict=True))


@bp.get("/")
def list_scopes() -> Response:
    """Show the catalogue."""
    places = resources.find_all()
    return render_page(
        "scopes.html",
        rows=[
            (scope, [place for place in places if scope.name in place.scopes])
            for scope in scopes.find_all()
        ],
        built_in=scopes.BUILT_IN,
    )


@bp.get("/new")
@requires("admin")
def new_scope() -> Response:
    """Show an empty form."""
    empty = {"name": "", "description": "", "risk": "low", "is_default": False, "four_eyes": False}
    return show_form(empty, Form())


@bp.post("/new")
@requires("admin")
def create_scope() -> BaseResponse:
    """Add a scope to the catalogue."""
    form = Form()
    name = request.form.get("name", "").strip()
    values = read(form)
    with form.blaming("name"):
        if not form.faults:
            scopes.create(name, by=actor(), **values)
    if form.faults:
        return show_form({"name": name, **values}, form)

    db.session.commit()
    return back("The scope is in the catalogue.")


@bp.get("/edit")
@requires_fresh("admin")
def edit_scope() -> Response:
    """Show the form of one scope."""
    scope = scopes.get(word("name"))
    return show_form({"name": scope.name, **scopes.facts(scope)}, Form(), scope)


@bp.post("/edit")
@requires_fresh("admin", back="scopes.list_scopes", keeps=True)
def save_scope() -> BaseResponse:
    """Change the words, risk or default of a scope, or how many people approve it."""
    scope = scopes.get(word("name"))
    form = Form()
    values = read(form)
    if form.faults:
        return show_form({"name": scope.name, **values}, form, scope)

    scopes.update(scope.name, by=actor(), **values)
    db.session.commit()
    return back("The scope is changed.")


@bp.post("/delete")
@requires_fresh("admin", back="scopes.list_scopes")
def delete_scope() -> BaseResponse:
    """Take a scope out of the catalogue, once its name was typed."""
    scope = scopes.get(word("name"))
    if request.form.get("confirm_name", "").strip() != scope.name:
        return back("The name did not match; nothing was deleted.", "error")

    scopes.remove(scope.name, by=actor())
    db.session.commit()
    return back("The scope is deleted; it can no longer be granted.")


def read(form: Form) -> dict[str, Any]:
    """Return what was typed about a scope."""
    return {
        "description": form.text("description", "The description", DESCRIPTION_LENGTH),
        "risk": form.choice("risk", "The risk", RISKS),
        "is_default": "is_default" in request.form,
        "four_eyes": "four_eyes" in request.form,
    }


def show_form(values: dict[str, Any], form: Form, scope: Scope | None = None) -> Response:
    """Show the form of a new scope or of one that is there."""
    places = resources.find_all() if scope is not None else ()
    page = render_page(
        "scope.html",
        values=values,
        faults=form.faults,
        scope=scope,
        risks=list(RISKS.items()),
        is_removable=scope is not None and scope.name not in scopes.BUILT_IN,
        offered_by=[place for place in places if values["name"] in place.scopes],
    )
    return refused(page, form)


def back(message: str, category: str = "success") -> BaseResponse:
    """Go back to the catalogue and say what happened."""
    flash(message, category)
    return redirect(url_for("scopes.list_scopes"), 303)
