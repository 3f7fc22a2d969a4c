"""Owns the reading of JSON from others: one value, one meaning, bounded work (RFC 8259)."""

import json
import math
import re

from app.domain import errors

DEPTH = 16
MEMBERS = 500
DIGITS = 32
"""Longest spelling of a number; nothing in client metadata needs more."""

_MEDIA_TYPE = re.compile(
    r'application/json\s*(;\s*charset\s*=\s*("utf-8"|utf-8)\s*)?', re.IGNORECASE | re.ASCII
)
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
# possessive, so that an unclosed string costs one pass

Error = type[errors.Refusal]


def read_body(
    raw: bytes, content_type: str | None, *, error: Error = errors.InvalidClientMetadata
) -> dict[str, object]:
    """Return the JSON object in a request body, or raise ``error`` with a constant sentence.

    ``content_type`` is the header's value; other media types and charsets are refused.
    """
    if not _MEDIA_TYPE.fullmatch((content_type or "").strip()):
        raise error("The Content-Type must be application/json, in UTF-8.")
    return read(raw, error=error)


def pasted(content: bytes, longest: int, refusal: errors.Refusal) -> dict[str, object]:
    """Return the JSON object that an operator gives by hand, or raise the one refusal."""
    if len(content) > longest:
        raise refusal
    try:
        return read(content)
    except errors.Refusal:
        raise refusal from None


def read(raw: bytes, *, error: Error = errors.InvalidClientMetadata) -> dict[str, object]:
    """Return the JSON object in some bytes, or raise ``error`` with a constant sentence.

    Refused are a byte order mark, repeated names, more than 16 levels or 500 members in one
    object, NaN, infinities, numbers of more than 32 characters and lone surrogates. The size is
    limited by the caller.
    """
    value = _read(raw, error)
    if not isinstance(value, dict):
        raise error("The body must be a JSON object.")
    return value


def read_list(raw: bytes, *, error: Error = errors.InvalidClientMetadata) -> list[object]:
    """Return the JSON array in some bytes, read as strictly as an object."""
    value = _read(raw, error)
    if not isinstance(value, list):
        raise error("The body must be a JSON array.")
    return value


def _read(raw: bytes, error: Error) -> object:
    text = _decoded(raw, error)
    _check_depth(text, error)
    value = _loaded(text, error)
    _check_strings(value, error)
    return value


def _decoded(raw: bytes, error: Error) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise error("The body must be valid UTF-8.") from None
    if text.startswith("\ufeff"):
        raise error("The body must not begin with a byte order mark.")
    return text


def _check_depth(text: str, error: Error) -> None:
    """Count brackets before the parser recurses into them."""
    depth = 0
    for token in _NESTING.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > DEPTH:
            raise error("The body must not nest deeper than 16 levels.")


def _loaded(text: str, error: Error) -> object:
    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise error("The body must not repeat a member name.")
        if len(found) > MEMBERS:
            raise error("An object in the body must not have more than 500 members.")
        return found

    def integer(spelling: str) -> int:
        if len(spelling) > DIGITS:
            raise error("The body must not contain numbers of more than 32 characters.")
        return int(spelling)

    def fraction(spelling: str) -> float:
        number = float(spelling) if len(spelling) <= DIGITS else math.inf
        if not math.isfinite(number):
            raise error("The body must contain finite numbers of at most 32 characters only.")
        return number

    def constant(_: str) -> object:
        raise error("The body must contain finite numbers of at most 32 characters only.")

    try:
        return json.loads(
            text,
            object_pairs_hook=members,
            parse_int=integer,
            parse_float=fraction,
            parse_constant=constant,
        )
    except json.JSONDecodeError:
        raise error("The body must be one JSON value and nothing else.") from None


def _check_strings(value: object, error: Error) -> None:
    """Refuse lone surrogates, which no encoder can write again."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise error("The body must not contain lone surrogates.") from None
