"""Where browsers come back to from upstreams at which somebody authorized a connection."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, g, redirect, url_for
from sqlalchemy import Row
from werkzeug.wrappers import Response

from app import browser_session, upstream_uses
from app.config import current_key
from app.domain import connection_authorizations, connection_grants, connections, errors, users
from app.domain.connection_authorizations import STALE
from app.domain.connection_grants import SERVICE
from app.domain.upstream_tokens import Tokens
from app.domain.users import User
from app.extensions import db
from app.outbound import failures, upstream, upstream_authorization, upstream_ends
from app.outbound.errors import OutboundError
from app.outbound.upstream_logins import Upstream
from app.outbound.upstream_refusals import Refused
from app.protocol import parameters, people
from app.protocol.own_connections import page_of

bp = Blueprint("connection_callback", __name__)
DEMOTED = (
    "Only an administrator authorizes a connection for this server; ask the operators of this"
    " server."
)
UNREDEEMED = (
    "The other server gave you no access. Try again from the page of this connection; if that does"
    " not help, ask the operators of this server."
)


@bp.get(upstream_uses.CALLBACK_PATH)
def finish_authorization() -> Response:
    """Redeem what a browser brings back, once, in the session that began (RFC 6749 section 4.1.2).

    The state is used up before anything else counts, and no transaction is open meanwhile.
    """
    g.is_query_secret = True
    user = people.signed_in()
    if user is None:
        return redirect(url_for("login.sign_in", next=url_for("own_connections.list_own")), 303)
    brought = parameters.read_query().values

    spent = spend(brought.get("state", ""), user)
    used = upstream_uses.opened(connections.get_by_id(spent.connection_id))
    db.session.commit()
    code = code_of(brought, spent, used)
    tokens = redeem(code, spent, replace(used, scopes=tuple(spent.scopes)))

    keep(tokens, spent, used)
    db.session.commit()
    return redirect(back_to(spent), 303)


def spend(state: str, user: User) -> Row[Any]:
    """Use an authorization up; raises AccessDenied for what is not of this browser or right."""
    session_id = browser_session.current().session_id
    if session_id is None:
        raise errors.AccessDenied(STALE)
    spent = connection_authorizations.spend(state, session_id)
    if spent.owner == SERVICE and not users.may(user, "admin"):
        db.session.commit()
        raise errors.AccessDenied(DEMOTED)
    return spent


def code_of(brought: Mapping[str, str], spent: Row[Any], used: Upstream) -> str:
    """Return the code that was brought; raises AccessDenied for what the other server refuses."""
    found = upstream_authorization.check_answer(
        brought,
        state=brought["state"],
        issuer=spent.issuer,
        iss_supported=used.server.authorization_response_iss_parameter_supported,
    )
    if isinstance(found, Refused):
        raise errors.AccessDenied(found.sentence, upstream_error=found.error)
    return found


def redeem(code: str, spent: Row[Any], used: Upstream) -> Tokens:
    """Exchange the code; raises AccessDenied when the other server gives no tokens.

    What is wrong with that server, and what it is called inside, is for operators alone.
    """
    try:
        return upstream.redeem(
            upstream_uses.outbound(),
            used.login(spent.state_digest),
            code=code,
            verifier=connection_authorizations.verifier_of(spent, current_key("connections")),
            redirect_uri=spent.redirect_uri,
        )
    except OutboundError as error:
        told = spent.owner == SERVICE
        sentence = " ".join(failures.of_error(error)) if told else UNREDEEMED
        raise errors.AccessDenied(
            sentence, reason=error.reason, upstream_error=error.error
        ) from None


def keep(tokens: Tokens, spent: Row[Any], used: Upstream) -> None:
    """Keep the tokens; those that cannot be kept any more are revoked where they came from."""
    try:
        connection_grants.keep(
            tokens,
            current_key("connections"),
            connection_id=spent.connection_id,
            owner=spent.owner,
            revision=spent.revision,
            by=people.user_actor(still_allowed(spent)),
        )
    except (errors.Conflict, errors.AccessDenied):
        db.session.rollback()
        upstream_ends.revoke(upstream_uses.outbound(), used, [tokens])
        raise


def still_allowed(spent: Row[Any]) -> User:
    """Return who authorized; raises AccessDenied when the account was disabled meanwhile."""
    user = people.signed_in()
    if user is None or not users.is_enabled(spent.user_id):
        raise errors.AccessDenied(STALE)
    return user


def back_to(spent: Row[Any]) -> str:
    """Return where the person goes on."""
    return page_of(connections.get_by_id(spent.connection_id), spent.owner)
