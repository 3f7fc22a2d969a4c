"""Owns by what software is recognised, and what evidence holds of it when it was seen before."""

from collections.abc import Mapping
from typing import Any

from app import clock
from app.domain import client_documents, client_lists, fingerprints, software

HOUR = 3600


def mark_of(metadata: Mapping[str, Any], document_url: str, issuer: str) -> str | None:
    """Return the fingerprint of an arrival, that of its document or statement if it has one."""
    if document_url:
        return client_documents.mark(document_url, metadata)
    return fingerprints.of_statement(issuer, fingerprints.of_metadata(metadata))


def known_of(mark: str | None, is_new: bool) -> dict[str, Any]:
    """Return what evidence holds of the software with a fingerprint; nothing of one not seen.

    ``is_new`` tells a new client from one that changes itself.
    """
    row = None if mark is None else software.find_by_fingerprint(mark)
    if row is None:
        return {}
    return {
        "software_id": row.id,
        "software_status": software.standing(row.status, row.approved_until, clock.epoch()),
        "takes_newcomers": row.closed_at is None or not is_new,
        "seen_count": row.seen_count,
        "arrivals_last_hour": client_lists.count_since(row.id, clock.epoch() - HOUR),
    }
