"""Owns sign-ins under way at identity providers: bound to a browser, used once in time."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Row, String, Text, insert, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials, errors
from app.domain.foreign_id_tokens import FAILED
from app.domain.identity_providers import Provider
from app.extensions import Base, db

LIFETIME_SECONDS = 600
SIGN_IN, LINK, TEST = "sign_in", "link", "test"
STALE = "The state is unknown, too old, of another browser, or was answered already."
MIXED_UP = "The answer came to the redirect URI of another provider than the one that was asked."
CHANGED = "The provider was changed or switched off meanwhile."


class SignInAttempt(Base):
    """One attempt, by digest of its state; spent ones stay until they would have run out."""

    __tablename__ = "sign_in_attempts"

    state_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    """``sign_in``, ``link`` for an account, or ``test`` by an operator."""
    provider: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(2048))
    client_id: Mapped[str] = mapped_column(String(2048))
    browser_digest: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[str | None] = mapped_column(String(40))
    """Who links or tests."""
    nonce_digest: Mapped[str] = mapped_column(String(64))
    verifier_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    after: Mapped[str] = mapped_column(Text)
    """Where the person goes on, a path of this server."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    spent_at: Mapped[int | None] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Begun:
    """What goes to the authorization endpoint."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    challenge: str
    """S256 of the verifier (RFC 7636 section 4.2)."""


def begin(
    provider: Provider,
    sealing_key: bytes,
    *,
    purpose: str,
    browser: str,
    user_id: str | None,
    after: str,
) -> Begun:
    """Begin an attempt in a browser, which a secret of its own names."""
    state, nonce, verifier = (credentials.new_secret() for _ in range(3))
    digest, now = credentials.digest(state), clock.epoch()
    db.session.execute(
        insert(SignInAttempt),
        {
            "state_digest": digest,
            "purpose": purpose,
            "provider": provider.name,
            "issuer": provider.draft.issuer,
            "client_id": provider.draft.client_id,
            "browser_digest": credentials.digest(browser),
            "user_id": user_id,
            "nonce_digest": credentials.digest(nonce),
            "verifier_sealed": credentials.seal(sealing_key, verifier.encode(), bound(digest)),
            "after": after,
            "created_at": now,
            "expires_at": now + LIFETIME_SECONDS,
        },
    )
    return Begun(state, nonce, credentials.s256_challenge(verifier))


def spend(state: str, browser: str) -> Row[Any]:
    """Use an attempt up, before anything else of the answer counts; raises AccessDenied.

    The one conditional UPDATE decides: only the first answer in time, in the browser that began.
    """
    if len(state) > credentials.MAXIMUM_LENGTH:
        raise errors.AccessDenied(FAILED, reason=STALE)
    now, table = clock.epoch(), SignInAttempt
    spent = db.session.execute(
        update(table)
        .where(table.state_digest == credentials.digest(state))
        .where(table.browser_digest == credentials.digest(browser))
        .where(table.spent_at.is_(None), table.expires_at > now)
        .values(spent_at=now)
        .returning(*table.__table__.c)
        .execution_options(synchronize_session=False)
    ).first()
    if spent is None:
        raise errors.AccessDenied(FAILED, reason=STALE)
    return spent


def check(spent: Row[Any], asked: str, provider: Provider) -> None:
    """Raise AccessDenied unless the answer came for the provider that was asked, as it is now."""
    draft = provider.draft
    if spent.provider != asked:
        raise errors.AccessDenied(FAILED, reason=MIXED_UP)
    if (spent.issuer, spent.client_id) != (draft.issuer, draft.client_id):
        raise errors.AccessDenied(FAILED, reason=CHANGED)
    if not draft.enabled and spent.purpose != TEST:
        raise errors.AccessDenied(FAILED, reason=CHANGED)


def verifier_of(row: Row[Any], sealing_key: bytes) -> str:
    """Open the code verifier; raises ValueError for one of another attempt."""
    return credentials.unseal(sealing_key, row.verifier_sealed, bound(row.state_digest)).decode()


def bound(state_digest: str) -> str:
    """Name the attempt that a verifier is sealed for."""
    return f"sign_in_attempts:{state_digest}:verifier"
