"""Owns what is filled in for a connection, and every fault in it at once."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain import errors, private_keys, redirect_uris
from app.domain.redirect_uris import Uri

CLIENT_CREDENTIALS, AUTHORIZATION_CODE = "client_credentials", "authorization_code"
BUFFER_SECONDS = 60
LONGEST_BUFFER = 2**31 - 1
BY_KEY = "private_key_jwt"
AUTH_METHODS = ("client_secret_basic", "client_secret_post", BY_KEY)
PUBLIC = "none"
METHODS = {CLIENT_CREDENTIALS: AUTH_METHODS, AUTHORIZATION_CODE: (PUBLIC, *AUTH_METHODS)}
"""How connections of each kind may prove themselves."""
NEEDED = "must be set"
NAME_SHAPE = "must be 1 to 64 lower-case letters, digits and hyphens, with no hyphen at its ends"
SCOPE_LENGTH, DESCRIPTION_LENGTH = 4096, 200

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_SCOPE = re.compile(r"(?:[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*)?")
_CLIENT_ID = re.compile(r"[\x20-\x7e]{0,2048}")
_CLIENT_SECRET = re.compile(r"[\x20-\x7e]{0,1024}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A connection as it is filled in; what is empty was left out."""

    kind: str = CLIENT_CREDENTIALS
    url: str = ""
    """The MCP server or API that people authorize for, with the kind ``authorization_code``."""
    token_endpoint: str = ""
    issuer: str = ""
    """Whose metadata name the token endpoint, when it is not given."""
    client_id: str = ""
    auth_method: str = AUTH_METHODS[0]
    client_secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    """A JWK in JSON for private_key_jwt; without one the key of this server signs."""
    scope: str = ""
    resource: str = ""
    expiry_buffer_seconds: int = BUFFER_SECONDS
    description: str = ""


def faults(draft: Draft) -> dict[str, str]:
    """Return what each member must be that is not as it must be."""
    return dict([*malformed(draft), *missing(draft)])


def check(found: Mapping[str, str]) -> None:
    """Raise InvalidMembers for faults, if there are any."""
    if found:
        raise errors.InvalidMembers(found)


def missing(draft: Draft) -> Iterator[tuple[str, str]]:
    """Yield the members that are left out, and those that others exclude."""
    if draft.kind == AUTHORIZATION_CODE:
        yield from missing_upstream(draft)
    else:
        yield from missing_login(draft)
    by_key = draft.auth_method == BY_KEY
    if draft.client_secret and by_key:
        yield "client_secret", "must not be set for private_key_jwt"
    if draft.private_key and not by_key:
        yield "private_key", "must not be set, except for private_key_jwt"


def missing_login(draft: Draft) -> Iterator[tuple[str, str]]:
    """Yield what a login of this server's own lacks or cannot have."""
    if draft.url:
        yield "url", "must not be set for client_credentials"
    if not draft.token_endpoint and not draft.issuer:
        yield "token_endpoint", "must be set, or else the issuer"
    if draft.token_endpoint and draft.issuer:
        yield "issuer", "must not be set beside the token endpoint"
    if not draft.client_id:
        yield "client_id", NEEDED
    if not draft.client_secret and draft.auth_method != BY_KEY:
        yield "client_secret", "must be set, except for private_key_jwt"


def missing_upstream(draft: Draft) -> Iterator[tuple[str, str]]:
    """Yield what a connection that people authorize lacks or cannot have.

    Its endpoints are discovered; without a client_id this server gets one later.
    """
    if not draft.url:
        yield "url", NEEDED
    for member in ("token_endpoint", "issuer"):
        if getattr(draft, member):
            yield member, "must not be set, because it is discovered"
    secret = draft.client_secret
    if draft.client_id and not secret and draft.auth_method not in (PUBLIC, BY_KEY):
        yield "client_secret", "must be set, except for none and private_key_jwt"
    if secret and (not draft.client_id or draft.auth_method == PUBLIC):
        yield "client_secret", "must not be set without a client_id, or for none"


def malformed(draft: Draft) -> Iterator[tuple[str, str]]:
    """Yield the members whose value cannot be one."""
    for member, (fits, what) in SHAPES.items():
        value = getattr(draft, member)
        if value != "" and not fits(value):
            yield member, what
    methods = METHODS.get(draft.kind, AUTH_METHODS)
    if draft.auth_method not in methods:
        yield "auth_method", f"must be one of {', '.join(methods)}"


def is_name(value: str) -> bool:
    """Tell whether a connection can have this name."""
    return _NAME.fullmatch(value) is not None


def read_uri(value: str) -> Uri | None:
    """Return the parts of an absolute URI without user and fragment; None for anything else."""
    try:
        return redirect_uris.parse(value, errors.InvalidRequest)
    except errors.Refusal:
        return None


def is_url(value: str) -> bool:
    """Tell whether a text is a URL on whose way nobody else can read."""
    uri = read_uri(value)
    if uri is None or uri.scheme not in ("https", "http"):
        return False
    return uri.scheme == "https" or uri.host in redirect_uris.LOOPBACK_HOSTS


def is_issuer(value: str) -> bool:
    """Tell whether a text can be an issuer (RFC 8414 section 2)."""
    return is_url(value) and "?" not in value


def is_scope(value: str) -> bool:
    """Tell whether a text is a scope on the wire (RFC 6749 section 3.3)."""
    return len(value) <= SCOPE_LENGTH and _SCOPE.fullmatch(value) is not None


def is_buffer(value: object) -> bool:
    """Tell whether a number is one of seconds; True is a number to Python, but not to us."""
    return type(value) is int and 0 <= value <= LONGEST_BUFFER


def is_line(value: str) -> bool:
    """Tell whether a text is one line that people can read."""
    return len(value) <= DESCRIPTION_LENGTH and value.isprintable()


URL_SHAPE = "must be an https URL, or http on this machine, without user and fragment"
SHAPES: dict[str, tuple[Callable[[Any], object], str]] = {
    "kind": (METHODS.__contains__, f"must be one of {', '.join(METHODS)}"),
    "url": (is_url, URL_SHAPE),
    "token_endpoint": (is_url, URL_SHAPE),
    "issuer": (
        is_issuer,
        "must be an https URL, or http on this machine, without user, query and fragment",
    ),
    "client_id": (_CLIENT_ID.fullmatch, "must be at most 2048 printable ASCII characters"),
    "client_secret": (_CLIENT_SECRET.fullmatch, "must be at most 1024 printable ASCII characters"),
    "private_key": (private_keys.is_key, private_keys.SHAPE),
    "scope": (is_scope, "must be names of printable ASCII with single spaces between"),
    "resource": (read_uri, "must be an absolute URI without user and fragment"),
    "expiry_buffer_seconds": (
        is_buffer,
        f"must be a whole number of seconds from 0 to {LONGEST_BUFFER}",
    ),
    "description": (is_line, "must be one line of at most 200 characters"),
}
"""What each member must be like."""
