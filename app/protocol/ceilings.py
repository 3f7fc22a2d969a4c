"""Owns what a request may get: the resource, the scopes and the rules of its tokens."""

from collections.abc import Iterable

from app.config import Settings, current_key, current_settings
from app.domain import errors, resources, scopes, signing_keys
from app.domain.client_records import ClientRecord
from app.domain.dpop_refusals import InvalidDpopProof
from app.domain.grants import TokenRules
from app.domain.resources import Target
from app.protocol import caller


def rules(settings: Settings) -> TokenRules:
    """Return the settings that decide about tokens."""
    return TokenRules(
        issuer=settings.issuer,
        access_token_seconds=settings.access_token_seconds,
        refresh_idle_seconds=settings.refresh_idle_seconds,
        refresh_absolute_seconds=settings.refresh_absolute_seconds,
        refresh_grace_seconds=settings.refresh_grace_seconds,
        successor_key=current_key("refresh successors"),
    )


def current_keys() -> signing_keys.Keys:
    """Return the imported signing keys."""
    generation = caller.current_generations()["keys"]
    return signing_keys.current(current_key("signing keys"), generation)


def check_grant(client: ClientRecord, grant_type: str) -> None:
    """Raise UnauthorizedClient unless a client is registered for a grant (RFC 6749 section 5.2)."""
    if grant_type not in client.grant_types:
        raise errors.UnauthorizedClient(
            "The client is not registered for this grant type; update its registration."
        )


def check_proven(client: ClientRecord, jkt: str | None) -> None:
    """Raise InvalidDpopProof when a client proves no key that its tokens have to be bound to."""
    if client.binds and jkt is None:
        raise InvalidDpopProof(
            "The tokens of this client are bound to a key; send a DPoP proof in the DPoP header."
        )


def may_refresh(client: ClientRecord, granted: Iterable[str]) -> bool:
    """Tell whether a grant comes with a refresh token.

    Who signs people in asks for it with a scope of its own (OpenID Connect Core section 11).
    """
    names = frozenset(granted)
    asked = "openid" not in names or "offline_access" in names
    return asked and "refresh_token" in client.grant_types


def target_of(client: ClientRecord, requested: tuple[str, ...]) -> Target:
    """Return what a request is for; raises InvalidTarget beyond the client's resources."""
    default = current_settings().resource
    known = resources.catalogue(caller.current_generations()["clients"], default)
    target = resources.resolve(known, requested, default)
    if client.resources is not None and not client.resources >= set(target.audience):
        raise errors.InvalidTarget(
            "This client is not approved for the requested resource;"
            " ask the operators of this server."
        )
    return target


def narrow(requested: Iterable[str], client: ClientRecord, target: Target) -> tuple[str, ...]:
    """Keep what client and resource allow; raises InvalidScope when nothing is left.

    Without a request everything allowed is granted, except telling who a person is.
    """
    asked = tuple(requested)
    allowed = client.scopes & target.scopes
    if not asked:
        return tuple(sorted(allowed - set(scopes.IDENTITY)))
    kept = tuple(name for name in asked if name in allowed)
    if not kept:
        raise errors.InvalidScope(
            "None of the requested scopes can be granted to this client at this resource;"
            " ask the operators of this server."
        )
    return kept


def narrowed_target(client: ClientRecord, requested: tuple[str, ...], granted: list[str]) -> Target:
    """Return the target among the granted resources; raises InvalidTarget beyond them."""
    target = target_of(client, requested or tuple(granted))
    if not set(target.audience) <= set(granted):
        raise errors.InvalidTarget("The resource was not part of the authorization request.")
    return target


def within(client: ClientRecord, target: Target, granted: Iterable[str]) -> tuple[str, ...]:
    """Keep the granted scopes that are still allowed; raises InvalidScope when none of them is."""
    asked = tuple(granted)
    kept = tuple(name for name in asked if name in client.scopes and name in target.scopes)
    if asked and not kept:
        raise errors.InvalidScope(
            "Nothing that was granted is allowed any more; ask the operators of this server."
        )
    return kept
