"""Owns the bodies of machine answers: JSON bytes, and the JSON form of a refusal."""

from typing import Any

import orjson
from authlib.oauth2 import OAuth2Error
from flask import Response

from app.domain import errors

NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def json_answer(body: Any, status: int = 200) -> Response:
    """Return an answer that no cache may keep (RFC 6749 section 5.1)."""
    response = Response(orjson.dumps(body), status=status, mimetype="application/json")
    response.headers.update(NOT_KEPT)
    return response


def refusal_answer(refusal: OAuth2Error) -> Response:
    """Return a refusal as OAuth JSON (RFC 6749 section 5.2)."""
    body = {"error": refusal.error, "error_description": refusal.description}
    if isinstance(refusal, errors.AuthorizationNeeded):
        body["authorization_url"] = refusal.authorization_url
    response = json_answer(body, refusal.status_code or 400)
    challenge = getattr(refusal, "challenge", None)
    if challenge:
        response.headers["WWW-Authenticate"] = challenge
    if isinstance(refusal, errors.TooManyRequests):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
