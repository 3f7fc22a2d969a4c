"""Owns ID tokens (OpenID Connect Core section 2): what they say, and who is hinted at by one."""

from collections.abc import Mapping
from typing import Any

from app import clock
from app.domain import credentials, signing_keys
from app.domain.grants import TokenRules
from app.domain.signing_keys import Keys

TYPE = "JWT"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
"""The authentication context class of a sign-in with a password, the only kind there is."""
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash")


def mint(
    rules: TokenRules,
    keys: Keys,
    *,
    client_id: str,
    grant: Mapping[str, Any],
    access_token: str,
    nonce: str | None = None,
    told: Mapping[str, Any],
    algorithm: str,
) -> str:
    """Return an ID token for the person of a grant; ``told`` is what else is said about them.

    Without ``azp``, which is for several audiences: there is one.
    """
    now = clock.epoch()
    claims = {
        "iss": rules.issuer,
        "sub": grant["user_id"],
        "aud": client_id,
        "iat": now,
        "exp": now + rules.access_token_seconds,
        "auth_time": grant["auth_time"],
        "acr": PASSWORD,
        "at_hash": credentials.half_digest(access_token),
    }
    proven = {"amr": grant["methods"].split()} if grant["methods"] else {}
    own = claims | proven | ({"nonce": nonce} if nonce else {})
    return signing_keys.sign(keys, TYPE, {**told, **own}, algorithm)


def hinted(keys: Keys, issuer: str, hint: str) -> str | None:
    """Return whom an ID token of ours is about, expired or not; None for anything else."""
    claims = signing_keys.verify(keys, TYPE, hint)
    if claims is None or claims.get("iss") != issuer or "auth_time" not in claims:
        return None
    subject: str = claims["sub"]
    return subject
