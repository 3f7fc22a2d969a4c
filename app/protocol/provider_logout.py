"""Where identity providers tell who signed out there (OpenID Connect Back-Channel Logout)."""

from flask import Blueprint, Response

from app import provider_uses
from app.answers import json_answer
from app.config import current_settings
from app.domain import errors, federation, foreign_jwts, foreign_logout_tokens, sessions
from app.domain.foreign_jwts import ForeignJwt
from app.domain.identity_providers import Provider
from app.extensions import db
from app.outbound.errors import OutboundError
from app.protocol import caller, published_keys
from app.protocol.parameters import read_form

bp = Blueprint("provider_logout", __name__)
UNSIGNED = "No key that the provider publishes has made the signature of the logout_token."
UNFETCHED = "The keys of the provider cannot be fetched now; send the logout_token again later."


@bp.post("/backchannel_logout/<provider>")
def end_sessions(provider: str) -> Response:
    """End the sessions that began with what a provider says is over (section 2.7)."""
    text = read_form().get("logout_token") or ""
    found = provider_uses.get_enabled(provider)
    jwt = foreign_logout_tokens.read(text, found)

    check_signature(jwt, found)

    named = foreign_logout_tokens.spend(jwt, found, current_settings().session_absolute_seconds)
    sessions.end_named(named, by=federation.on_behalf_of(found, caller.actor()))
    db.session.commit()
    return json_answer({})


def check_signature(jwt: ForeignJwt, provider: Provider) -> None:
    """Raise InvalidRequest unless the provider has signed a token; no transaction is open."""
    db.session.rollback()
    known = {"provider": provider.name}
    try:
        server = provider_uses.issuers().find(provider.draft.issuer)
        keys = published_keys.find(server.jwks_uri, jwt.kid)
    except OutboundError as error:
        raise errors.InvalidRequest(UNFETCHED, reason=error.reason, **known) from None
    if not foreign_jwts.is_signed_by(jwt, keys):
        raise errors.InvalidRequest(UNSIGNED, **known)
