"""Owns the keys that sign tokens: sealed at rest, imported once; one signs, the next is known."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from joserfc.jwk import ECKey
from sqlalchemy import BigInteger, ColumnElement, LargeBinary, String, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, generations
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db

ALGORITHM = "ES256"
ES256 = ec.ECDSA(hashes.SHA256())
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
class Keys:
    """The keys of one generation: the one that signs and all that verify."""

    kid: str
    private: ec.EllipticCurvePrivateKey
    public: Mapping[str, ec.EllipticCurvePublicKey]
    jwks: bytes
    until: int = FOREVER
    """When the first of them leaves the JWKS."""


cache: generations.Cache[bytes, Keys] = generations.Cache(size=4)


def ensure(sealing_key: bytes, *, by: Actor) -> None:
    """Make the keys that are missing: the one that signs and the next one."""
    if missing():
        generations.bump("keys")  # its row is the lock: whoever was faster has made them by now
        for state in missing():
            add(sealing_key, state, by=by)


def missing() -> list[str]:
    """Return the states that some key should have and none has."""
    there = set(db.session.scalars(select(SigningKey.state)))
    return [state for state in ("active", "next") if state not in there]


def add(sealing_key: bytes, state: str, *, by: Actor) -> None:
    """Make a new key."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = ECKey.import_key(private.public_key()).as_dict(private=False)
    kid = credentials.new_id()
    db.session.add(
        SigningKey(
            kid=kid,
            algorithm=ALGORITHM,
            public_jwk={**public, "kid": kid, "use": "sig", "alg": ALGORITHM},
            private_sealed=credentials.seal(sealing_key, pem(private), seal_name(kid)),
            state=state,
            created_at=clock.epoch(),
        )
    )
    audit.record(Tag.KEY_CREATED, kid, by=by, algorithm=ALGORITHM, state=state)


def find_all() -> list[SigningKey]:
    """Return all keys, newest first."""
    newest = (SigningKey.created_at.desc(), SigningKey.kid.desc())
    return list(db.session.scalars(select(SigningKey).order_by(*newest)))


def current(sealing_key: bytes, generation: int) -> Keys:
    """Return the imported keys of this generation; those that have run out are left behind."""
    stamp = (db.engine, generation)
    keys = cache.get(sealing_key, stamp, load)
    if clock.epoch() < keys.until:
        return keys
    cache.clear(None)
    return cache.get(sealing_key, stamp, load)


def load(sealing_key: bytes) -> Keys:
    """Import the active key and every public key that may verify a token.

    The active one comes first, for clients that look no further.
    """
    query = select(SigningKey).where(published(clock.epoch()))
    rows = db.session.scalars(query.order_by(SigningKey.state, SigningKey.kid)).all()
    active = max(
        (row for row in rows if row.state == "active"), key=lambda row: (row.created_at, row.kid)
    )
    return Keys(
        active.kid,
        open_private(sealing_key, active),
        {row.kid: public_key(row.public_jwk) for row in rows},
        orjson.dumps({"keys": [row.public_jwk for row in rows]}),
        min(row.until or FOREVER for row in rows),
    )


def published(now: int) -> ColumnElement[bool]:
    """Select the keys of the JWKS."""
    kept = (SigningKey.state == "retired") & (SigningKey.retired_at > now - KEPT_SECONDS)
    return SigningKey.state.in_(("active", "next")) | kept


def open_private(sealing_key: bytes, row: SigningKey) -> ec.EllipticCurvePrivateKey:
    """Return the private half of a key; raises ValueError when the secret key is another one."""
    opened = credentials.unseal(sealing_key, row.private_sealed, seal_name(row.kid))
    private = serialization.load_pem_private_key(opened, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        message = "the signing key is not an elliptic curve key"
        raise TypeError(message)
    return private


def public_key(jwk: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    """Import the public half of a key."""
    return ECKey.import_key(jwk).public_key


def sign(keys: Keys, token_type: str, claims: dict[str, Any]) -> str:
    """Return a compact JWS (RFC 7515 section 7.1) with the active key and its ``kid``.

    Assembled here because a general library spends more time on it than on the signature;
    the tests verify the result with joserfc.
    """
    signed = header(token_type, keys.kid) + b"." + encode(orjson.dumps(claims))
    r, s = decode_dss_signature(keys.private.sign(signed, ES256))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return (signed + b"." + encode(signature)).decode()


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
        if first == header(token_type, kid):
            return verified_claims(public, signed, signature)
    return None


def verified_claims(
    public: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes
) -> dict[str, Any] | None:
    """Return the claims below a signature of a key, or None when it is not one."""
    try:
        raw = decode(signature)
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        public.verify(encode_dss_signature(r, s), signed, ES256)
    except (InvalidSignature, ValueError):
        return None
    if len(raw) != 64 or encode(raw) != signature:
        return None
    claims: dict[str, Any] = orjson.loads(decode(signed.partition(b".")[2]))
    return claims


@lru_cache(maxsize=64)
def header(token_type: str, kid: str) -> bytes:
    """Return the encoded header of tokens of a type and key."""
    return encode(orjson.dumps({"alg": ALGORITHM, "typ": token_type, "kid": kid}))


def decode(segment: bytes) -> bytes:
    """Return the bytes of base64url without padding; raises ValueError."""
    return base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))


def encode(raw: bytes) -> bytes:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def pem(private: ec.EllipticCurvePrivateKey) -> bytes:
    """Serialise a private key for sealing."""
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def seal_name(kid: str) -> str:
    """Name the row that a sealed private key is bound to."""
    return f"signing_keys.private_sealed.{kid}"
