"""Owns the reading of JSON that other servers answer, as strictly as that of requests."""

import re
from typing import Any

from app.domain import errors, json_objects
from app.outbound.client import Answer
from app.outbound.errors import OutboundError

_MEDIA_TYPE = re.compile(r"application/(?:json|[a-z0-9!#$&^_.+-]+\+json)")


def read_document(answer: Answer) -> dict[str, Any]:
    """Return the JSON object that was got; raises OutboundError for any other answer."""
    check_document(answer)
    return read_object(answer.content)


def read_list(answer: Answer) -> list[object]:
    """Return the JSON array that was got; raises OutboundError for any other answer."""
    check_document(answer)
    try:
        return json_objects.read_list(answer.content)
    except errors.Refusal:
        raise OutboundError("answer") from None


def check_document(answer: Answer) -> None:
    """Raise OutboundError for an answer that is no JSON document."""
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status != 200 or not _MEDIA_TYPE.fullmatch(media_type):
        raise OutboundError("answer")


def is_json(answer: Answer) -> bool:
    """Tell whether an answer says that it is JSON, be it only among other things."""
    return "application/json" in answer.headers.get("content-type", "").lower()


def members(answer: Answer) -> dict[str, Any]:
    """Return the members of an answer, none unless it is a JSON object."""
    try:
        return read_object(answer.content)
    except OutboundError:
        return {}


def read_object(content: bytes) -> dict[str, Any]:
    """Return a JSON object; raises OutboundError, without a cause that would quote the answer."""
    try:
        return json_objects.read(content)
    except errors.Refusal:
        raise OutboundError("answer") from None
