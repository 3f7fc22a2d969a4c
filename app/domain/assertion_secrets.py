"""Owns the secrets that clients sign assertions with: sealed, since a digest verifies nothing."""

import base64

from app.domain import client_metadata, credentials, signing_keys
from app.domain.assertion_keys import BY_SECRET
from app.domain.client_records import Client, ClientRecord
from app.domain.foreign_jwts import ForeignJwt


def seal(client: Client, secret: str | None, sealing_key: bytes) -> None:
    """Keep the new secret of a client that signs with it; of any other there is the digest."""
    if secret is not None and client_metadata.signs_with_secret(client.client_metadata):
        name = bound(client.client_id)
        client.secret_sealed = credentials.seal(sealing_key, secret.encode(), name)


def have_signed(client: ClientRecord, jwt: ForeignJwt, sealing_key: bytes, now: int) -> bool:
    """Tell whether a secret of a client, old ones included that still count, has made a JWT.

    Raises ValueError for a seal of another client.
    """
    if client.auth_method != BY_SECRET:
        return False
    old = client.old_secret_sealed if client.has_overlap(now) else None
    return any(
        is_signed_by(jwt, credentials.unseal(sealing_key, sealed, bound(client.client_id)))
        for sealed in (client.secret_sealed, old)
        if sealed is not None
    )


def is_signed_by(jwt: ForeignJwt, secret: bytes) -> bool:
    """Tell whether a JWT of HS256 has the signature of a secret (RFC 7518 section 3.2)."""
    signed, _, signature = jwt.text.rpartition(".")
    presented = base64.b64encode(signing_keys.decode(signature.encode())).decode()
    return credentials.equal(credentials.sign(secret, signed), presented)


def bound(client_id: str) -> str:
    """Name the client that a secret is sealed for."""
    return f"clients:{client_id}:client_secret"
