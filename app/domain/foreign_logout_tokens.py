"""Owns logout tokens of identity providers: their claims, each used once, and what they ended.

OpenID Connect Back-Channel Logout section 2.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, String, exists
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from app import clock
from app.domain import credentials, errors, foreign_jwts
from app.domain.foreign_id_tokens import LEEWAY_SECONDS, is_identifier
from app.domain.foreign_jwts import ForeignJwt
from app.domain.identity_providers import Provider
from app.extensions import Base, insert_once

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPES = ("jwt", "logout+jwt")
OLDEST_SECONDS = 3600
"""A token that was made longer ago does not count, and no sign-in is under way for so long."""

SHAPE = (
    "logout_token must be one JWT in compact form of the type logout+jwt, signed asymmetrically"
    " with a key that its header does not bring along."
)
CLAIMS = (
    "The logout_token must have jti, sid or sub or both, and events with the event of back-channel"
    " logout, and must not have a nonce."
)
PARTIES = (
    "The iss of the logout_token must be the issuer of this provider, and its aud the client_id of"
    " this server there and nothing else."
)
DATES = "The logout_token must be valid now, have exp and iat, and be no older than an hour."
REPLAYED = "The logout_token was used before; make a new one, with a jti of its own."


class ForeignLogoutToken(Base):
    """One that was used; sign-ins that had begun before it end with it, although they come late."""

    __tablename__ = "foreign_logout_tokens"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Of provider and ``jti``."""
    named_digest: Mapped[str] = mapped_column(String(64), index=True)
    """Of provider and ``sid``, without one of provider and ``sub``."""
    used_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class Origin(NamedTuple):
    """The sign-in at a provider that a session began with, under the names of its columns."""

    provider: str
    provider_subject_digest: str
    provider_sid_digest: str | None
    provider_asked_at: int
    """When the browser was sent there."""


def origin(provider: Provider, claims: Mapping[str, Any], asked_at: int) -> Origin:
    """Return what a session keeps of the ID token that it begins with."""
    has_sid = is_identifier(claims.get("sid"))
    return Origin(
        provider.name,
        key(provider, "sub", claims["sub"]),
        key(provider, "sid", claims["sid"]) if has_sid else None,
        asked_at,
    )


def read(text: str, provider: Provider) -> ForeignJwt:
    """Return a logout token whose signature is still to be checked; raises InvalidRequest."""
    jwt, known = foreign_jwts.read(text, TYPES), {"provider": provider.name}
    if jwt is None:
        raise errors.InvalidRequest(SHAPE, **known)
    if not is_logout(jwt.claims):
        raise errors.InvalidRequest(CLAIMS, **known)
    client_id = provider.draft.client_id
    is_ours = jwt.claims.get("aud") in (client_id, [client_id])
    if jwt.claims.get("iss") != provider.draft.issuer or not is_ours:
        raise errors.InvalidRequest(PARTIES, **known)
    if not is_in_time(jwt.claims, clock.epoch()):
        raise errors.InvalidRequest(DATES, **known)
    return jwt


def is_logout(claims: Mapping[str, Any]) -> bool:
    """Tell whether claims say that somebody signed out, and cannot be those of an ID token."""
    events, named = claims.get("events"), claims.keys() & {"sid", "sub"}
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        return False
    is_named = all(is_identifier(claims.get(member)) for member in ("jti", *named))
    return is_named and bool(named) and "nonce" not in claims


def is_in_time(claims: Mapping[str, Any], now: int) -> bool:
    """Tell whether the dates hold; ``exp`` and ``iat`` must be there."""
    dated = "exp" in claims and "iat" in claims
    if not dated or not foreign_jwts.are_in_time(claims, now, LEEWAY_SECONDS):
        return False
    return bool(claims["iat"] > now - OLDEST_SECONDS)


def spend(jwt: ForeignJwt, provider: Provider, session_seconds: int) -> str:
    """Use up a token whose signature was proven; return the digest of what it names.

    Raises InvalidRequest for the second use. It is kept for as long as a session may live.
    """
    named, now = "sid" if "sid" in jwt.claims else "sub", clock.epoch()
    digest = key(provider, named, jwt.claims[named])
    fresh = insert_once(
        ForeignLogoutToken,
        token_digest=key(provider, "jti", jwt.claims["jti"]),
        named_digest=digest,
        used_at=now,
        expires_at=now + session_seconds + OLDEST_SECONDS,
    )
    if not fresh:
        raise errors.InvalidRequest(REPLAYED, provider=provider.name)
    return digest


def ended(
    subject_digest: InstrumentedAttribute[str | None],
    sid_digest: InstrumentedAttribute[str | None],
    asked_at: InstrumentedAttribute[int | None],
) -> ColumnElement[bool]:
    """Return the condition of sessions that a token has ended, also before they were stored here.

    A sign-in that was under way when the token came stores its session later.
    """
    used = ForeignLogoutToken
    return exists().where(
        used.named_digest.in_((subject_digest, sid_digest)), used.used_at >= asked_at
    )


def key(provider: Provider, member: str, value: str) -> str:
    """Return the digest of what a provider names; others may give the same name to something."""
    return credentials.digest(f"{provider.name}\0{provider.draft.issuer}\0{member}\0{value}")
