"""Owns the keys that sign tokens: sealed at rest, imported once, one active at a time."""

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
from sqlalchemy import BigInteger, LargeBinary, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, generations
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db

ALGORITHM = "ES256"
ES256 = ec.ECDSA(hashes.SHA256())
LONGEST_TOKEN = 16_384
KEPT_SECONDS = 2 * 86400
"""A retired key stays in the JWKS so long: longer than the longest access token."""


class SigningKey(Base):
    """One key pair; ``state`` is ``active`` or ``retired``."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    private_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    retired_at: Mapped[int | None] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one generation: the one that signs and all that verify."""

    kid: str
    private: ec.EllipticCurvePrivateKey
    public: Mapping[str, ec.EllipticCurvePublicKey]
    jwks: bytes


cache: generations.Cache[bytes, Keys] = generations.Cache(size=4)


def create(sealing_key: bytes, *, by: Actor) -> str:
    """Make a new active key and retire the one before; return its ``kid``."""
    now = clock.epoch()
    private = ec.generate_private_key(ec.SECP256R1())
    public = ECKey.import_key(private.public_key()).as_dict(private=False)
    kid = credentials.new_id()
    db.session.execute(
        update(SigningKey)
        .where(SigningKey.state == "active")
        .values(state="retired", retired_at=now)
    )
    db.session.add(
        SigningKey(
            kid=kid,
            algorithm=ALGORITHM,
            public_jwk={**public, "kid": kid, "use": "sig", "alg": ALGORITHM},
            private_sealed=credentials.seal(sealing_key, pem(private), seal_name(kid)),
            state="active",
            created_at=now,
        )
    )
    audit.record(Tag.KEY_CREATED, kid, by=by, algorithm=ALGORITHM)
    generations.bump("keys")
    return kid


def ensure(sealing_key: bytes, *, by: Actor) -> None:
    """Make the first key when there is none."""
    if db.session.scalar(select(SigningKey.kid).where(SigningKey.state == "active")) is None:
        create(sealing_key, by=by)


def find_all() -> list[SigningKey]:
    """Return all keys, newest first."""
    return list(db.session.scalars(select(SigningKey).order_by(SigningKey.created_at.desc())))


def current(sealing_key: bytes, generation: int) -> Keys:
    """Return the imported keys of this generation."""
    stamp = (db.engine, generation)
    return cache.get(sealing_key, stamp, load)


def load(sealing_key: bytes) -> Keys:
    """Import the active key and every public key that may still verify a token."""
    rows = db.session.scalars(
        select(SigningKey).where(
            (SigningKey.state == "active") | (SigningKey.retired_at > clock.epoch() - KEPT_SECONDS)
        )
    ).all()
    active = max(
        (row for row in rows if row.state == "active"), key=lambda row: (row.created_at, row.kid)
    )
    opened = credentials.unseal(sealing_key, active.private_sealed, seal_name(active.kid))
    private = serialization.load_pem_private_key(opened, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        message = "the active signing key is not an elliptic curve key"
        raise TypeError(message)
    public = {row.kid: public_key(row.public_jwk) for row in rows}
    return Keys(active.kid, private, public, orjson.dumps({"keys": [r.public_jwk for r in rows]}))


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
