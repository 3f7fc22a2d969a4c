"""Owns what ties registrations to one software, and the hash that a decision binds to."""

from collections.abc import Mapping
from typing import Any

import orjson

from app.domain import credentials, grant_types, openid_metadata, redirect_uris, skeletons


def of_metadata(metadata: Mapping[str, Any]) -> str | None:
    """Return what ties registrations to one software, or None when nothing safely does.

    A grant without redirect is not tied down by redirect URIs, so each such client is software
    of its own and is approved alone. What was approved to know people by pairwise subjects is
    other software than what would know them by those of everybody.
    """
    uris = sorted(set(map(redirect_uris.without_loopback_port, metadata.get("redirect_uris", []))))
    if not uris or grant_types.WITHOUT_REDIRECT & set(metadata["grant_types"]):
        return None
    sector = openid_metadata.sector_of(metadata)
    apart = [] if sector is None else [sector]
    if "software_id" in metadata:
        facts = ["software_id", metadata["software_id"], uris, *apart]
        return credentials.thumbprint(canonical(facts))
    facts = [
        "name",
        skeletons.skeleton(metadata.get("client_name", "")),
        uris,
        sorted(metadata["grant_types"]),
        metadata["token_endpoint_auth_method"],
        metadata.get("jwks"),
        metadata.get("jwks_uri"),
        *apart,
    ]
    return credentials.thumbprint(canonical(facts))


def revision(metadata: Mapping[str, Any]) -> str:
    """Return the hash of metadata that a decision binds to."""
    return credentials.thumbprint(canonical(dict(metadata)))


def canonical(value: Any) -> str:
    """Write JSON with sorted members."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def of_document(url: str) -> str:
    """Return the fingerprint of the software whose metadata document is at a URL."""
    return credentials.thumbprint(f"document\0{url}")


def of_statement(issuer: str, mark: str | None) -> str | None:
    """Return the fingerprint of software that an issuer vouches for, given that without it.

    They differ, so that an approval of the one never lets in the other, which anybody can claim
    to be. An empty issuer vouches for nothing.
    """
    if not issuer or mark is None:
        return mark
    return credentials.thumbprint(f"statement\0{issuer}\0{mark}")


def of_change(client_id: str, metadata: Mapping[str, Any], statement_issuer: str = "") -> str:
    """Return the fingerprint of what a client wants to become, of itself alone if need be.

    A document can become anything, so what it says at one time is approved alone.
    """
    if client_id.startswith("https://"):
        return of_variant(client_id, metadata)
    mark = of_statement(statement_issuer, of_metadata(metadata))
    return mark or credentials.thumbprint(f"client\0{client_id}")


def of_variant(client_id: str, metadata: Mapping[str, Any]) -> str:
    """Return the fingerprint of one client's own variant of its software."""
    return credentials.thumbprint(f"revision\0{client_id}\0{revision(metadata)}")
