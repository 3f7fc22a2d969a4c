"""Owns who acts for a person by a token: the last client first, those before it inside."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain import errors

MOST_ACTORS = 4
TOO_LONG = (
    "The subject_token was passed on as often as this server allows; use one that went a shorter"
    " way."
)


def claims_of(client_id: str, subject: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a token says of whom a client got it for, and for which token.

    That is ``act`` (RFC 8693 section 4.1), and a claim of our own with each ``jti`` on the way.
    """
    before = {"act": subject["act"]} if "act" in subject else {}
    derived_from = [*subject.get("derived_from", ()), subject["jti"]]
    if len(derived_from) > MOST_ACTORS:
        raise errors.InvalidRequest(TOO_LONG)
    return {"act": {"sub": client_id} | before, "derived_from": derived_from}


def actors(act: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the clients of an ``act`` of ours, the one that acts now first."""
    while act is not None:
        yield act["sub"]
        act = act.get("act")
