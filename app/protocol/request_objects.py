"""Owns opening request objects: with the client's own keys, before anything inside counts."""

from collections.abc import Iterable
from dataclasses import replace

from app.config import current_settings
from app.domain import errors, request_objects
from app.domain.client_records import ClientRecord
from app.domain.foreign_jwts import ForeignJwt, is_signed_by
from app.protocol import caller
from app.protocol.parameters import Parameters, collect

TWO = "Send either request or request_uri, not both."
UNSIGNED = (
    "The request object is not signed with a key and an algorithm that its client registered;"
    " ask the people who make the app."
)
DIFFERENT = (
    "The response_type beside a request object must be the one inside, and each scope must be"
    " inside too."
)


def opened(sent: Parameters, client: ClientRecord, names: Iterable[str]) -> Parameters:
    """Return what a client says of some parameters in the object that it signed.

    Nothing beside the object counts (RFC 9101 section 6.3). Raises InvalidRequestObject.
    """
    if sent.get("request_uri") is not None:
        raise errors.InvalidRequest(TWO)
    text, issuer = sent.get("request") or "", current_settings().issuer
    jwt = request_objects.read(text, client.client_id, issuer, client.demands)
    check_signature(jwt, client)
    inside = collect(request_objects.parameters(jwt.claims, ("client_id", *names)))
    check_agreement(sent, inside)
    return replace(inside, signed=request_objects.mark_of(jwt))


def check_signature(jwt: ForeignJwt, client: ClientRecord) -> None:
    """Raise InvalidRequestObject unless a key that the client still has made the signature."""
    facts, keys = {"client_id": client.client_id}, client.request_keys
    if keys is None or not keys.takes(jwt):
        raise errors.InvalidRequestObject(UNSIGNED, **facts)
    found = keys.jwks or caller.fetched(keys, jwt, errors.InvalidRequestObject, **facts)
    now = caller.look_up(client.client_id)  # fetching took its time
    if now is None or now.request_keys != keys or not is_signed_by(jwt, found):
        raise errors.InvalidRequestObject(UNSIGNED, **facts)


def check_agreement(sent: Parameters, inside: Parameters) -> None:
    """Check what OpenID Connect wants repeated beside the object (Core section 6.1)."""
    beside, within = (set((each.get("scope") or "").split()) for each in (sent, inside))
    if sent.get("response_type") not in (None, inside.get("response_type")) or beside - within:
        raise errors.InvalidRequestObject(DIFFERENT)
