"""Owns authorization codes: issued after consent, redeemed at most once (RFC 6749 §4.1)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Row, String, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors, grants, session_clients
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.grants import TokenRules
from app.extensions import Base, JSONValue, db

VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}\Z")
"""RFC 7636 section 4.1."""
CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}\Z")
"""An S256 challenge is the base64url of 32 bytes (RFC 7636 section 4.2)."""
FAILED = (
    "The authorization code, its redirect_uri or its code_verifier does not match, or the code"
    " was used or is too old; start a new authorization request."
)
OTHER_KEY = (
    "The authorization code is bound to a key; send a DPoP proof of the key that its authorization"
    " request named."
)


class AuthorizationCode(Base):
    """One code, by digest; spent ones stay so that a replay ends the family."""

    __tablename__ = "authorization_codes"

    code_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    session_id: Mapped[str | None] = mapped_column(String(36), index=True)
    """The browser session it was issued in, with which it ends."""
    redirect_uri: Mapped[str] = mapped_column(String(2048))
    code_challenge: Mapped[str | None] = mapped_column(String(43))
    scopes: Mapped[list[str]] = mapped_column(JSONValue)
    resources: Mapped[list[str]] = mapped_column(JSONValue)
    nonce: Mapped[str | None] = mapped_column(String(512))
    claims: Mapped[dict[str, list[str]] | None] = mapped_column(JSONValue)
    auth_time: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    spent_at: Mapped[int | None] = mapped_column(BigInteger)
    grant_id: Mapped[str | None] = mapped_column(String(36))
    dpop_jkt: Mapped[str | None] = mapped_column(String(43))
    """The key that must be proven to redeem it (RFC 9449 section 10)."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a redeemed code stands for."""

    grant: dict[str, Any]
    nonce: str | None


def issue(
    *,
    client_id: str,
    user_id: str,
    session_id: str | None,
    redirect_uri: str,
    code_challenge: str | None,
    scopes: Sequence[str],
    resources: Sequence[str],
    nonce: str | None,
    auth_time: int,
    claims: dict[str, list[str]] | None = None,
    dpop_jkt: str | None = None,
    lifetime_seconds: int,
    by: Actor,
) -> str:
    """Store a code and return its value; its digest is what is kept."""
    value = credentials.new_secret(credentials.PREFIXES["code"])
    given: dict[str, Any] = {
        "client_id": client_id,
        "user_id": user_id,
        "scopes": list(scopes),
        "resources": list(resources),
    }
    bound = {
        "code_digest": credentials.digest(value),
        "session_id": session_id,
        "redirect_uri": redirect_uri,
        "code_challenge": code_challenge,
        "nonce": nonce,
        "claims": claims,
        "dpop_jkt": dpop_jkt,
        "auth_time": auth_time,
        "expires_at": clock.epoch() + lifetime_seconds,
    }
    db.session.execute(insert(AuthorizationCode), given | bound)
    audit.record(Tag.CODE_ISSUED, client_id, by=by, **given)
    return value


def find(value: str) -> Row[Any] | None:
    """Return the row of a code by its value, with the columns of the table."""
    query = select(*AuthorizationCode.__table__.c)
    found = query.where(AuthorizationCode.code_digest == credentials.digest(value))
    return db.session.execute(found).first()


def check(
    row: Row[Any] | None,
    *,
    client_id: str,
    redirect_uri: str | None,
    verifier: str | None,
    jkt: str | None = None,
) -> Row[Any]:
    """Prove client, redirect URI, PKCE and key without spending the code; raises InvalidGrant."""
    if row is None or row.client_id != client_id:
        raise errors.InvalidGrant(FAILED, reason="unknown or of another client")
    if redirect_uri is None and row.code_challenge is None:
        raise errors.InvalidGrant(FAILED, reason="redirect_uri missing")
    if redirect_uri is not None and redirect_uri != row.redirect_uri:
        raise errors.InvalidGrant(FAILED, reason="redirect_uri differs")
    if not proves(verifier, row.code_challenge):
        raise errors.InvalidGrant(FAILED, reason="code_verifier does not match")
    if row.dpop_jkt not in (None, jkt):
        raise errors.InvalidGrant(OTHER_KEY, reason="DPoP key differs")
    return row


def proves(verifier: str | None, challenge: str | None) -> bool:
    """Tell whether a verifier belongs to a challenge; one without the other does not."""
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    if not VERIFIER.match(verifier):
        return False
    return credentials.equal(credentials.s256_challenge(verifier), challenge)


def redeem(
    rules: TokenRules,
    row: Row[Any],
    *,
    by: Actor,
    methods: str = "",
    hears_logout: bool = False,
    dpop_jkt: str | None = None,
) -> Redeemed:
    """Spend a proven code and open its grant, bound to a key if one is given; raises InvalidGrant.

    The one conditional UPDATE decides who wins; a second full match is a replay and ends the
    family of the first (RFC 6749 section 4.1.2).
    """
    grant_id = credentials.new_id()
    if not spend(row, grant_id):
        end_replayed(row.code_digest, row.client_id, by=by)
        raise errors.InvalidGrant(FAILED, reason="used, expired or withdrawn")
    grant = grants.open_new(
        rules,
        grant_id=grant_id,
        client_id=row.client_id,
        user_id=row.user_id,
        scopes=row.scopes,
        resources=row.resources,
        auth_time=row.auth_time,
        methods=methods,
        sid=joined(row, hears_logout),
        claims=row.claims,
        dpop_jkt=dpop_jkt,
    )
    audit.record(Tag.CODE_REDEEMED, grant_id, by=by, client_id=row.client_id)
    return Redeemed(grant, row.nonce)


def spend(row: Row[Any], grant_id: str) -> bool:
    """Spend a code for a grant; tell whether nobody was faster and it is still in time."""
    now = clock.epoch()
    spent = db.session.execute(
        update(AuthorizationCode)
        .where(AuthorizationCode.code_digest == row.code_digest)
        .where(AuthorizationCode.spent_at.is_(None), AuthorizationCode.expires_at > now)
        .values(spent_at=now, grant_id=grant_id)
        .returning(AuthorizationCode.code_digest)
        .execution_options(synchronize_session=False)
    )
    return spent.first() is not None


def joined(row: Row[Any], hears_logout: bool) -> str | None:
    """Return what the client of a redeemed code knows its session by, if it signs the person in."""
    if row.session_id is None or "openid" not in row.scopes:
        return None
    return session_clients.join(row.session_id, row.client_id, row.user_id, is_told=hears_logout)


def end_replayed(code_digest: str, client_id: str, *, by: Actor) -> None:
    """End the family of a code that was redeemed before."""
    grant_id = db.session.scalar(
        select(AuthorizationCode.grant_id).where(AuthorizationCode.code_digest == code_digest)
    )
    if grant_id is not None:
        grants.revoke(grant_id, "code replayed", by=by)
        audit.record(Tag.CODE_REPLAYED, grant_id, by=by, client_id=client_id)


def withdraw(
    *, client_id: str | None = None, user_id: str | None = None, session_id: str | None = None
) -> None:
    """Delete the unspent codes of a client, a user or a session, or of several together."""
    named = {
        AuthorizationCode.client_id: client_id,
        AuthorizationCode.user_id: user_id,
        AuthorizationCode.session_id: session_id,
    }
    conditions = [column == value for column, value in named.items() if value is not None]
    if conditions:
        db.session.execute(
            delete(AuthorizationCode)
            .where(AuthorizationCode.spent_at.is_(None), *conditions)
            .execution_options(synchronize_session=False)
        )
