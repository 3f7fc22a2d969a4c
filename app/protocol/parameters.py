"""Owns the gate every OAuth request passes first: one value for each name, UTF-8, bounded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import parse_qsl

from flask import request

from app.domain import errors

FORM = "application/x-www-form-urlencoded"
MAXIMUM_FIELDS = 64
REPEATABLE = "resource"
"""The one parameter that may be repeated (RFC 8707 section 2)."""
BODY_ONLY = frozenset(
    (
        "actor_token",
        "assertion",
        "grant_type",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "code",
        "code_verifier",
        "device_code",
        "redirect_uri",
        "refresh_token",
        "resource",
        "scope",
        "subject_token",
        "token",
        "token_type_hint",
    )
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request; an empty value counts as absent (RFC 6749 section 3.1)."""

    values: Mapping[str, str]
    resources: tuple[str, ...] = field(default=())
    reference: str | None = None
    """What stands for them when they were pushed (RFC 9126)."""
    signed: str | None = None
    """What names the request object that they were in (RFC 9101)."""

    def get(self, name: str) -> str | None:
        """Return a value, or None when it is absent or empty."""
        return self.values.get(name)


def read_form() -> Parameters:
    """Read the body of a POST to a machine endpoint (RFC 6749 section 3.2).

    Only ``application/x-www-form-urlencoded`` is read, and never the query.
    """
    content_type = request.headers.get("Content-Type", "").lower()
    content_type = content_type.replace(" ", "").replace('"utf-8"', "utf-8")
    if content_type not in (FORM, f"{FORM};charset=utf-8"):
        refuse("Send the parameters as application/x-www-form-urlencoded in UTF-8.")
    sent = pairs(read_body())
    if request.query_string:
        in_query = {name for name, _ in pairs(request.query_string)}
        if in_query & (BODY_ONLY | {name for name, _ in sent}):
            refuse("Send the parameters in the request body and none of them in the query.")
    return collect(sent)


def read_body() -> bytes:
    """Return the body of a machine's request; one that is too large ends in 413."""
    raw = request.get_data(cache=False)
    if request.content_length is None:
        # a chunked body is cut at the limit, and only one more read tells
        request.stream.read(1)
    return raw


def read_query() -> Parameters:
    """Read the query of a request to the authorization endpoint."""
    return collect(pairs(request.query_string))


def pairs(raw: bytes) -> list[tuple[str, str]]:
    """Decode form encoding strictly."""
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAXIMUM_FIELDS,
        )
    except ValueError:
        refuse("The parameters are not valid form encoding in UTF-8, or there are too many.")


def collect(found: list[tuple[str, str]]) -> Parameters:
    """Refuse repeated names and NUL; drop empty values."""
    values: dict[str, str] = {}
    resources: list[str] = []
    seen: set[str] = set()
    for name, value in found:
        if "\0" in value:
            refuse("A parameter contains a NUL character.")
        if name == REPEATABLE:
            resources += [value] if value else []
        elif name in seen:
            refuse("A parameter is repeated; send each one once.")
        elif value:
            values[name] = value
        seen.add(name)
    return Parameters(values, tuple(dict.fromkeys(resources)))


def refuse(sentence: str) -> NoReturn:
    """Refuse the request as malformed."""
    raise errors.InvalidRequest(sentence)
