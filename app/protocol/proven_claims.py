"""Owns what an identity provider answers: code, tokens and claims, each proven before the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Row

from app import provider_uses
from app.config import current_key
from app.domain import (
    claim_mappings,
    errors,
    foreign_id_tokens,
    identity_providers,
    sign_in_attempts,
)
from app.domain.foreign_id_tokens import FAILED
from app.domain.identity_providers import Provider
from app.extensions import db
from app.outbound import provider_answers, upstream_authorization
from app.outbound.errors import OutboundError
from app.outbound.provider_answers import Answered
from app.outbound.upstream_metadata import ServerMetadata
from app.outbound.upstream_refusals import Refused
from app.protocol import published_keys

UNREADABLE = "The client secret does not open with the secret key of this server; enter it anew."
OTHER_PERSON = "The UserInfo endpoint told about another person than the ID token."


@dataclass(frozen=True, slots=True)
class Proven:
    """Who came, by whom that is said."""

    provider: Provider
    claims: Mapping[str, Any]
    id_token: str = field(repr=False)


def of(spent: Row[Any], asked: str, brought: Mapping[str, str]) -> Proven:
    """Return what a provider says of the person of an attempt; raises AccessDenied.

    No transaction is open while the provider is asked.
    """
    provider = provider_uses.get(spent.provider)
    sign_in_attempts.check(spent, asked, provider)
    secret, verifier = opened(spent, provider)
    db.session.rollback()

    try:
        server = provider_uses.issuers().find(spent.issuer)
        answered = provider_answers.redeem(
            provider_uses.outbound(),
            server,
            spent.client_id,
            secret,
            code=code_of(spent, server, brought),
            verifier=verifier,
            redirect_uri=provider_uses.redirect_uri(provider.name),
        )
        claims = check(spent, server, answered)
        return Proven(provider, completed(provider, server, answered, claims), answered.id_token)
    except OutboundError as error:
        raise provider_uses.unanswered(error, provider) from None


def opened(spent: Row[Any], provider: Provider) -> tuple[str, str]:
    """Return client secret and code verifier; raises AccessDenied for seals of another key."""
    key = current_key(provider_uses.PURPOSE)
    try:
        secret = identity_providers.secret_of(provider, key)
        return secret, sign_in_attempts.verifier_of(spent, key)
    except ValueError:
        raise errors.AccessDenied(FAILED, reason=UNREADABLE) from None


def code_of(spent: Row[Any], server: ServerMetadata, brought: Mapping[str, str]) -> str:
    """Return the code that was brought; raises AccessDenied for another answer."""
    found = upstream_authorization.check_answer(
        brought,
        state=brought["state"],
        issuer=spent.issuer,
        iss_supported=server.authorization_response_iss_parameter_supported,
    )
    if isinstance(found, Refused):
        raise errors.AccessDenied(FAILED, reason=found.sentence, upstream_error=found.error)
    return found


def check(spent: Row[Any], server: ServerMetadata, answered: Answered) -> Mapping[str, Any]:
    """Return the claims of the ID token once it is proven."""
    return foreign_id_tokens.check(
        answered.id_token,
        partial(published_keys.find, server.jwks_uri),
        issuer=spent.issuer,
        client_id=spent.client_id,
        nonce_digest=spent.nonce_digest,
        access_token=answered.access_token,
        begun_at=spent.created_at,
    )


def completed(
    provider: Provider, server: ServerMetadata, answered: Answered, claims: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the claims with those of the UserInfo endpoint, if the ID token says too little."""
    if not server.userinfo_endpoint or not claim_mappings.is_lacking(provider.draft, claims):
        return claims
    told = provider_answers.user_info(provider_uses.outbound(), server, answered)
    if told.get("sub") != claims["sub"]:
        raise errors.AccessDenied(FAILED, reason=OTHER_PERSON)
    return {**told, **claims}
