"""Owns what ends when a client becomes something else: consents to what it was, lost ways back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.domain import consents, grants, openid_metadata
from app.domain.audit import Actor
from app.domain.authorization_codes import AuthorizationCode
from app.domain.client_records import Client
from app.domain.grants import Grant
from app.domain.redirect_uris import matches
from app.extensions import db

SEEN = ("client_name", "client_uri", "logo_uri", "jwks", "jwks_uri")
"""Members that tell people and this server who asks, beside the redirect URIs."""


def end_outdated(client: Client, after: Mapping[str, Any], *, by: Actor) -> None:
    """End what was given to a client as it was, before other metadata serve.

    People are asked anew when it shows itself otherwise, and what went through a redirect URI that
    it has no more ends. Comes before the client's own row is locked, as in ``end_holdings``.
    """
    before = client.client_metadata
    old, left = (each.get("redirect_uris", []) for each in (before, after))
    if openid_metadata.sector_of(before) != openid_metadata.sector_of(after):
        grants.revoke_of_client(client.client_id, openid_metadata.SUBJECTS_CHANGED, by=by)
    elif set(old) == set(left) and all(before.get(name) == after.get(name) for name in SEEN):
        return
    consents.revoke(client_id=client.client_id, by=by)
    if all(any(matches(uri, each) for uri in left) for each in old):
        return
    ways = select(AuthorizationCode.grant_id, AuthorizationCode.redirect_uri).where(
        AuthorizationCode.client_id == client.client_id, AuthorizationCode.grant_id.is_not(None)
    )
    found = db.session.execute(ways).all()
    kept = [grant for grant, way in found if any(matches(uri, way) for uri in left)]
    grants.revoke_where(
        (Grant.client_id == client.client_id) & Grant.id.not_in(kept),
        "its redirect URI was removed",
        by=by,
    )
