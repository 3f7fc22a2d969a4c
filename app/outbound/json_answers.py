"""Owns the reading of JSON that other servers answer, as strictly as that of requests."""

from typing import Any

from app.domain import errors, json_objects
from app.outbound.client import Answer
from app.outbound.errors import OutboundError


def is_json(answer: Answer) -> bool:
    """Tell whether an answer says that it is JSON, be it only among other things."""
    return "application/json" in answer.headers.get("content-type", "").lower()


def read_object(content: bytes) -> dict[str, Any]:
    """Return a JSON object; raises OutboundError, without a cause that would quote the answer."""
    try:
        return json_objects.read(content)
    except errors.Refusal:
        raise OutboundError("answer") from None
