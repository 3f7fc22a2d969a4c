"""Owns what a setting may say, alone and beside others: rules return the value or raise ValueError.

The sentences of the faults are constant, so that no value, which may be a secret, is ever shown.
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from cryptography.x509 import load_pem_x509_certificates
from limits import parse
from pydantic import SecretStr, ValidationError, ValidationInfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.outbound import targets
from app.outbound.errors import OutboundError
from app.secret_files import PREFIX

REDIS_SCHEMES = ("redis://", "rediss://", "redis+")
FRAMING = ("host", "content-length", "content-type", "connection", "transfer-encoding")
"""Headers that a request to others has of its own."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")

Value = TypeVar("Value", str, SecretStr)


def faults(error: ValidationError) -> Iterator[str]:
    """Turn each fault into a sentence that names the variable and never shows its value."""
    for fault in error.errors(include_input=False, include_url=False):
        name = f"{PREFIX}{str(fault['loc'][0]).upper()} " if fault["loc"] else ""
        yield name + str(fault["msg"]).removeprefix("Value error, ")


def split_url(value: str) -> SplitResult:
    """Split an absolute http or https URL, port included."""
    printable = all("!" <= character <= "~" for character in value)
    try:
        parts = urlsplit(value) if printable else None
        known = parts is not None and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, known = None, False
    if parts is None or not known or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an absolute http or https URL")
    return parts


def issuer(value: str) -> str:
    """Demand https, or http on a loopback address, without query, fragment or slash."""
    parts = split_url(value)
    if any(mark in value for mark in "?#@") or value.endswith("/"):
        raise ValueError("must have no query, fragment, user or trailing slash")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("must be https unless its host is a loopback address")
    return value


def resource(value: str) -> str:
    """Demand an absolute URI without fragment, or nothing (RFC 8707 section 2)."""
    if value and (split_url(value).fragment or "#" in value):
        raise ValueError("must have no fragment")
    return value


def is_loopback(host: str) -> bool:
    """Tell whether a host name or literal address is this machine's loopback."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def database_url(value: SecretStr) -> SecretStr:
    """Demand a URL of PostgreSQL or of an SQLite file."""
    url = read_database_url(value.get_secret_value())
    if url is None:
        return value
    if url.drivername not in ("sqlite", "postgresql", "postgresql+psycopg"):
        raise ValueError("must begin with postgresql:// or sqlite:///")
    if url.drivername == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("must name a file: every connection would have a memory of its own")
    return value


def read_database_url(value: str) -> URL | None:
    """Parse a database URL; None when there is none."""
    try:
        return make_url(value) if value else None
    except (ArgumentError, ValueError):
        raise ValueError("must be a database URL such as postgresql://user@host/name") from None


def redis_url(value: SecretStr) -> SecretStr:
    """Demand a URL of Redis, or nothing."""
    text = value.get_secret_value()
    if text and not text.startswith(REDIS_SCHEMES):
        raise ValueError("must begin with redis:// or rediss://")
    return value


def secret_of(shortest: int) -> Callable[[SecretStr], SecretStr]:
    """Refuse a secret that is there but short."""

    def check(value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < shortest:
            raise ValueError(f"must have at least {shortest} characters")
        return value

    return check


def rate_limit(value: str) -> str:
    """Demand a limit that Flask-Limiter understands."""
    try:
        parse(value)
    except ValueError:
        raise ValueError("must be a limit such as 5 per minute") from None
    return value


def contact(value: str) -> str:
    """Keep the contact inside the characters of RFC 6749 section 5.2."""
    if not all(" " <= character <= "~" and character not in '"\\' for character in value):
        raise ValueError("must be printable ASCII without quotes and backslashes")
    return value


def host_ports(value: tuple[str, ...]) -> tuple[str, ...]:
    """Demand hosts with their ports; returned as the names of targets that they are."""
    names = tuple(name.lower() for name in value)
    try:
        known = all(targets.parse(f"https://{name}").name == name for name in names)
    except OutboundError:
        known = False
    if not known:
        raise ValueError("must list hosts with their ports, such as gate.example:8443 or [::1]:80")
    return names


def certificate_file(value: str) -> str:
    """Demand a file of certificates, or nothing."""
    try:
        if value:
            load_pem_x509_certificates(Path(value).read_bytes())
    except (OSError, ValueError):
        raise ValueError("must name a PEM file that can be read and holds certificates") from None
    return value


def words(value: object) -> object:
    """Split a list that an environment variable holds with spaces or commas."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def shared_key(value: SecretStr, info: ValidationInfo) -> SecretStr:
    """Refuse a database of several machines without a shared secret key."""
    url = info.data.get("database_url", SecretStr("")).get_secret_value()
    if url and not url.startswith("sqlite") and not value.get_secret_value():
        raise ValueError(
            "must be set together with GATEWRIGHT_DATABASE_URL,"
            " because every process needs the same key"
        )
    return value


def service_url(value: str) -> str:
    """Demand a URL that the way out can ask, or nothing."""
    try:
        if value:
            targets.parse(value)
    except OutboundError:
        raise ValueError(
            "must be an absolute http or https URL without user and fragment"
        ) from None
    return value


def plain_url(value: str) -> str:
    """Demand a URL without query, which is shown to operators and must hold no key."""
    if "?" in value:
        raise ValueError("must have no query; send a key in a header instead")
    return service_url(value)


def header_name(value: str) -> str:
    """Demand the name of a header that a request does not have anyway (RFC 9110 section 5.1)."""
    if not _HEADER_NAME.fullmatch(value) or value.lower() in FRAMING:
        raise ValueError("must be the name of a header of its own, such as X-Api-Key")
    return value


def header_value(value: SecretStr) -> SecretStr:
    """Demand what fits into a header, or nothing."""
    if not all("!" <= character <= "~" for character in value.get_secret_value()):
        raise ValueError("must be printable ASCII without spaces")
    return value


def needed_by_gate(
    auth_type: str = "", *, unless_by: str = ""
) -> Callable[[Value, ValidationInfo], Value]:
    """Demand a value while the registration gate is on, for one way to authenticate or for all.

    ``unless_by`` is the method at the token endpoint that can do without it.
    """

    def check(value: Value, info: ValidationInfo) -> Value:
        chosen = info.data.get("registration_gate_auth_type")
        method = info.data.get("registration_gate_oauth2_auth_method")
        if len(value) or not info.data.get("registration_gate_enabled"):
            return value
        if not auth_type:
            raise ValueError("must be set when GATEWRIGHT_REGISTRATION_GATE_ENABLED is true")
        if chosen == auth_type and not (method and method == unless_by):
            raise ValueError(
                f"must be set when GATEWRIGHT_REGISTRATION_GATE_AUTH_TYPE is {auth_type}"
            )
        return value

    return check
