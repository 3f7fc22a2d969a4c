"""Owns the algorithms that this server signs with: making keys, signing, verifying."""

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from joserfc.jwk import ECKey, RSAKey

ES256, RS256 = "ES256", "RS256"
ECDSA, PADDING, SHA256 = ec.ECDSA(hashes.SHA256()), PKCS1v15(), hashes.SHA256()
RSA_BITS = 2048

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Public = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

GENERATE: dict[str, Callable[[], Private]] = {
    ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
    RS256: lambda: rsa.generate_private_key(65537, RSA_BITS),
}
"""ES256 signs everything but what clients want otherwise; OpenID Connect demands RS256."""


def name_of(key: Private | Public) -> str:
    """Return the algorithm of a key."""
    return RS256 if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) else ES256


def sign(private: Private, content: bytes) -> bytes:
    """Return the signature of some bytes as a JWS has it (RFC 7518 sections 3.3 and 3.4)."""
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(content, PADDING, SHA256)
    r, s = decode_dss_signature(private.sign(content, ECDSA))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verifies(public: Public, content: bytes, signature: bytes) -> bool:
    """Tell whether a signature of its full length is one of a key."""
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, content, PADDING, SHA256)
        else:
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            public.verify(encode_dss_signature(r, s), content, ECDSA)
    except (InvalidSignature, ValueError):
        return False
    return isinstance(public, rsa.RSAPublicKey) or len(signature) == 64


def jwk_of(private: Private) -> dict[str, Any]:
    """Return the public half of a key as others import it (RFC 7517)."""
    if isinstance(private, rsa.RSAPrivateKey):
        return dict(RSAKey.import_key(private.public_key()).as_dict(private=False))
    return dict(ECKey.import_key(private.public_key()).as_dict(private=False))


def public_key(jwk: dict[str, Any]) -> Public:
    """Import the public half of a key."""
    importer = RSAKey if jwk["kty"] == "RSA" else ECKey
    found: Public = importer.import_key(jwk).public_key
    return found


def pem(private: Private) -> bytes:
    """Serialise a private key for sealing."""
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def open_pem(content: bytes) -> Private:
    """Return the private key that ``pem`` wrote.

    It was sealed by us, so it is not examined once more: that takes a tenth of a second for RSA.
    """
    private = serialization.load_pem_private_key(
        content, password=None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        message = "the signing key is of no kind that this server makes"
        raise TypeError(message)
    return private
