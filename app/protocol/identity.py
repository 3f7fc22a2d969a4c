"""Owns who a person is to a client: the subject, and the ID token of a token answer."""

from collections.abc import Mapping
from typing import Any

from app.config import current_key
from app.domain import id_tokens, identity_claims, profiles, subjects
from app.domain.client_records import ClientRecord
from app.domain.grants import TokenRules
from app.protocol.ceilings import current_keys


def subject(client: ClientRecord, user_id: str) -> str:
    """Return the ``sub`` by which a client knows a person, in all but what it has exchanged."""
    return subjects.of(user_id, client.openid.sector, current_key("pairwise subjects"))


def id_token(
    rules: TokenRules,
    client: ClientRecord,
    grant: Mapping[str, Any],
    answer: Mapping[str, Any],
    nonce: str | None = None,
) -> dict[str, str]:
    """Return the member of a token answer that tells who its grant is of, if openid is in it."""
    if "openid" not in answer.get("scope", "").split():
        return {}
    asked = (grant["claims"] or {}).get("id_token", ())
    known = profiles.claims_of(grant["user_id"]) if asked else None
    token = id_tokens.mint(
        rules,
        current_keys(),
        client_id=client.client_id,
        subject=subject(client, grant["user_id"]),
        grant=grant,
        access_token=answer["access_token"],
        nonce=nonce,
        told=identity_claims.chosen(known or {}, asked),
        algorithm=client.openid.id_token_algorithm,
    )
    return {"id_token": token}
