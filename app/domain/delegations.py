"""Owns who acts for a person by a token: the last client first, those before it inside."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain import errors

MOST_ACTORS = 4
TOO_LONG = (
    "The subject_token was passed on as often as this server allows; use one that went a shorter"
    " way."
)


def add(client_id: str, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the ``act`` of a token that a client gets for another one (RFC 8693 section 4.1)."""
    if len([*actors(before)]) >= MOST_ACTORS:
        raise errors.InvalidRequest(TOO_LONG)
    return {"sub": client_id} | ({} if before is None else {"act": dict(before)})


def actors(act: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the clients of an ``act`` of ours, the one that acts now first."""
    while act is not None:
        yield act["sub"]
        act = act.get("act")
