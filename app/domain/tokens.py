"""Owns access tokens: how they are made, read back and revoked."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, String, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, signing_keys
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.grants import TokenRules
from app.domain.signing_keys import Keys
from app.extensions import Base, db, fetch_row, insert_once

ACCESS_TOKEN = "at+jwt"
TYPE_URN = "urn:ietf:params:oauth:token-type:access_token"
"""What requests call an access token (RFC 8693 section 3)."""
OF_GRANT = {"grant_id": "id", "auth_time": "auth_time"}
"""What a token says of its grant; nobody has signed in for one that others vouched for."""


class RevokedAccessToken(Base):
    """An access token that was revoked on its own, by ``jti``."""

    __tablename__ = "revoked_access_tokens"

    jti: Mapped[str] = mapped_column(String(36), primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


def mint(
    rules: TokenRules,
    keys: Keys,
    *,
    client_id: str,
    subject: str,
    scopes: Sequence[str],
    audience: Sequence[str],
    seconds: int | None = None,
    until: int | None = None,
    grant: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] = {},
) -> dict[str, Any]:
    """Return a token answer (RFC 6749 section 5.1) with a JWT access token (RFC 9068).

    ``more`` are claims beside its own: what it is bound to, and through whom it came.
    """
    now = clock.epoch()
    ends = now + (seconds or rules.access_token_seconds)
    ends = ends if until is None else min(ends, until)
    claims: dict[str, Any] = {
        **more,
        "iss": rules.issuer,
        "sub": subject,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "client_id": client_id,
        "iat": now,
        "exp": ends,
        "jti": credentials.new_id(),
    }
    if scopes:
        claims["scope"] = " ".join(scopes)
    if grant is not None:
        claims |= {name: grant[key] for name, key in OF_GRANT.items() if grant[key]}
    answer = {
        "access_token": signing_keys.sign(keys, ACCESS_TOKEN, claims),
        "token_type": token_type(claims),
        "expires_in": ends - now,
    }
    return answer | {"scope": claims["scope"]} if scopes else answer


def bound(jkt: str | None) -> dict[str, Any]:
    """Return the claim that binds a token to a key, if one was proven (RFC 9449 section 6.1)."""
    return {} if jkt is None else {"cnf": {"jkt": jkt}}


def token_type(claims: Mapping[str, Any]) -> str:
    """Return by which scheme an access token is presented (RFC 9449 section 5)."""
    return "DPoP" if "cnf" in claims else "Bearer"


def revoke_access(claims: Mapping[str, Any], *, by: Actor) -> None:
    """End one access token before its time."""
    if insert_once(RevokedAccessToken, jti=claims["jti"], expires_at=claims["exp"]):
        audit.record(
            Tag.TOKEN_REVOKED, claims["jti"], by=by, client_id=claims["client_id"], kind="access"
        )


def live_claims(keys: Keys, issuer: str, token: str) -> dict[str, Any] | None:
    """Return the claims of an access token that is ours, in time and not revoked, or None.

    Whether its client still stands is for the caller to look up.
    """
    claims = signing_keys.verify(keys, ACCESS_TOKEN, token)
    if claims is None or claims.get("iss") != issuer or claims["exp"] <= clock.epoch():
        return None
    return None if is_revoked(claims) else claims


def are_unrevoked(identifiers: Collection[str]) -> bool:
    """Tell whether none of some access tokens was ended on its own."""
    if not identifiers:
        return True
    ended = select(RevokedAccessToken.jti).where(RevokedAccessToken.jti.in_(identifiers))
    return db.session.scalar(ended.limit(1)) is None


def is_revoked(claims: Mapping[str, Any]) -> bool:
    """Tell whether an access token or the grant behind it was ended."""
    ended, grant_live = fetch_row(REVOKED, claims["jti"], claims.get("grant_id", ""))
    return ended is not None or (grant_live is None and "grant_id" in claims)


REVOKED = (
    "SELECT (SELECT 1 FROM revoked_access_tokens WHERE jti = ?),"
    " (SELECT 1 FROM grants WHERE id = ? AND revoked_at IS NULL)"
)
