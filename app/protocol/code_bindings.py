"""Owns what an authorization request binds its code to: a PKCE verifier, and a DPoP key."""

from app.config import current_settings
from app.domain import errors
from app.domain.authorization_codes import CHALLENGE
from app.domain.client_records import ClientRecord
from app.protocol.parameters import Parameters


def checked_challenge(client: ClientRecord, parameters: Parameters) -> str | None:
    """Return the S256 challenge; raises InvalidRequest without one (RFC 9700 section 2.1.1)."""
    challenge = parameters.get("code_challenge")
    method = parameters.get("code_challenge_method")
    if challenge is None and method is None and may_omit_pkce(client, parameters):
        return None
    if method != "S256":
        raise errors.InvalidRequest("PKCE with code_challenge_method S256 is required.")
    if challenge is None or not CHALLENGE.match(challenge):
        raise errors.InvalidRequest("The code_challenge must be 43 characters of base64url.")
    return challenge


def may_omit_pkce(client: ClientRecord, parameters: Parameters) -> bool:
    """Tell whether this request may go without PKCE (OAuth 2.1 section 7.5.1)."""
    openid = "openid" in (parameters.get("scope") or "").split(" ")
    relaxed = client.pkce_optional or current_settings().pkce_required == "public"
    able = not client.is_public and not client.fapi2
    return relaxed and able and openid and parameters.get("nonce") is not None


def checked_key(parameters: Parameters) -> str | None:
    """Return the thumbprint of the key that must be proven to redeem the code (RFC 9449 §10)."""
    jkt = parameters.get("dpop_jkt")
    if jkt is not None and not CHALLENGE.match(jkt):
        raise errors.InvalidRequest("The dpop_jkt must be 43 characters of base64url.")
    return jkt
