"""Owns by which ``sub`` a client knows a person (OpenID Connect Core section 8)."""

from app.domain import credentials


def of(user_id: str, sector: str | None, key: bytes) -> str:
    """Return the same identifier to all clients, or one that only those of a sector are told."""
    if sector is None:
        return user_id
    return credentials.derive(key, "pairwise subject", f"{sector}\0{user_id}")
