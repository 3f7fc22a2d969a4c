"""Owns what makes new metadata of a client a widening, which has to be approved first."""

from collections.abc import Mapping
from typing import Any

from app.domain import client_metadata, openid_metadata, redirect_uris

WATCHED = (
    *client_metadata.LOGOUT,
    "client_name",
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "contacts",
    "jwks",
    "jwks_uri",
    "token_endpoint_auth_method",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg",
    "request_object_signing_alg",
    "software_id",
    "initiate_login_uri",
)
"""Members whose change an approver must see, whatever the new value is."""
BINDING = frozenset(
    (
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "dpop_bound_access_tokens",
    )
)
"""Members by which a client binds itself; to leave one out again asks for more."""


def of(before: Mapping[str, Any], after: Mapping[str, Any], ceiling: frozenset[str]) -> list[str]:
    """Return the members in which new metadata asks for more, or for something else to trust."""
    localised = sorted({name for name in (*before, *after) if "#" in name})
    found = [name for name in (*WATCHED, *localised) if after.get(name) != before.get(name)]
    portless = redirect_uris.without_loopback_port
    old, new = (set(map(portless, each.get("redirect_uris", ()))) for each in (before, after))
    if not new <= old:
        found.append("redirect_uris")
    if not set(after["grant_types"]) <= set(before["grant_types"]):
        found.append("grant_types")
    if openid_metadata.sector_of(before) != openid_metadata.sector_of(after):
        found.append("subject_type")
    found += sorted(BINDING & (before.keys() - after.keys()))
    if not set(after.get("scope", "").split()) <= ceiling | set(before.get("scope", "").split()):
        found.append("scope")
    return found
