"""What a row of the registration corpora is, and how rows are made."""

import json
from typing import Any, NamedTuple

REDIRECT = "invalid_redirect_uri"
METADATA = "invalid_client_metadata"
NO_STATEMENT = "invalid_software_statement"

GOOD: dict[str, Any] = {"client_name": "Probe", "redirect_uris": ["https://client.example/cb"]}


class Hostile(NamedTuple):
    """One body and the error code that must come back."""

    name: str
    body: dict[str, Any] | bytes
    error: str


class Tolerated(NamedTuple):
    """One body that is accepted, and members that must not survive."""

    name: str
    body: dict[str, Any]
    dropped: tuple[str, ...] = ()


def good(**changes: Any) -> dict[str, Any]:
    """Return a good body with members changed."""
    return {**GOOD, **changes}


def json_text(raw: str) -> bytes:
    """Return a JSON text with @ replaced by the members of a good body."""
    return raw.replace("@", json.dumps(GOOD)[1:-1]).encode()


def uris(rule: str, *sent: object) -> list[Hostile]:
    """Return a row for each value as the only redirect URI."""
    return rows(rule, "redirect_uris", REDIRECT, *([each] for each in sent))


def values(rule: str, member: str, *sent: object) -> list[Hostile]:
    """Return a row for each value of a member."""
    return rows(f"{rule} {member}", member, METADATA, *sent)


def rows(rule: str, member: str, error: str, *sent: object) -> list[Hostile]:
    """Return a row for each value of a member, and the error that it must give."""
    return [
        Hostile(f"{rule} {n} {value!a:.60}", good(**{member: value}), error)
        for n, value in enumerate(sent, start=1)
    ]
