"""Sign-in at identity providers: sending people there, and what they bring back."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from sqlalchemy import Row
from werkzeug.wrappers import Response

from app import browser_session, limits, provider_uses
from app.config import current_settings
from app.domain import (
    connection_drafts,
    errors,
    federation,
    foreign_logout_tokens,
    identity_providers,
    second_factors,
    sign_in_attempts,
)
from app.domain.foreign_id_tokens import FAILED
from app.domain.second_factors import MULTIPLE
from app.domain.sign_in_attempts import LINK, SIGN_IN, TEST
from app.domain.users import User
from app.extensions import db
from app.protocol import caller, parameters, people, proven_claims, second_factor
from app.protocol.proven_claims import Proven

bp = Blueprint("federated_login", __name__)
LINKED = "You can sign in with it from now on."
OTHER_BROWSER = "Somebody else is signed in by now, or nobody."


@bp.post("/login/<provider>")
def begin_sign_in(provider: str) -> Response:
    """Send a browser to a provider; who is signed in already has to prove it anew there."""
    after = people.local_path(request.form.get("next", "")) or ""
    limits.spend(current_settings().sign_in_rate_limit, "sign-in", caller.network())
    prompt = "login" if people.signed_in() is not None else ""
    found = provider_uses.get(provider)
    try:
        url = provider_uses.begin(found, SIGN_IN, after=after, prompt=prompt)
    except errors.AccessDenied as refusal:
        return failed(provider, None, refusal, after)

    db.session.commit()
    return provider_uses.pass_on(url, found.title)


@bp.post("/login/<provider>/link")
def begin_link(provider: str) -> Response:
    """Send somebody who is signed in to a provider, to sign in with it from now on."""
    user, home = people.signed_in(), url_for("own_identities.list_identities")
    if user is None:
        return redirect(url_for("login.sign_in", next=home), 303)
    limits.spend(current_settings().sign_in_rate_limit, "sign-in", caller.network())
    if not browser_session.is_fresh(user):
        return redirect(url_for("login.sign_in", next=home, again="yes"), 303)
    found, user_id = provider_uses.get(provider), user.id
    try:
        url = provider_uses.begin(found, LINK, user_id=user_id)
    except errors.AccessDenied as refusal:
        federation.note_failure(provider, refusal, by=caller.actor())
        db.session.commit()
        return not_linked(refusal)

    db.session.commit()
    return provider_uses.pass_on(url, found.title)


@bp.get("/login/callback/<provider>")
def finish_sign_in(provider: str) -> Response:
    """Take what a browser brings back, once, in the browser that began.

    The attempt is used up before anything else counts.
    """
    g.is_query_secret = True
    brought = parameters.read_query().values
    if "state" not in brought:
        return redirect(url_for("login.sign_in"), 303)
    limits.spend(current_settings().sign_in_rate_limit, "sign-in", caller.network())
    spent = None
    try:
        spent = sign_in_attempts.spend(brought["state"], provider_uses.browser_secret())
        db.session.commit()
        proven = proven_claims.of(spent, provider, brought)
        return FINISH[spent.purpose](spent, proven)
    except errors.Refusal as refusal:
        db.session.rollback()
        return failed(provider, spent, refusal)


def sign_in(spent: Row[Any], proven: Proven) -> Response:
    """Sign the person in, in a new session.

    An account with a second factor is asked for it, unless the provider asked for several.
    """
    user = federation.sign_in(proven.provider, proven.claims, by=caller.actor())
    methods = methods_of(proven.claims)
    is_half = MULTIPLE not in methods and second_factors.has(user.id)
    origin = foreign_logout_tokens.origin(proven.provider, proven.claims, spent.created_at)
    browser_session.begin(
        user, current_settings(), caller.address(), methods, is_half=is_half, origin=origin
    )
    provider_uses.remember(proven.provider, proven.id_token)
    answer = second_factor.go_on(user, spent.after)
    return provider_uses.pass_on(answer.location or "", "Gatewright")


def methods_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return how somebody signed in as far as it counts here: whether by several factors."""
    said = claims.get("amr")
    return (MULTIPLE,) if isinstance(said, list) and MULTIPLE in said else ()


def link(spent: Row[Any], proven: Proven) -> Response:
    """Link what somebody proved to the account that is signed in."""
    user = same_person(spent)
    federation.link(user, proven.provider, proven.claims, by=people.user_actor(user))
    db.session.commit()
    flash(LINKED)
    return provider_uses.pass_on(url_for("own_identities.list_identities"), "Gatewright")


def show_trial(spent: Row[Any], proven: Proven) -> Response:
    """Let the operator who tests see what the provider says; nobody is signed in."""
    return tried(spent, proven.claims, "")


FINISH: dict[str, Callable[[Row[Any], Proven], Response]] = {
    SIGN_IN: sign_in,
    LINK: link,
    TEST: show_trial,
}


def tried(spent: Row[Any], claims: Mapping[str, Any], failure: str) -> Response:
    """Keep what came of a test for the page of the provider, in the session of the operator."""
    who = people.user_actor(same_person(spent))
    provider_uses.keep_trial(spent.provider, claims, failure)
    identity_providers.note_test(provider_uses.get(spent.provider), failure, by=who)
    db.session.commit()
    page = url_for("identity_providers.show_provider", name=spent.provider)
    return provider_uses.pass_on(page, "Gatewright")


def failed(
    asked: str, spent: Row[Any] | None, refusal: errors.Refusal, after: str = ""
) -> Response:
    """Tell the person that it did not work, in a sentence of ours; the trail knows why."""
    if spent is not None and spent.purpose == TEST and is_same_person(spent):
        return tried(spent, {}, str(refusal.facts.get("reason", refusal.description)))
    name = asked if connection_drafts.is_name(asked) else ""
    federation.note_failure(spent.provider if spent else name, refusal, by=caller.actor())
    db.session.commit()
    if spent is not None and spent.purpose == LINK:
        return not_linked(refusal)
    return tell(str(refusal.description), spent.after if spent else after)


def not_linked(refusal: errors.Refusal) -> Response:
    """Say on the page of the account that nothing was linked."""
    flash(str(refusal.description), "error")
    return redirect(url_for("own_identities.list_identities"), 303)


def tell(sentence: str, after: str) -> Response:
    """Show a sentence on the sign-in page, be it that of an authorization request."""
    browser_session.current()["error"] = sentence
    if after.startswith(url_for("authorize.authorize") + "?"):
        return redirect(after, 303)
    again = "yes" if people.signed_in() is not None else None
    return redirect(url_for("login.sign_in", next=after or None, again=again), 303)


def is_same_person(spent: Row[Any]) -> bool:
    """Tell whether who began an attempt is still signed in."""
    user = people.signed_in()
    return user is not None and user.id == spent.user_id


def same_person(spent: Row[Any]) -> User:
    """Return who began an attempt; raises AccessDenied when somebody else is signed in."""
    user = people.signed_in()
    if user is None or not is_same_person(spent):
        raise errors.AccessDenied(FAILED, reason=OTHER_BROWSER)
    return user
