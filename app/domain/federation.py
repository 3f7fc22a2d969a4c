"""Owns sign-in by identity providers: whose account it is, newcomers, linking and unlinking."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.domain import audit, claim_mappings, errors, federated_identities, profiles, users
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.claim_mappings import Person
from app.domain.foreign_id_tokens import FAILED
from app.domain.identity_providers import Provider
from app.domain.users import User
from app.extensions import db

OWNED = (
    "There is an account with your e-mail address here. Sign in to it as you do otherwise, then"
    " link the other server on the page of your account."
)
UNWELCOME = (
    "The other server knows you, and this one has no account for you; ask the operators of this"
    " server."
)
LAST_WAY = (
    "You could not sign in any more; link another server first, or ask the operators of this server"
    " for a password."
)
DISABLED = "The account is disabled."
UNLINKED = (
    "There is an account with this address that is not linked, so nobody is signed in; its owner"
    " can link the provider on the page of the account."
)
NO_SUBJECT = "The claims have no sub, so nobody is known by them."
LINKS = "It would be linked to the account with this address and signed in."
KNOWN = "It would be signed in to the account that it is linked to."
MAKES = "An account would be made and signed in."
UNKNOWN = "There is no account, and this provider makes none."


def sign_in(provider: Provider, claims: Mapping[str, Any], *, by: Actor) -> User:
    """Return whose account it is, as the trail has it; raises AccessDenied, Conflict."""
    person = admitted(provider, claims)
    identity = federated_identities.find(provider.draft.issuer, person.subject)
    user = users.get(identity.user_id) if identity else newcomer(provider, person, by=by)
    check_enabled(user)
    if identity is not None and identity.made_account:
        follow(provider, person, user, by=on_behalf_of(provider, by))
    federated_identities.touch(federated_identities.key(provider.draft.issuer, person.subject))
    who = users.acting(user, by)
    audit.record(Tag.USER_IDENTITY_USED, user.id, by=who, provider=provider.name)
    return user


def vouched(provider: Provider, claims: Mapping[str, Any], *, by: Actor) -> str:
    """Return whose account it is of somebody a provider vouches for at an app.

    Roles, and ways to accounts that are there, come with a sign-in alone. Raises AccessDenied,
    Conflict.
    """
    person = replace(admitted(provider, claims), role=claim_mappings.MEMBER, email_verified=None)
    known = federated_identities.owner(provider.draft.issuer, person.subject)
    return known or newcomer(provider, person, by=by).id


def foresee(provider: Provider, person: Person) -> tuple[str, User | None]:
    """Return what a sign-in would do now, in a sentence, and whose account it would be."""
    draft = provider.draft
    obstacle = claim_mappings.obstacle(draft, person)
    if obstacle or not person.subject:
        return obstacle or NO_SUBJECT, None
    identity = federated_identities.find(draft.issuer, person.subject)
    user = users.get(identity.user_id) if identity else users.find_by_email(person.email)
    if user is not None and user.disabled_at is not None:
        return DISABLED, user
    if user is not None and identity is None:
        may_link = draft.links_by_email and person.email_verified
        return (LINKS if may_link else UNLINKED), user
    if user is not None:
        return KNOWN, user
    if not has_address(person):
        return claim_mappings.NO_EMAIL, None
    return (MAKES if draft.makes_accounts else UNKNOWN), None


def link(user: User, provider: Provider, claims: Mapping[str, Any], *, by: Actor) -> None:
    """Let somebody who is signed in sign in by a provider; raises AccessDenied, Conflict."""
    person = admitted(provider, claims)
    check_enabled(user)
    tie(user, provider, person, by=by)


def unlink(user: User, identity_id: str, *, by: Actor) -> None:
    """Unlink a provider from an account; raises Conflict for the last way to sign in."""
    federated_identities.unlink(user.id, identity_id, by=by)
    fresh = select(User.password_hash).where(User.id == user.id).with_for_update()
    if db.session.scalar(fresh) is None and not federated_identities.of_user(user.id):
        raise errors.Conflict(LAST_WAY)


def note_failure(provider: str, failure: errors.Refusal, *, by: Actor) -> None:
    """Record that nobody was signed in, and why."""
    facts = {"reason": failure.description, **failure.facts}
    audit.record(Tag.USER_SIGN_IN_FAILED, "", by=by, provider=provider, **facts)


def admitted(provider: Provider, claims: Mapping[str, Any]) -> Person:
    """Return who it is; raises AccessDenied for whom the provider's settings keep out."""
    person = claim_mappings.read(provider.draft, claims)
    obstacle = claim_mappings.obstacle(provider.draft, person)
    if obstacle:
        raise errors.AccessDenied(UNWELCOME, reason=obstacle)
    return person


def newcomer(provider: Provider, person: Person, *, by: Actor) -> User:
    """Return the account of somebody who comes for the first time.

    An account with the same address is theirs only if the operators trust the provider with
    addresses, and it says that this one is verified.
    """
    if not has_address(person):
        raise errors.AccessDenied(UNWELCOME, reason=claim_mappings.NO_EMAIL)
    user, server = users.find_by_email(person.email), on_behalf_of(provider, by)
    is_new = user is None
    if user is None:
        user = made(provider, person, by=server)
    elif not (provider.draft.links_by_email and person.email_verified):
        raise errors.AccessDenied(OWNED, reason=UNLINKED)
    check_enabled(user)
    tie(user, provider, person, made_account=is_new, by=server)
    return user


def has_address(person: Person) -> bool:
    """Tell whether an account can have what a provider tells as the e-mail address."""
    return users.EMAIL.match(person.email) is not None


def made(provider: Provider, person: Person, *, by: Actor) -> User:
    """Return a new account, without a password."""
    if not provider.draft.makes_accounts:
        raise errors.AccessDenied(UNWELCOME, reason=UNKNOWN)
    user = users.add(users.check(person.email, person.role), person.role, None, by=by)
    user.name = person.name or None
    return user


def tie(
    user: User, provider: Provider, person: Person, *, made_account: bool = False, by: Actor
) -> None:
    """Link a person of a provider to an account."""
    federated_identities.link(
        user.id,
        issuer=provider.draft.issuer,
        subject=person.subject,
        provider=provider.name,
        made_account=made_account,
        by=by,
    )


def follow(provider: Provider, person: Person, user: User, *, by: Actor) -> None:
    """Renew the name of an account that a provider made, and the role where groups decide it.

    The last administrator keeps the role.
    """
    if person.name and person.name != user.name:
        profiles.rename(user, person.name, by=by)
    if not provider.draft.group_roles or user.role == person.role:
        return
    try:
        users.change_role(user, person.role, by=by)
    except errors.Conflict:
        return


def check_enabled(user: User) -> None:
    """Refuse a disabled account."""
    if user.disabled_at is not None:
        raise errors.AccessDenied(FAILED, reason=DISABLED, user_id=user.id)


def on_behalf_of(provider: Provider, by: Actor) -> Actor:
    """Return this server as the actor of what a provider decides."""
    return replace(by, kind="server", id="", name=f"identity provider {provider.name}")
