"""DPoP proofs as clients make them, with the keys of the vendor (RFC 9449)."""

import time
from typing import Any

from app.domain import credentials
from tests.conftest import ISSUER
from tests.protocol.vendors import KEYS, jws

KEY, OTHER = "ES256", "Ed25519"
"""The key of most proofs, and one that is never the same."""


def jkt(name: str = KEY) -> str:
    """Return the thumbprint of a key."""
    return KEYS[name].thumbprint()


def proof(
    path: str = "/token",
    name: str = KEY,
    *,
    header: dict[str, Any] | None = None,
    key: Any = None,
    token: str | None = None,
    **changes: Any,
) -> str:
    """Return a proof for a request; keywords change its claims, ``header`` its header.

    None leaves a member out; ``iat`` is seconds from now; ``key`` signs in place of the named one.
    """
    said = {
        "htm": "POST",
        "htu": ISSUER + path,
        "iat": 0,
        "jti": credentials.new_id(),
        "ath": token and credentials.s256(token),
    } | changes
    if type(said["iat"]) is int:
        said["iat"] += int(time.time())
    public = KEYS[name].as_dict(private=False)
    head = {"typ": "dpop+jwt", "alg": name, "jwk": public} | (header or {})
    parts = [{n: v for n, v in part.items() if v is not None} for part in (head, said)]
    return jws(*parts, key or KEYS[name], name)


def proving(path: str = "/token", name: str = KEY, **changes: Any) -> dict[str, str]:
    """Return the header that carries a proof."""
    return {"DPoP": proof(path, name, **changes)}


def presenting(
    token: str, path: str = "/userinfo", name: str = KEY, *, method: str = "GET", **changes: Any
) -> dict[str, str]:
    """Return the headers that present a bound access token."""
    own = {"token": token, "htm": method} | changes
    return {"Authorization": f"DPoP {token}", **proving(path, name, **own)}
