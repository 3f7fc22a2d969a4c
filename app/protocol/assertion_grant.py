"""Owns the JWT bearer grant: tokens of a person on the word of an identity provider (RFC 7523)."""

from collections.abc import Iterable, Mapping
from typing import Any

from app import clock, provider_uses
from app.config import current_settings
from app.domain import (
    errors,
    federation,
    grant_types,
    identity_assertions,
    identity_providers,
    organisation_consents,
    scopes,
)
from app.domain.audit_tags import Tag
from app.domain.client_records import ClientRecord
from app.domain.foreign_jwts import ForeignJwt, is_signed_by
from app.domain.identity_providers import Provider
from app.domain.resources import Target
from app.extensions import db
from app.outbound.errors import OutboundError
from app.protocol import caller, people, published_keys
from app.protocol.ceilings import narrow, narrowed_target, target_of
from app.protocol.parameters import Parameters
from app.protocol.token_grants import Answer, Grant, check_person

UNTRUSTED = (
    "The assertion is not signed by an identity provider that may vouch for people at this server;"
    " ask its operators."
)
UNFETCHED = "The keys of the identity provider cannot be fetched now; try again later."
UNKNOWN = (
    "The person whom the assertion is about has no account here, or may not use this client; let"
    " them sign in here first, or ask the operators of this server."
)
NO_NEWCOMERS = "The software of the client takes no newcomers."
BEYOND = "The assertion does not allow the requested scopes; ask for some that it has."
IDENTITY = "This grant gives no scope that tells who a person is, and none to stay; ask for others."


class AssertionGrant(Grant):
    """JWT bearer grant (RFC 7523 section 2.1) for identity assertions (ID-JAG)."""

    GRANT_TYPE = grant_types.ASSERTION

    def create_token_response(self) -> Answer:
        """Prove the assertion, narrow to what it and the client allow, use it up, then mint."""
        parameters, client_id = self.request.parameters, self.request.client.client_id
        jwt = identity_assertions.read(
            self.required("assertion"), issuer=self.rules.issuer, client_id=client_id
        )
        trusted(jwt)  # nothing is fetched for anybody else

        keys = keys_of(jwt)

        found = caller.look_up(client_id)  # fetching took its time
        self.request.client = client = caller.approved(found, client_id=client_id)
        self.validate_token_request()
        provider = trusted(jwt)
        if not is_signed_by(jwt, keys):
            raise errors.InvalidGrant(UNTRUSTED, provider=provider.name)
        target, granted = narrowed(client, jwt.claims, parameters)

        identity_assertions.spend(jwt)
        user_id = person_of(client, provider, jwt.claims)
        grant = organisation_consents.allow(
            self.rules,
            provider=provider.name,
            user_id=user_id,
            client_id=client_id,
            scopes=granted,
            resources=target.audience,
            auth_time=identity_assertions.auth_time(jwt.claims, clock.epoch()),
            by=federation.on_behalf_of(provider, caller.client_actor(client)),
        )
        issued, by = Tag.TOKEN_ISSUED, provider.name
        return 200, self.answer(granted, target, grant, issued, vouched_by=by), []


def trusted(jwt: ForeignJwt) -> Provider:
    """Return the provider that an assertion names, if operators let it vouch for people."""
    environment = current_settings().identity_providers
    found = identity_providers.find_vouching(jwt.claims["iss"], environment)
    if found is None:
        raise errors.InvalidGrant(UNTRUSTED, assertion_issuer=jwt.claims["iss"][:200])
    return found


def keys_of(jwt: ForeignJwt) -> Iterable[Mapping[str, Any]]:
    """Return the keys of a trusted provider, mostly those that this process keeps.

    As at sign-in they are fetched every ten minutes, and once in a minute for a key that is
    unknown; the transaction of the request ends before.
    """
    db.session.rollback()
    try:
        server = provider_uses.issuers().find(jwt.claims["iss"])
        return published_keys.find(server.jwks_uri, jwt.kid)
    except OutboundError as error:
        raise errors.InvalidGrant(UNFETCHED, reason=error.reason) from None
    finally:
        caller.forget_generations()


def narrowed(
    client: ClientRecord, claims: Mapping[str, Any], parameters: Parameters
) -> tuple[Target, tuple[str, ...]]:
    """Return resource and scopes within the assertion, the request and the client's ceilings."""
    vouched = target_of(client, identity_assertions.resources(claims))
    target = narrowed_target(client, parameters.resources, [*vouched.audience])
    said, asked = scopes.split(claims.get("scope")), scopes.split(parameters.get("scope"))
    if said and not set(asked) <= set(said):
        raise errors.InvalidScope(BEYOND)
    kept = narrow(asked or said, client, target)
    granted = tuple(name for name in kept if name not in scopes.BUILT_IN)
    if not granted:
        raise errors.InvalidScope(IDENTITY)
    return target, granted


def person_of(client: ClientRecord, provider: Provider, claims: Mapping[str, Any]) -> str:
    """Return whose account it is; raises InvalidGrant unless this person may use the client."""
    by = caller.client_actor(client)
    try:
        user_id = federation.vouched(provider, claims, by=by)
        if not people.is_welcome(user_id, client):
            raise errors.AccessDenied(UNKNOWN, reason=NO_NEWCOMERS)
    except (errors.AccessDenied, errors.Conflict) as refusal:
        db.session.rollback()
        raise errors.InvalidGrant(UNKNOWN, provider=provider.name, **refusal.facts) from None
    check_person(user_id, UNKNOWN)
    return user_id
