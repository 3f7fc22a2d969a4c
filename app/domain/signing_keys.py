"""Owns the keys that sign tokens: sealed, imported once; of each kind one signs, one is next."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, LargeBinary, String, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, generations, key_algorithms
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.key_algorithms import GENERATE, Private, Public
from app.extensions import Base, JSONValue, db

ALGORITHM = key_algorithms.ES256
"""What signs everything that nobody wants otherwise."""
LONGEST_TOKEN = 16_384
JWKS_SECONDS = 3600
"""Others may cache the JWKS so long."""
KEPT_SECONDS = 2 * 86400
"""A retired key stays in the JWKS so long: longer than the longest access token."""
FOREVER = 2**62


class SigningKey(Base):
    """One key pair; ``state`` is ``next``, ``active``, ``retired`` or ``compromised``.

    A key that does not sign any more has no private half: ``private_sealed`` is empty.
    """

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    private_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    retired_at: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def until(self) -> int | None:
        """Return when a key that does not sign any more leaves the JWKS, or left it."""
        if self.retired_at is None or self.state == "compromised":
            return self.retired_at
        return self.retired_at + KEPT_SECONDS


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs now."""

    kid: str
    private: Private


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one generation: those that sign, by algorithm, and all that verify."""

    signers: Mapping[str, Signer]
    public: Mapping[str, Public]
    jwks: bytes
    until: int = FOREVER
    """When the first of them leaves the JWKS."""


cache: generations.Cache[bytes, Keys] = generations.Cache(size=4)


def ensure(sealing_key: bytes, *, by: Actor) -> None:
    """Make the keys that are missing: of each algorithm the one that signs and the next one."""
    if missing():
        generations.bump("keys")  # its row is the lock: whoever was faster has made them by now
        for algorithm, state in missing():
            add(sealing_key, algorithm, state, by=by)


def missing() -> list[tuple[str, str]]:
    """Return the algorithms and states that some key should have and none has."""
    rows = db.session.execute(select(SigningKey.algorithm, SigningKey.state))
    there = {(row.algorithm, row.state) for row in rows}
    wanted = [(algorithm, state) for algorithm in GENERATE for state in ("active", "next")]
    return [each for each in wanted if each not in there]


def add(sealing_key: bytes, algorithm: str, state: str, *, by: Actor) -> None:
    """Make a new key."""
    private, kid = GENERATE[algorithm](), credentials.new_id()
    named = {"kid": kid, "use": "sig", "alg": algorithm}
    db.session.add(
        SigningKey(
            kid=kid,
            algorithm=algorithm,
            public_jwk=key_algorithms.jwk_of(private) | named,
            private_sealed=credentials.seal(
                sealing_key, key_algorithms.pem(private), seal_name(kid)
            ),
            state=state,
            created_at=clock.epoch(),
        )
    )
    audit.record(Tag.KEY_CREATED, kid, by=by, algorithm=algorithm, state=state)


def find_all() -> list[SigningKey]:
    """Return all keys as they are now, newest first."""
    newest = select(SigningKey).order_by(SigningKey.created_at.desc(), SigningKey.kid.desc())
    return list(db.session.scalars(newest.execution_options(populate_existing=True)))


def current(sealing_key: bytes, generation: int) -> Keys:
    """Return the imported keys of this generation; those that have run out are left behind."""
    stamp = (db.engine, generation)
    keys = cache.get(sealing_key, stamp, load)
    if clock.epoch() < keys.until:
        return keys
    cache.clear(None)
    return cache.get(sealing_key, stamp, load)


def load(sealing_key: bytes) -> Keys:
    """Import the active keys and every public key that may verify a token.

    The active ones come first, for clients that look no further.
    """
    query = select(SigningKey).where(published(clock.epoch()))
    order = (SigningKey.state, SigningKey.algorithm, SigningKey.kid)
    rows = db.session.scalars(query.order_by(*order)).all()
    return Keys(
        active(sealing_key, rows),
        {row.kid: key_algorithms.public_key(row.public_jwk) for row in rows},
        orjson.dumps({"keys": [row.public_jwk for row in rows]}),
        min(row.until or FOREVER for row in rows),
    )


def active(sealing_key: bytes, rows: Iterable[SigningKey]) -> dict[str, Signer]:
    """Return what signs, by algorithm; raises ValueError when nothing does."""
    signing = [row for row in rows if row.state == "active"]
    signing.sort(key=lambda row: (row.created_at, row.kid))
    newest = {row.algorithm: row for row in signing}
    if ALGORITHM not in newest:
        message = "there is no key to sign with"
        raise ValueError(message)
    return {
        algorithm: Signer(row.kid, open_private(sealing_key, row))
        for algorithm, row in newest.items()
    }


def published(now: int) -> ColumnElement[bool]:
    """Select the keys of the JWKS."""
    kept = (SigningKey.state == "retired") & (SigningKey.retired_at > now - KEPT_SECONDS)
    return SigningKey.state.in_(("active", "next")) | kept


def open_private(sealing_key: bytes, row: SigningKey) -> Private:
    """Return the private half of a key; raises ValueError when the secret key is another one."""
    opened = credentials.unseal(sealing_key, row.private_sealed, seal_name(row.kid))
    return key_algorithms.open_pem(opened)


def sign(keys: Keys, token_type: str, claims: dict[str, Any], algorithm: str = ALGORITHM) -> str:
    """Return a compact JWS (RFC 7515 section 7.1) with an active key and its ``kid``.

    Assembled here because a general library spends more time on it than on the signature;
    the tests verify the result with joserfc.
    """
    signer = keys.signers[algorithm]
    signed = header(algorithm, token_type, signer.kid) + b"." + encode(orjson.dumps(claims))
    return (signed + b"." + encode(key_algorithms.sign(signer.private, signed))).decode()


def verify(keys: Keys, token_type: str, token: str) -> dict[str, Any] | None:
    """Return the claims of a token we signed, or None; dates and audience are not judged.

    The header must be byte for byte one that ``sign`` writes, so no algorithm, type or key of
    somebody else's choice is ever looked at.
    """
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    signed, _, signature = token.encode().rpartition(b".")
    first = signed.partition(b".")[0]
    for kid, public in keys.public.items():
        if first == header(key_algorithms.name_of(public), token_type, kid):
            return verified_claims(public, signed, signature)
    return None


def verify_kept(token_type: str, token: str) -> dict[str, Any] | None:
    """Return the claims of a token by any key of ours, however old, that nobody else ever had."""
    first = token.encode().partition(b".")[0]
    kept = select(SigningKey.kid, SigningKey.algorithm, SigningKey.public_jwk)
    rows = db.session.execute(kept.where(SigningKey.state != "compromised")).all()
    public = {
        row.kid: key_algorithms.public_key(row.public_jwk)
        for row in rows
        if first == header(row.algorithm, token_type, row.kid)
    }
    return verify(Keys({}, public, b""), token_type, token)


def verified_claims(public: Public, signed: bytes, signature: bytes) -> dict[str, Any] | None:
    """Return the claims below a signature of a key, or None when it is not one."""
    try:
        raw = decode(signature)
    except ValueError:
        return None
    if encode(raw) != signature or not key_algorithms.verifies(public, signed, raw):
        return None
    claims: dict[str, Any] = orjson.loads(decode(signed.partition(b".")[2]))
    return claims


@lru_cache(maxsize=64)
def header(algorithm: str, token_type: str, kid: str) -> bytes:
    """Return the encoded header of tokens of a type and key."""
    return encode(orjson.dumps({"alg": algorithm, "typ": token_type, "kid": kid}))


def decode(segment: bytes) -> bytes:
    """Return the bytes of base64url without padding; raises ValueError."""
    return base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))


def encode(raw: bytes) -> bytes:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def seal_name(kid: str) -> str:
    """Name the row that a sealed private key is bound to."""
    return f"signing_keys.private_sealed.{kid}"
