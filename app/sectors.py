"""Owns asking a sector whether a client belongs to it (OpenID Connect Registration section 5)."""

from collections.abc import Mapping
from typing import Any

from flask import current_app

from app.domain import errors
from app.extensions import db
from app.outbound import json_answers
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError

SECONDS = 3
"""Clients that register give up after ten, and the registration gate may take nine."""
UNREAD = (
    "The sector_identifier_uri could not be retrieved; it must answer at a public https address"
    " with a JSON array, without a redirect."
)
UNLISTED = "The array at the sector_identifier_uri must list each of the redirect_uris exactly."


def check(metadata: Mapping[str, Any]) -> None:
    """Raise InvalidClientMetadata unless the sector lists every redirect URI, if one is named.

    Ends the transaction of the request before it asks: rows read earlier have to be read again.
    """
    uri = metadata.get("sector_identifier_uri")
    if uri is None:
        return
    db.session.rollback()
    outbound: Outbound = current_app.extensions["gatewright.outbound"]
    try:
        listed = json_answers.read_list(outbound.stranger(uri, seconds=SECONDS))
    except OutboundError as error:
        raise errors.InvalidClientMetadata(UNREAD, reason=error.reason) from None
    if any(each not in listed for each in metadata.get("redirect_uris", ())):
        raise errors.InvalidClientMetadata(UNLISTED)
