"""Owns request objects: authorization requests that clients sign (RFC 9101)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app import clock
from app.domain import assertion_keys, client_assertions, client_texts, errors, foreign_jwts
from app.domain.assertion_keys import KeySource
from app.domain.foreign_jwts import Demands, ForeignJwt

TYPES = ("jwt", "oauth-authz-req+jwt")
ALGORITHM = "request_object_signing_alg"
REQUIRED = "require_signed_request_object"
RULES = {REQUIRED: client_texts.flag}
NESTED = frozenset(("request", "request_uri", "registration"))
UNABLE = (
    "A client that signs its authorization requests needs jwks or jwks_uri with a key for its"
    " request_object_signing_alg, an asymmetric algorithm that the server metadata lists."
)
SHAPE = (
    "The request object must be one JWT in compact form, not encrypted, and signed asymmetrically"
    " with a key that its header does not bring along."
)
NAMES = "The request object must have the client_id as iss and as client_id, and no sub."
AUDIENCE = "The aud of the request object must be the issuer of this server."
DATES = "The request object must be valid now and end within 10 minutes; make a new one."
STRICT = (
    "A request object of this client must be signed with PS256, ES256 or EdDSA (FAPI 2.0),"
    " and the clocks may differ by 10 seconds."
)
INSIDE = "The request object must not contain request, request_uri or registration."
VALUES = (
    "The claims of the request object must be strings, but max_age may be a number, claims an"
    " object, and resource a list of strings."
)


def said(asked: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the algorithm that counts, given the checked other members.

    For a client without keys it means nothing. Raises InvalidClientMetadata when a client that
    wants to sign could not.
    """
    algorithm = asked.get(ALGORITHM)
    fault = assertion_keys.fault_of(algorithm, metadata)
    means_nothing = algorithm is None or fault == assertion_keys.NO_KEYS
    if fault and (metadata.get(REQUIRED) or not means_nothing):
        raise errors.InvalidClientMetadata(UNABLE)
    return {} if means_nothing else {ALGORITHM: algorithm}


def keys_of(metadata: Mapping[str, Any]) -> KeySource | None:
    """Return where the keys for the request objects of a client are; None when it has none."""
    if not metadata.keys() & {"jwks", "jwks_uri"}:
        return None
    return assertion_keys.source_of(metadata, ALGORITHM)


def read(text: str, client_id: str, issuer: str, demands: Demands) -> ForeignJwt:
    """Return a request object whose signature is still to be checked; raises InvalidRequestObject.

    Without ``sub``, so that nobody can send it as the assertion of its client (RFC 9101 section
    10.8); a JWT for that has no ``client_id``.
    """
    jwt = foreign_jwts.read(text, TYPES)
    if jwt is None:
        raise errors.InvalidRequestObject(SHAPE)
    names = [jwt.claims.get(name) for name in ("iss", "client_id")]
    if names != [client_id, client_id] or "sub" in jwt.claims:
        raise errors.InvalidRequestObject(NAMES)
    if not foreign_jwts.is_for(jwt.claims.get("aud"), (issuer,)):
        raise errors.InvalidRequestObject(AUDIENCE)
    now = clock.epoch()
    if not client_assertions.is_in_time(jwt.claims, now):
        raise errors.InvalidRequestObject(DATES)
    in_time = foreign_jwts.are_in_time(jwt.claims, now, demands.leeway_seconds)
    if not in_time or jwt.algorithm not in demands.algorithms:
        raise errors.InvalidRequestObject(STRICT)
    return jwt


def parameters(claims: Mapping[str, Any], names: Iterable[str]) -> list[tuple[str, str]]:
    """Return what a proven request object says of some parameters, as a query would say it."""
    if claims.keys() & NESTED:
        raise errors.InvalidRequestObject(INSIDE)
    found = list(written(claims, names))
    if not all(isinstance(value, str) and "\0" not in value for _, value in found):
        raise errors.InvalidRequestObject(VALUES)
    return found


def written(claims: Mapping[str, Any], names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield parameters and their values, in JSON where OpenID Connect has it (Core section 6.1)."""
    for name in names:
        value = claims.get(name, "")
        is_json = (name, type(value)) in (("max_age", int), ("claims", dict))
        yield name, json.dumps(value) if is_json else value
    resources = claims.get("resource", [])
    for uri in resources if isinstance(resources, list) else [resources]:
        yield "resource", uri


def mark_of(jwt: ForeignJwt) -> str:
    """Return what names a request object: all but its signature, which may have twins."""
    return jwt.text.rpartition(".")[0]
