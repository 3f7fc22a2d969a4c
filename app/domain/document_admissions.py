"""Owns how a document becomes a client, and how a client follows its document."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app import clock
from app.domain import (
    admissions,
    client_documents,
    clients,
    document_rules,
    errors,
    fingerprints,
    policy_versions,
    software,
)
from app.domain.audit import Actor
from app.domain.client_metadata import MetadataRules
from app.domain.client_records import Client
from app.domain.evidence import Evidence
from app.domain.policies import Verdict

UNREAD: dict[str, Any] = {"grant_types": []}
"""Metadata of a document that nobody has read."""


def check_beforehand(url: str, *, address: str, user_agent: str) -> None:
    """Raise AdmissionRefused when policy refuses a document whatever it may say."""
    arrival = unread(url, address=address, user_agent=user_agent)
    admissions.check_admissible(arrival, policy_versions.in_force().foresee(arrival))


def unread(url: str, *, address: str = "", user_agent: str = "") -> Evidence:
    """Return what is known about a document that nobody has read."""
    mark = fingerprints.of_document(url)
    arrival = Evidence("cimd", UNREAD, mark, None, address, user_agent[:200], document_url=url)
    known = software.find_by_fingerprint(mark)
    if known is None:
        return arrival
    standing = software.standing(known.status, known.approved_until, clock.epoch())
    return replace(arrival, software_id=known.id, software_status=standing)


def says_the_same(url: str, digest: str) -> bool:
    """Tell whether a document says what it said the last time, to a client that exists."""
    row = client_documents.find(url)
    return row is not None and row.digest == digest and find_client(url) is not None


def find_client(url: str) -> Client | None:
    """Return the client of a document, None when it was deleted."""
    client = clients.find(url)
    return None if client is None or client.state == "deleted" else client


def take(arrival: Evidence, verdict: Verdict, seconds: int, *, by: Actor) -> None:
    """Register the client of a document, or change it to what the document says now.

    The document is fresh for so many seconds. Raises AdmissionRefused when policy refuses, and
    Conflict when somebody else was faster.
    """
    url = arrival.document_url
    client = find_client(url)
    if client is None:
        admissions.register(arrival, verdict, by=by)
    else:
        admissions.change(client, arrival, verdict, by=by)
    client_documents.keep(url, fingerprints.revision(arrival.metadata), seconds)


def pin(
    url: str, document: object, rules: MetadataRules, *, by: Actor, brands: Sequence[str] = ()
) -> None:
    """Take a document from an operator and fetch it no more.

    It is an arrival like any other: policy judges it, and what it widens waits for approval.
    """
    if not document_rules.is_url(url):
        raise errors.InvalidRequest(
            "The URL of a document is https, with a host and a path, without query and fragment."
        )
    metadata = document_rules.read(url, document, rules)
    if not says_the_same(url, fingerprints.revision(metadata)):
        arrival = admissions.evidence(
            metadata,
            source="cimd",
            initial_access_token=None,
            address="",
            user_agent="",
            brands=brands,
            document_url=url,
            is_new=find_client(url) is None,
        )
        take(arrival, policy_versions.in_force().judge(arrival), 0, by=by)
    client_documents.pin(url, by=by)
