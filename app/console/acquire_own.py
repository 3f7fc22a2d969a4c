"""Acquire: get a token as this server itself does, at a connection or for the registration gate."""

from typing import Any

from flask import Response, url_for
from sqlalchemy import Row

from app import connection_uses
from app.console import connection_trial, trials
from app.console.acquire_form import tabs
from app.console.connections import token_of, with_grants
from app.console.pages import asks_others, console_blueprint, render_page, requires
from app.domain import errors
from app.domain.connection_drafts import AUTHORIZATION_CODE
from app.domain.connection_records import Connection
from app.extensions import db
from app.outbound.connection_tokens import Held
from app.outbound.gate import Gate
from app.outbound.logins import Login

bp = console_blueprint("acquire_own", __name__, "/acquire/own")
GATE = "the registration gate"
NO_LOGIN = (
    "The registration gate is switched off or takes no access token, so there is none to get; the"
    " settings of the group Registration gate decide that."
)


@bp.get("/")
def show_own() -> Response:
    """Show what this server can get tokens for."""
    gate = trials.current_gate()
    return render_page(
        "acquire_own.html",
        tabs=tabs("own"),
        rows=[(row, token_of(row, grant)[0], test_of(row, grant)) for row, grant in with_grants()],
        gate=gate.access if gate is not None else None,
    )


@bp.post("/gate")
@requires("admin")
@asks_others
def acquire_for_gate() -> Response:
    """Get a new token that nobody uses, as is done before the registration gate is asked."""
    login = login_of(trials.current_gate())
    db.session.rollback()

    trial = connection_uses.attempt(Held(GATE, login))

    crumb = ("Acquire", url_for(".show_own"))
    return connection_trial.show(
        trial, login.client_secret, of=GATE, crumb=crumb, again=url_for(".acquire_for_gate")
    )


def login_of(gate: Gate | None) -> Login:
    """Return how this server gets the tokens that the gate wants; raises Conflict without."""
    if gate is None or gate.access.login is None:
        raise errors.Conflict(NO_LOGIN)
    return gate.access.login


def test_of(row: Connection, grant: Row[Any] | None) -> str:
    """Return where the form goes that tests a connection; empty before somebody authorized it."""
    if row.kind != AUTHORIZATION_CODE:
        return url_for("connections.test_connection", connection_id=row.id)
    return url_for("upstreams.test_upstream", upstream_id=row.id) if grant else ""
