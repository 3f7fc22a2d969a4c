"""Owns the tokens of others' token endpoints: each sealed for its row, connection and owner."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from app.domain import credentials


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token endpoint answered; in the answer to a refresh what is empty has not changed."""

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    scopes: Sequence[str] = ()
    expires_at: int | None = None
    """When the access token ends, if that was said; what was said before does not count."""


def tokens_of(row: Row[Any], sealing_key: bytes) -> Tokens:
    """Open the tokens of a grant; raises ValueError for those of another row, column or owner."""
    whose = (row.id, row.connection_id, row.owner)
    access, refresh = (
        credentials.unseal(sealing_key, sealed, bound(whose, member)).decode() if sealed else ""
        for member, sealed in (
            ("access_token", row.access_token_sealed),
            ("refresh_token", row.refresh_token_sealed),
        )
    )
    return Tokens(access, refresh, tuple(row.scopes), row.expires_at)


def seals(tokens: Tokens, sealing_key: bytes, whose: tuple[str, str, str]) -> dict[str, bytes]:
    """Return the columns of the tokens that there are, sealed for a row, connection and owner."""
    plain = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}
    return {
        f"{member}_sealed": credentials.seal(sealing_key, token.encode(), bound(whose, member))
        for member, token in plain.items()
        if token
    }


def bound(whose: tuple[str, str, str], member: str) -> str:
    """Name the row, the connection and the owner that a token is sealed for."""
    return ":".join(("connection_grants", *whose, member))
