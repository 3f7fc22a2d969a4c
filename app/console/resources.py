"""Resources: what tokens can be issued for, with which scopes and for how long."""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.config import current_settings
from app.console.forms import Form, refused, word
from app.console.pages import actor, console_blueprint, render_page, requires
from app.domain import resources, scopes
from app.domain.grants import LONGEST_SECONDS, SHORTEST_SECONDS
from app.domain.resources import Resource
from app.extensions import db

bp = console_blueprint("resources", __name__, "/resources")
NAME_LENGTH = 200


@bp.get("/")
def list_resources() -> Response:
    """Show the catalogue and the default resource."""
    settings = current_settings()
    return render_page(
        "resources.html",
        rows=resources.find_all(),
        default_resource=settings.resource,
        is_described=resources.find(settings.resource) is not None,
        default_seconds=settings.access_token_seconds,
    )


@bp.get("/new")
@requires("admin")
def new_resource() -> Response:
    """Show an empty form."""
    values = {"uri": word("uri"), "name": "", "scopes": (), "access_token_seconds": None}
    return show_form(values, Form())


@bp.post("/new")
@requires("admin")
def create_resource() -> BaseResponse:
    """Add a resource to the catalogue."""
    form = Form()
    uri = request.form.get("uri", "").strip()
    values = read(form)
    with form.blaming("uri"):
        if not form.faults:
            resources.create(
                uri,
                values["name"],
                values["scopes"],
                by=actor(),
                access_token_seconds=values["access_token_seconds"],
            )
    if form.faults:
        return show_form(typed(uri, values), form)

    db.session.commit()
    return back("The resource is in the catalogue; tokens can be issued for it.")


@bp.get("/edit")
@requires("admin")
def edit_resource() -> Response:
    """Show the form of one resource."""
    resource = named()
    return show_form({"uri": resource.uri, **resources.facts(resource)}, Form(), resource)


@bp.post("/edit")
@requires("admin")
def save_resource() -> BaseResponse:
    """Change name, scopes or token lifetime of a resource."""
    resource = named()
    form = Form()
    values = read(form)
    if form.faults:
        return show_form(typed(resource.uri, values), form, resource)

    resources.update(
        resource.uri,
        by=actor(),
        name=values["name"],
        allowed=values["scopes"],
        access_token_seconds=values["access_token_seconds"],
    )
    db.session.commit()
    return back("The resource is changed; it takes effect with the next token.")


@bp.post("/delete")
@requires("admin")
def delete_resource() -> BaseResponse:
    """Take a resource out of the catalogue, once its URI was typed."""
    resource = named()
    if request.form.get("confirm_name", "").strip() != resource.uri:
        return back("The URI did not match; nothing was deleted.", "error")

    resources.remove(resource.uri, by=actor())
    db.session.commit()
    return back("The resource is deleted; no token is issued for it any more.")


def named() -> Resource:
    """Return the resource that the request names; raises InvalidTarget or NotFound."""
    return resources.get(resources.check_uri(word("uri")))


def read(form: Form) -> dict[str, Any]:
    """Return what was typed about a resource."""
    return {
        "name": form.text("name", "The name", NAME_LENGTH),
        "scopes": form.several("scopes", (scope.name for scope in scopes.find_all())),
        "access_token_seconds": form.number(
            "access_token_seconds",
            "The lifetime of access tokens",
            SHORTEST_SECONDS,
            LONGEST_SECONDS,
        ),
    }


def typed(uri: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what was typed, wrong numbers included."""
    seconds = request.form.get("access_token_seconds", "")
    return {**values, "uri": uri, "access_token_seconds": seconds}


def show_form(values: dict[str, Any], form: Form, resource: Resource | None = None) -> Response:
    """Show the form of a new resource or of one that is there."""
    page = render_page(
        "resource.html",
        values=values,
        faults=form.faults,
        resource=resource,
        scope_options=[(scope.name, scope.name, scope.description) for scope in scopes.find_all()],
        default_seconds=current_settings().access_token_seconds,
        bounds=(SHORTEST_SECONDS, LONGEST_SECONDS),
    )
    return refused(page, form)


def back(message: str, category: str = "success") -> BaseResponse:
    """Go back to the catalogue and say what happened."""
    flash(message, category)
    return redirect(url_for("resources.list_resources"), 303)
