"""Owns what an approver should look at twice about new software."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.domain import grant_types, look_alikes, redirect_uris
from app.domain.look_alikes import Finding
from app.domain.software import Software
from app.extensions import db

COMPARED = 1000
"""New software is compared with so much approved software, the latest decisions first."""
PAGES = ("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri")
Approved = Sequence[tuple[str, list[str]]]
"""Names of approved software with the hosts it leads to."""


def notes(metadata: Mapping[str, Any], findings: Iterable[Finding] = ()) -> tuple[str, ...]:
    """Return what an approver should look at twice."""
    uris, name = metadata.get("redirect_uris", []), metadata.get("client_name", "")
    found = []
    if uris and all(map(redirect_uris.is_loopback, uris)):
        found.append(
            "Loopback only: any program on a person's computer could claim to be this app."
        )
    if any(not uri.startswith(("https:", "http:")) for uri in uris):
        found.append("Private-use scheme: another app on the device may claim the same scheme.")
    if "client_credentials" in metadata["grant_types"]:
        found.append("Acts for itself: no person signs in or consents.")
    if grant_types.DEVICE in metadata["grant_types"]:
        found.append("Signs people in on devices: whoever talks them into typing a code gets in.")
    if not name:
        found.append("It gives no name.")
    elsewhere = pages_elsewhere(metadata)
    if elsewhere:
        found.append(
            f"It names pages at {', '.join(elsewhere)}, where none of its redirects lead:"
            " look whether they are really its own."
        )
    found += [f"Look-alike of {each.resembles}. {each.reason}" for each in findings]
    return tuple(found)


def approved_names() -> Approved:
    """Return what new software is compared with."""
    query = (
        select(Software.name, Software.client_metadata)
        .where(Software.status == "approved")
        .order_by(Software.decided_at.desc())
        .limit(COMPARED)
    )
    return [(name, hosts_of(metadata)) for name, metadata in db.session.execute(query)]


def hosts_of(metadata: Mapping[str, Any]) -> list[str]:
    """Return the hosts that codes may go to."""
    return [redirect_uris.host_of(uri) for uri in metadata.get("redirect_uris", ())]


def pages_elsewhere(metadata: Mapping[str, Any]) -> list[str]:
    """Return the hosts of its pages that no redirect URI of it shares (RFC 7591 section 5)."""
    pages = {uri for name, uri in metadata.items() if name.partition("#")[0] in PAGES}
    return sorted(set(map(redirect_uris.host_of, pages)) - set(hosts_of(metadata)))


def findings(
    metadata: Mapping[str, Any],
    approved: Approved,
    brands: Iterable[str] = (),
    document_url: str = "",
) -> tuple[Finding, ...]:
    """Return what some metadata may be mistaken for; the host of a document counts as well."""
    hosts = hosts_of(metadata) + [redirect_uris.host_of(document_url)] * bool(document_url)
    return look_alikes.find(
        metadata.get("client_name", ""), hosts, approved=approved, brands=brands
    )
