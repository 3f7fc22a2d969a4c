"""Owns token exchange: a resource that passes on what a person let an app do (RFC 8693)."""

from collections.abc import Mapping
from typing import Any

from app.domain import delegations, errors, grant_types, grants, scopes
from app.domain.audit_tags import Tag
from app.domain.client_records import ClientRecord
from app.domain.resources import Target
from app.domain.tokens import TYPE_URN
from app.protocol import introspect
from app.protocol.ceilings import narrowed_target, within
from app.protocol.parameters import Parameters
from app.protocol.token_grants import Answer, Grant, check_person

TYPES = (TYPE_URN, "urn:ietf:params:oauth:token-type:jwt")
"""Access tokens of this server are JWTs, so they go by either name."""
KINDS = (
    "Token types are those of an access token or a JWT, each beside the token it is about;"
    " other tokens are neither taken nor issued."
)
SUBJECT = (
    "The subject_token must be a living access token of this server that a person gave for a"
    " resource of your client; ask the operators of this server which resources are yours."
)
ACTOR = "The actor_token must be a living access token that your client got for itself."
AUDIENCE = "Name the target by its URI in the parameter resource; this server knows no other names."
BEYOND = (
    "The subject_token does not allow the requested scopes; ask for some that it has, and none that"
    " tells who the person is."
)


class ExchangeGrant(Grant):
    """Token exchange (RFC 8693 section 2); the new token never outlives or exceeds the old one."""

    GRANT_TYPE = grant_types.EXCHANGE

    def create_token_response(self) -> Answer:
        """Prove both tokens, narrow to what all of them allow, then mint."""
        client, parameters = self.request.client, self.request.parameters
        check_kinds(parameters)
        subject = subject_of(client, self.required("subject_token"))
        check_actor(client, parameters.get("actor_token"))
        grant = grant_of(subject)
        target = target_of(client, parameters, subject)
        granted = narrowed(client, target, subject, scopes.split(parameters.get("scope")))

        answer = self.answer(
            granted,
            target,
            grant,
            Tag.TOKEN_EXCHANGED,
            until=subject["exp"],
            known_as=subject["sub"],
            more=delegations.claims_of(client.client_id, subject),
        )
        return 200, answer | {"issued_token_type": TYPE_URN}, []


def check_kinds(parameters: Parameters) -> None:
    """Refuse other tokens than access tokens, and types of tokens that are not there."""
    said = parameters.get
    kinds = (said("actor_token_type"), said("requested_token_type"))
    named = [said("subject_token_type"), *(kind or TYPE_URN for kind in kinds)]
    are_paired = (said("actor_token") is None) == (said("actor_token_type") is None)
    if not are_paired or not all(kind in TYPES for kind in named):
        raise errors.InvalidRequest(KINDS)


def subject_of(client: ClientRecord, token: str) -> dict[str, Any]:
    """Return the claims of a token that a person gave for a resource of this client.

    A token that a client got for itself is none: no grant of a person would end what came of it.
    """
    claims = introspect.claims_of(token)
    if claims is None or "grant_id" not in claims:
        raise errors.InvalidRequest(SUBJECT, reason="no living token of a person")
    if not introspect.is_for(client, claims):
        raise errors.InvalidRequest(SUBJECT, reason="for another resource")
    return claims


def grant_of(subject: Mapping[str, Any]) -> dict[str, Any]:
    """Return the grant of a token, whose person may sign in; raises InvalidGrant."""
    grant = grants.find(subject["grant_id"])
    if grant is None:
        raise errors.InvalidGrant(SUBJECT, reason="grant purged")
    check_person(grant.user_id, SUBJECT)
    return dict(grant._mapping)


def check_actor(client: ClientRecord, token: str | None) -> None:
    """Refuse an actor token of anybody but the client itself, which acts without one as well."""
    if token is None:
        return
    claims = introspect.claims_of(token)
    if claims is None or claims["sub"] != client.client_id:
        raise errors.InvalidRequest(ACTOR)


def target_of(client: ClientRecord, parameters: Parameters, subject: Mapping[str, Any]) -> Target:
    """Return what the new token is for; raises InvalidTarget.

    That is what the person allowed, or what operators have named for this client by hand.
    """
    if parameters.get("audience") is not None:
        raise errors.InvalidTarget(AUDIENCE)
    allowed = introspect.audience(subject)
    requested = parameters.resources or tuple(allowed)
    return narrowed_target(client, requested, [*allowed, *(client.resources or ())])


def narrowed(
    client: ClientRecord, target: Target, subject: Mapping[str, Any], asked: tuple[str, ...]
) -> tuple[str, ...]:
    """Keep the wanted scopes that this client and the resource may have; raises InvalidScope.

    What tells who a person is was allowed to the app that asked them, and is not passed on.
    """
    held = [each for each in subject.get("scope", "").split() if each not in scopes.BUILT_IN]
    if not held or not set(asked) <= set(held):
        raise errors.InvalidScope(BEYOND)
    return within(client, target, asked or held)
