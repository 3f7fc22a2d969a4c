"""Owns the secrets of connections: each sealed for its row, or in the settings alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Row

from app.domain import credentials, errors, private_keys
from app.domain.connection_drafts import Draft
from app.domain.connection_records import ENVIRONMENT, Connection, facts, open_members


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a connection proves itself with; without either the key of this server signs."""

    client_secret: str = field(default="", repr=False)
    private_key: Mapping[str, Any] | None = field(default=None, repr=False)


def secrets_of(
    row: Connection | Row[Any], sealing_key: bytes, environment: Mapping[str, Draft]
) -> Secrets:
    """Return what a login proves itself with, from its seals or from the settings.

    Raises ValueError for a seal of another row, Conflict when this process has other settings.
    """
    if row.source == ENVIRONMENT:
        draft = environment.get(row.name)
        if draft is None or open_members(draft) != facts(row):
            raise errors.Conflict(
                "The environment of this process does not say this of the connection;"
                " restart it with the settings of the others."
            )
        return Secrets(draft.client_secret)
    secret = opened(row.secret_sealed, row.id, "client_secret", sealing_key)
    key = opened(row.private_key_sealed, row.id, "private_key", sealing_key)
    return Secrets(secret.decode(), orjson.loads(key) if key else None)


def registration_token_of(row: Connection | Row[Any], sealing_key: bytes) -> str:
    """Return what manages the client at the other server (RFC 7592); empty when there is none.

    Raises ValueError for a seal of another row.
    """
    token = row.registration_token_sealed
    return opened(token, row.id, "registration_token", sealing_key).decode()


def opened(sealed: bytes | None, row_id: str, member: str, sealing_key: bytes) -> bytes:
    """Open a seal of one row; nothing is in none."""
    return credentials.unseal(sealing_key, sealed, bound(row_id, member)) if sealed else b""


def seals(row_id: str, draft: Draft, sealing_key: bytes) -> dict[str, bytes | None]:
    """Return the columns of the secrets of a draft, sealed for one row."""
    key = orjson.dumps(private_keys.read(draft.private_key)) if draft.private_key else b""
    return {
        column: sealed(plain, row_id, member, sealing_key)
        for column, member, plain in (
            ("secret_sealed", "client_secret", draft.client_secret.encode()),
            ("private_key_sealed", "private_key", key),
        )
    }


def sealed(plain: bytes, row_id: str, member: str, sealing_key: bytes) -> bytes | None:
    """Seal a secret for one row; nothing stays nothing."""
    return credentials.seal(sealing_key, plain, bound(row_id, member)) if plain else None


def bound(row_id: str, member: str) -> str:
    """Name the row and the member that a seal is for."""
    return f"connections:{row_id}:{member}"
