"""Owns this door's way to the public keys that others publish at a URI."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import current_app

from app.extensions import db
from app.outbound.key_sets import KeySets


def find(uri: str, kid: str | None) -> Iterable[Mapping[str, Any]]:
    """Return the keys at a URI that a signature may be checked with; raises OutboundError.

    Ends the transaction of the request before it fetches: rows read earlier have to be read again.
    """
    db.session.rollback()
    return key_sets().find(uri, kid)


def key_sets() -> KeySets:
    """Return what fetches and keeps them."""
    found: KeySets = current_app.extensions["gatewright.key_sets"]
    return found
