"""Owns the settings of identity providers: a group of variables for each, and all its faults."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app import secret_files
from app.connection_settings import NAME_SHAPE, SECRET, SECRET_FILE, Member
from app.domain import connection_drafts, identity_provider_drafts
from app.domain.identity_provider_drafts import Draft

PREFIX = f"{secret_files.PREFIX}IDP_"
MEMBERS = {
    "issuer": Member("text", "Issuer of an identity provider, byte for byte as it names itself."),
    "client_id": Member("text", "This server's client_id there."),
    SECRET: Member("text, *secret*", "Its client_secret there."),
    "scope": Member("text", "Scopes to ask for, openid among them."),
    "allowed_domains": Member(
        "words separated by spaces", "Domains of e-mail addresses that may sign in; empty is all."
    ),
}

_ENDINGS = "|".join((*MEMBERS, SECRET_FILE)).upper()
_VARIABLE = re.compile(rf"{PREFIX}([A-Z0-9_]+)_({_ENDINGS})")


def split(variable: str) -> tuple[str, str] | None:
    """Return the provider and the member that a variable is about; None for another variable."""
    found = _VARIABLE.fullmatch(variable)
    name = found[1].lower().replace("_", "-") if found else ""
    if found is None or not connection_drafts.is_name(name):
        return None
    return name, found[2].lower()


def variable(name: str, member: str) -> str:
    """Return the variable of a member of a provider."""
    return f"{PREFIX}{name.upper().replace('-', '_')}_{member.upper()}"


def read(environ: Mapping[str, str]) -> dict[str, Draft]:
    """Return the providers that variables name; ``faults`` says what is wrong with them."""
    groups: dict[str, dict[str, Any]] = {}
    for given, value in sorted(environ.items()):
        about = split(given.upper()) if value else None
        if about is not None:
            name, member = about
            groups.setdefault(name, {}).update(said(member, value))
    return {name: Draft(**members) for name, members in groups.items()}


def said(member: str, value: str) -> dict[str, str]:
    """Return what one variable says of a draft."""
    if member == SECRET_FILE:
        return {SECRET: secret_files.read(value) or ""}
    return {member: " ".join(value.replace(",", " ").split()) if "domains" in member else value}


def faults(environ: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong with the variables of providers, all of it, and never show a value."""
    for given in sorted(name for name, value in environ.items() if value):
        if given.upper().startswith(PREFIX) and split(given.upper()) is None:
            endings = ", ".join(f"_{member.upper()}" for member in (*MEMBERS, SECRET_FILE))
            yield (
                f"{given} must end with one of {endings}, and have before it the name of an"
                f" identity provider: {NAME_SHAPE}"
            )
    for name, draft in read(environ).items():
        unread = [*secret_files.faults_of(variable(name, SECRET), environ)]
        yield from unread
        for member, what in identity_provider_drafts.faults(draft).items():
            if member != SECRET or not unread:
                yield f"{variable(name, member)} {what}"
