"""The apps that may act for a person: what each may do, and taking that away."""

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app import provider_uses
from app.account.pages import PAGE_SIZE, account_blueprint, actor, asked, person, render_page
from app.config import current_settings
from app.domain import allowed_clients, client_pages, redirect_uris, resources, scopes
from app.domain.allowed_clients import Allowed
from app.domain.orders import Key
from app.extensions import db

bp = account_blueprint("own_apps", __name__)
UNKNOWN = "Something without a description"
LONGEST_ID = 2048


@bp.get("/")
def list_apps() -> str:
    """Show the apps by name."""
    after = key_of(asked("after"))
    found = allowed_clients.find_page(person().id, after=after, size=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    return render_page(
        "own_apps.html",
        rows=rows_of(shown),
        minutes=max(1, current_settings().access_token_seconds // 60),
        first_url=url_for("own_apps.list_apps") if after is not None else None,
        next_url=url_after(shown[-1]) if len(found) > PAGE_SIZE else None,
    )


@bp.post("/apps/remove")
def remove_app() -> Response:
    """End what one app may do for this person."""
    client_id = request.form.get("client_id", "")[:LONGEST_ID].replace("\0", "")

    allowed_clients.end(person().id, client_id, by=actor())
    db.session.commit()
    flash("The app is removed. What it could do for you has ended.")
    return redirect(url_for("own_apps.list_apps"), 303)


def rows_of(shown: list[Allowed]) -> list[dict[str, Any]]:
    """Return what the page shows of each app, in words that are not ours alone."""
    titles = {scope.name: scope.description for scope in scopes.find_all()}
    places = {resource.uri: resource.name for resource in resources.find_all()}
    givers = {provider.name: provider.title for provider in provider_uses.find_all()}
    return [
        {
            "name": allowed.software.name or allowed.client.client_id,
            "client_id": allowed.client.client_id,
            "may": [titles.get(name) or UNKNOWN for name in allowed.scopes],
            "places": [places.get(uri, "This server") for uri in allowed.resources],
            "target": described(allowed.redirect_uri),
            "given_by": givers.get(allowed.given_by or "", allowed.given_by),
            "since": allowed.since,
            "last_used_at": allowed.last_used_at,
            "pages": client_pages.of(allowed.software.client_metadata, allowed.client.client_id),
            "open_url": client_pages.opening(
                allowed.software.client_metadata,
                allowed.client.client_id,
                current_settings().issuer,
            ),
        }
        for allowed in shown
    ]


def described(redirect_uri: str | None) -> dict[str, str] | None:
    """Describe where an app sent this person last, if that is known."""
    return None if not redirect_uri else redirect_uris.describe(redirect_uri)


def key_of(text: str) -> Key | None:
    """Return the key in an address: a name and an identifier, which holds no space."""
    name, _, client_id = text.rpartition(" ")
    return (name, client_id) if text else None


def url_after(last: Allowed) -> str:
    """Return the address of the page behind an app."""
    key = f"{last.software.sort_name} {last.client.client_id}"
    return url_for("own_apps.list_apps", after=key)
