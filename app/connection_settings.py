"""Owns the settings of connections: a group of variables for each, all its faults, its row."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app import secret_files
from app.domain import connection_drafts
from app.domain.connection_drafts import Draft

PREFIX = f"{secret_files.PREFIX}CONNECTION_"
SECRET, SECRET_FILE = "client_secret", "client_secret_file"
NO_NUMBER = -1
NAME_SHAPE = "1 to 64 capitals, digits and _, with no _ at its ends"


class Member(NamedTuple):
    """What one variable of a group is about."""

    kind: str
    description: str


MEMBERS = {
    "token_endpoint": Member("text", "URL that gives this server its tokens, or else the issuer."),
    "issuer": Member("text", "Issuer whose metadata name that URL."),
    "client_id": Member("text", "This server's client_id there."),
    SECRET: Member("text, *secret*", "Its client_secret there; private_key_jwt needs none."),
    "auth_method": Member(
        " or ".join(f"`{method}`" for method in connection_drafts.AUTH_METHODS),
        "How it proves itself there; private_key_jwt signs with this server's own key.",
    ),
    "scope": Member("text", "Scopes to ask for; empty asks for none."),
    "resource": Member("text", "Resource to ask for (RFC 8707); empty asks for none."),
    "expiry_buffer_seconds": Member(
        "number of seconds, at least 0", "A token is renewed so long before it expires."
    ),
}

_ENDINGS = "|".join((*MEMBERS, SECRET_FILE)).upper()
_VARIABLE = re.compile(rf"{PREFIX}([A-Z0-9_]+)_({_ENDINGS})")


def split(variable: str) -> tuple[str, str] | None:
    """Return the connection and the member that a variable is about; None for another variable."""
    found = _VARIABLE.fullmatch(variable)
    name = found[1].lower().replace("_", "-") if found else ""
    if found is None or not connection_drafts.is_name(name):
        return None
    return name, found[2].lower()


def variable(name: str, member: str) -> str:
    """Return the variable of a member of a connection."""
    return f"{PREFIX}{name.upper().replace('-', '_')}_{member.upper()}"


def read(environ: Mapping[str, str]) -> dict[str, Draft]:
    """Return the connections that variables name; ``faults`` says what is wrong with them."""
    groups: dict[str, dict[str, Any]] = {}
    for given, value in sorted(environ.items()):
        about = split(given.upper()) if value else None
        if about is not None:
            name, member = about
            groups.setdefault(name, {}).update(said(member, value))
    return {name: Draft(**members) for name, members in groups.items()}


def said(member: str, value: str) -> dict[str, str | int]:
    """Return what one variable says of a draft."""
    if member == SECRET_FILE:
        return {SECRET: secret_files.read(value) or ""}
    return {member: number(value) if member == "expiry_buffer_seconds" else value}


def number(text: str) -> int:
    """Read a number; what is none is one that no rule lets through."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else NO_NUMBER


def faults(environ: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong with the variables of connections, all of it, and never show a value."""
    for given in sorted(name for name, value in environ.items() if value):
        if given.upper().startswith(PREFIX) and split(given.upper()) is None:
            endings = ", ".join(f"_{member.upper()}" for member in (*MEMBERS, SECRET_FILE))
            yield (
                f"{given} must end with one of {endings}, and have before it the name of a"
                f" connection: {NAME_SHAPE}"
            )
    for name, draft in read(environ).items():
        unread = [*secret_files.faults_of(variable(name, SECRET), environ)]
        yield from unread
        for member, what in connection_drafts.faults(draft).items():
            if member != SECRET or not unread:
                yield f"{variable(name, member)} {what}"


def taken(name: str) -> str:
    """Say that people made a connection of this name."""
    return (
        f"{variable(name, '')}* set a connection that people have made as well: end theirs with"
        f" gatewright connection delete {name}, or choose another name"
    )
