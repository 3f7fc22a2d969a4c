"""Owns ID tokens (OpenID Connect Core section 2): what they say, and who is hinted at by one."""

from collections.abc import Iterable, Mapping
from typing import Any

from app import clock
from app.domain import credentials, sessions, signing_keys
from app.domain.grants import TokenRules
from app.domain.signing_keys import Keys

TYPE = "JWT"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
"""The authentication context class of a sign-in with a password, the only one that has a name."""
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid")


def mint(
    rules: TokenRules,
    keys: Keys,
    *,
    client_id: str,
    subject: str,
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
        "sub": subject,
        "aud": client_id,
        "iat": now,
        "exp": now + rules.access_token_seconds,
        "auth_time": grant["auth_time"],
        "at_hash": credentials.half_digest(access_token),
    }
    methods = grant["methods"].split()
    proven = {"acr": context_of(methods), "amr": methods, "nonce": nonce, "sid": grant["sid"]}
    own = claims | {name: value for name, value in proven.items() if value}
    return signing_keys.sign(keys, TYPE, {**told, **own}, algorithm)


def context_of(methods: Iterable[str]) -> str | None:
    """Return the context class of a sign-in by some methods (RFC 8176); not every one has one."""
    return PASSWORD if sessions.PASSWORD in methods else None


def hinted(issuer: str, hint: str) -> Mapping[str, Any] | None:
    """Return the claims of an ID token of ours, however old it is; None for anything else."""
    claims = signing_keys.verify_kept(TYPE, hint)
    return claims if claims is not None and is_own(claims, issuer) else None


def is_own(claims: Mapping[str, Any], issuer: str) -> bool:
    """Tell whether what a key of ours has signed is an ID token of this issuer."""
    return claims.get("iss") == issuer and "auth_time" in claims
