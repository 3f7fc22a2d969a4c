"""Owns randomness, digests, sealing and every comparison of secrets."""

import base64
import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.clock import epoch_milliseconds

PREFIXES = {
    "initial": "iat_",
    "registration": "rat_",
    "refresh": "rt_",
    "code": "ac_",
    "device": "dc_",
}
"""What client-facing credentials begin with, so that secret scanners recognise a leaked one."""

WEBHOOK_PREFIX = "whsec_"
MAXIMUM_LENGTH = 256
"""No credential of ours is longer; anything longer is refused before it is digested."""


def new_id() -> str:
    """Return a time-ordered identifier (UUID version 7, RFC 9562 section 5.7) as text."""
    value = (epoch_milliseconds() << 80) | secrets.randbits(80)
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def new_secret(prefix: str = "") -> str:
    """Return a credential of 256 random bits in unreserved characters only."""
    return prefix + secrets.token_urlsafe(32)


def new_letters(number: int, alphabet: str) -> str:
    """Return random letters for a person to type."""
    return "".join(secrets.choice(alphabet) for _ in range(number))


def new_authenticator_secret() -> str:
    """Return 160 random bits in base32, as authenticator apps take them (RFC 4226 section 4)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def new_webhook_secret() -> str:
    """Return a signing secret of 256 random bits as Standard Webhooks writes it."""
    return WEBHOOK_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def webhook_key(secret: str) -> bytes:
    """Return the key that a signing secret of Standard Webhooks holds; raises ValueError."""
    key = base64.b64decode(secret.removeprefix(WEBHOOK_PREFIX), validate=True)
    if not secret.startswith(WEBHOOK_PREFIX) or not 24 <= len(key) <= 64:
        message = "a signing secret is whsec_ and the base64 of 24 to 64 bytes"
        raise ValueError(message)
    return key


def sign(key: bytes, content: str) -> str:
    """Return the HMAC-SHA256 of a text in base64."""
    return base64.b64encode(hmac.new(key, content.encode(), hashlib.sha256).digest()).decode()


def digest(secret: str) -> str:
    """Return the SHA-256 of a generated credential as 64 hexadecimal digits.

    Only for values of 256 random bits: they need no slow hash. A person's password never
    comes here.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def content_digest(content: bytes) -> str:
    """Return the SHA-256 of public content, which it is named by, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def equal(one: str, other: str) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def matches(secret: str, stored_digest: str | None) -> bool:
    """Tell whether a presented secret has the stored digest; empty never matches."""
    presented = digest(secret)
    expected = stored_digest or digest("")
    return equal(presented, expected) and bool(secret) and bool(stored_digest)


def derive(key: bytes, purpose: str, secret: str) -> str:
    """Return 256 bits that only the holder of ``key`` can compute from ``secret``."""
    mac = hmac.new(key, f"{purpose}\0{secret}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def subkey(secret_key: str, purpose: str) -> bytes:
    """Derive a 32-byte key for one purpose from the server's secret key."""
    return hmac.new(secret_key.encode(), purpose.encode(), hashlib.sha256).digest()


def seal(key: bytes, plaintext: bytes, bound_to: str) -> bytes:
    """Encrypt with AES-256-GCM; ``bound_to`` names table, column and row, so rows cannot swap."""
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to.encode())


def unseal(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """Decrypt what ``seal`` made; raises ValueError for another key, row or a changed byte."""
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], bound_to.encode())
    except InvalidTag:
        message = "a sealed value does not open: it belongs to another key or another row"
        raise ValueError(message) from None


def s256_challenge(verifier: str) -> str:
    """Return the S256 code challenge of a verifier (RFC 7636 section 4.2)."""
    return s256(verifier)


def s256(text: str) -> str:
    """Return the SHA-256 of ASCII text in base64url, which is the ``ath`` of an access token."""
    hashed = hashlib.sha256(text.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def half_digest(token: str, bits: int = 256) -> str:
    """Return the ``at_hash`` of an access token (OpenID Connect Core section 3.1.3.6)."""
    hashed = hashlib.new(f"sha{bits}", token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed[: bits // 16]).rstrip(b"=").decode()


def thumbprint(text: str) -> str:
    """Return a short stable name for a value (first 32 hex digits of its SHA-256)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
