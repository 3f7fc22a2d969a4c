"""Owns what an authorization request demands of the sign-in (OpenID Connect Core 3.1.2.1)."""

from app.config import current_settings
from app.domain import errors, id_tokens, identity_claims
from app.domain.client_records import ClientRecord
from app.domain.identity_claims import ClaimsRequest
from app.protocol.parameters import Parameters

PROMPTS = frozenset(("none", "login", "consent", "select_account"))


def checked_prompt(parameters: Parameters) -> frozenset[str]:
    """Return the prompts; ``none`` stands alone."""
    prompt = frozenset((parameters.get("prompt") or "").split()) & PROMPTS
    if "none" in prompt and (parameters.get("prompt") or "").split() != ["none"]:
        raise errors.InvalidRequest("prompt=none cannot be combined with another prompt.")
    return prompt


def checked_max_age(client: ClientRecord, parameters: Parameters) -> int | None:
    """Return the allowed age of the sign-in in seconds, that of the client if nothing is said."""
    value = parameters.get("max_age")
    if value is None:
        return client.openid.default_max_age
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise errors.InvalidRequest("max_age must be a whole number of seconds.")
    return int(value)


def checked_claims(
    client: ClientRecord, parameters: Parameters, granted: tuple[str, ...]
) -> ClaimsRequest:
    """Return the claims that are asked for one by one, as far as the client may have them."""
    asked = identity_claims.parse(parameters.get("claims"))
    if asked.acr_values is not None and id_tokens.PASSWORD not in asked.acr_values:
        raise errors.AccessDenied(
            "People sign in here with a password; this server has no other authentication context"
            " class, and the request makes another one essential."
        )
    return asked.within(client.scopes if "openid" in granted else ())


def checked_subject(parameters: Parameters, claims: ClaimsRequest) -> str | None:
    """Return the only subject that will do: hinted at by an ID token, or named by a claim."""
    named = {claims.subject, hinted(parameters)} - {None}
    if len(named) > 1:
        raise errors.InvalidRequest("The id_token_hint and the claims name different people.")
    return next(iter(named), None)


def hinted(parameters: Parameters) -> str | None:
    """Return whom the id_token_hint is about; raises InvalidRequest when it is not ours."""
    hint = parameters.get("id_token_hint")
    if hint is None:
        return None
    found = id_tokens.hinted(current_settings().issuer, hint)
    if found is None:
        raise errors.InvalidRequest(
            "The id_token_hint is not an ID token of this server; leave it out."
        )
    subject: str = found["sub"]
    return subject
