"""Owns the use of identity providers: which there are, and sending a browser there and away."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Flask, Response, current_app, make_response, render_template

from app import browser_session
from app.browser_session import HINT
from app.config import current_key, current_settings
from app.domain import credentials, errors, identity_providers, sign_in_attempts
from app.domain.foreign_id_tokens import FAILED
from app.domain.foreign_logout_tokens import Origin
from app.domain.identity_providers import Provider
from app.domain.sign_in_attempts import TEST
from app.extensions import db
from app.outbound import failures, upstream_authorization
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError
from app.outbound.issuers import Issuers
from app.outbound.upstream_clients import Client

PURPOSE = "identity providers"
"""Of the key that seals their secrets."""
BROWSER, TRIAL = "sign_in_browser", "provider_trial"
"""What a browser session remembers: its secret, the last test."""
LONGEST_HINT = 4000
"""A longer ID token is not kept for signing out."""


def init_app(app: Flask) -> None:
    """Hold the metadata of the providers."""
    app.extensions["gatewright.issuers"] = Issuers(app.extensions["gatewright.outbound"])


def issuers() -> Issuers:
    """Return the metadata of the providers."""
    found: Issuers = current_app.extensions["gatewright.issuers"]
    return found


def outbound() -> Outbound:
    """Return the way out."""
    found: Outbound = current_app.extensions["gatewright.outbound"]
    return found


def find_all() -> list[Provider]:
    """Return all providers by name."""
    return identity_providers.find_all(current_settings().identity_providers)


def offered() -> list[Provider]:
    """Return the providers that people may sign in at."""
    return [each for each in find_all() if each.draft.enabled]


def get(name: str) -> Provider:
    """Return a provider; raises NotFound."""
    return identity_providers.get(name, current_settings().identity_providers)


def get_enabled(name: str) -> Provider:
    """Return a provider that people may sign in at; raises NotFound."""
    found = get(name)
    if not found.draft.enabled:
        raise identity_providers.not_found()
    return found


def check_free(name: str) -> None:
    """Refuse a name that the settings have given."""
    if name in current_settings().identity_providers:
        raise errors.Conflict("A provider of the environment has this name; choose another one.")


def redirect_uri(name: str) -> str:
    """Return where a provider sends browsers back: one place for each, against mix-up."""
    return f"{current_settings().issuer}/login/callback/{name}"


def logout_uri(name: str) -> str:
    """Return where a provider tells who signed out there."""
    return f"{current_settings().issuer}/backchannel_logout/{name}"


def begin(
    provider: Provider,
    purpose: str,
    *,
    user_id: str | None = None,
    after: str = "",
    prompt: str = "",
) -> str:
    """Begin an attempt in this browser; return where it has to go.

    Ends the transaction of the request before the provider is asked. Raises AccessDenied.
    """
    if not provider.draft.enabled and purpose != TEST:
        raise identity_providers.not_found()
    db.session.rollback()
    try:
        server = issuers().find(provider.draft.issuer)
        begun = sign_in_attempts.begin(
            provider,
            current_key(PURPOSE),
            purpose=purpose,
            browser=browser_secret(),
            user_id=user_id,
            after=after,
        )
        return upstream_authorization.authorization_url(
            server,
            Client(provider.draft.client_id, "none"),
            redirect_uri=redirect_uri(provider.name),
            state=begun.state,
            challenge=begun.challenge,
            scopes=provider.draft.scope.split(),
            nonce=begun.nonce,
            prompt=prompt,
        )
    except OutboundError as error:
        raise unanswered(error, provider) from None


def unanswered(error: OutboundError, provider: Provider) -> errors.AccessDenied:
    """Return the refusal for a provider that could not be asked, with the reason for operators."""
    found = issuers().why(provider.draft.issuer) if error.reason == "metadata" else ""
    reason = found or " ".join(failures.of_error(error))
    return errors.AccessDenied(FAILED, reason=reason, upstream_error=error.error)


def browser_secret() -> str:
    """Return what names this browser to the attempts that began in it."""
    found: str = browser_session.current().setdefault(BROWSER, credentials.new_secret())
    return found


def pass_on(url: str, where: str) -> Response:
    """Return a page that goes on by itself.

    A redirect would be held against the form-action of the page whose form began, here or there.
    """
    return make_response(render_template("passing_on.html", url=url, where=where))


def remember(provider: Provider, id_token: str) -> None:
    """Remember the ID token in a new session, if the person is to be signed out there."""
    browser = browser_session.current()
    if not provider.draft.signs_out or browser.origin is None or len(id_token) > LONGEST_HINT:
        return
    sealed = credentials.seal(
        current_key(PURPOSE), id_token.encode(), bound(provider, browser.origin)
    )
    browser[HINT] = base64.b64encode(sealed).decode()


def keep_trial(name: str, claims: Mapping[str, Any], failure: str) -> None:
    """Keep what came of a test in the session of the operator, the claims as text.

    A database does not hold every character that JSON can.
    """
    text = orjson.dumps(dict(claims)).decode()
    browser_session.current()[TRIAL] = {"name": name, "claims": text, "failure": failure}


def trial_of(name: str) -> dict[str, Any]:
    """Return what came of the last test of a provider by this operator, empty without one."""
    kept: dict[str, Any] = browser_session.current().get(TRIAL) or {}
    if kept.get("name") != name:
        return {}
    return {"claims": orjson.loads(kept["claims"]), "failure": kept["failure"]}


def way_out() -> tuple[Provider, str] | None:
    """Return who signed the person of this browser in, and the ID token; None for nobody.

    The ID token is empty where none was kept.
    """
    origin = browser_session.current().origin
    if origin is None:
        return None
    try:
        provider = get(origin.provider)
    except errors.NotFound:
        return None
    return provider, kept_hint(provider, origin)


def kept_hint(provider: Provider, origin: Origin) -> str:
    """Return the ID token that the session of this browser began with, empty for none."""
    sealed = base64.b64decode(browser_session.current().get(HINT, ""))
    try:
        return credentials.unseal(current_key(PURPOSE), sealed, bound(provider, origin)).decode()
    except ValueError:
        return ""


def end_session_url(provider: Provider, id_token: str) -> str:
    """Return where a session ends (OpenID Connect RP-Initiated Logout); empty if nowhere.

    Whoever calls has no transaction open.
    """
    try:
        endpoint = issuers().find(provider.draft.issuer).end_session_endpoint
    except OutboundError:
        return ""
    if not endpoint:
        return ""
    said = {"id_token_hint": id_token, "client_id": provider.draft.client_id}
    query = urlencode({name: value for name, value in said.items() if value}, quote_via=quote)
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def bound(provider: Provider, origin: Origin) -> str:
    """Name the sign-in that an ID token is sealed for; no other issuer is ever given it."""
    return f"{provider.draft.issuer}:{origin.provider_subject_digest}:id_token"
