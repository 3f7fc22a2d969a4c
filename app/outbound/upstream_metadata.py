"""Owns the reading of what upstreams publish: one document of a resource, one of its server."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.outbound import targets, well_known

LONGEST_LIST = LONGEST_TEXT = 500
SHOWN = 200

OTHER_RESOURCE = "The document describes another resource than the one that was asked."
NO_ISSUER = "The document names no issuer."
OTHER_ISSUER = "The document names another issuer than the one that was asked for."
SLASH = (
    "The document names the issuer that was asked for, but for a slash at the end; both servers"
    " must write it alike, character for character."
)
MALFORMED = "A member of the document is of another type than it must be, or too long."
UNPROTECTED = "The document names a URL that is neither https nor an allowed one of this machine."
MISSING = "The document lacks a member that is needed."
NO_S256 = "The server does not say that it offers PKCE with S256."

URLS = (
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
)
LISTS = (
    "scopes_supported",
    "response_types_supported",
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
    "code_challenge_methods_supported",
)
FLAGS = (
    "authorization_response_iss_parameter_supported",
    "client_id_metadata_document_supported",
)

Members = Mapping[str, Any]
IsProtected = Callable[[str], bool]
"""Tells whether what is sent to a URL is safe on its way."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a document is not used; ``named`` is others' text, cut and unescaped."""

    sentence: str
    expected: str = ""
    named: str = ""


@dataclass(frozen=True, slots=True)
class ResourceMetadata:
    """What a protected resource says of itself (RFC 9728 section 2)."""

    resource: str
    authorization_servers: tuple[str, ...]
    scopes_supported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """What an authorization server says of itself (RFC 8414 section 2); empty is unsaid."""

    issuer: str
    token_endpoint: str
    authorization_endpoint: str = ""
    registration_endpoint: str = ""
    revocation_endpoint: str = ""
    introspection_endpoint: str = ""
    jwks_uri: str = ""
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    scopes_supported: tuple[str, ...] = ()
    response_types_supported: tuple[str, ...] = ()
    grant_types_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ()
    code_challenge_methods_supported: tuple[str, ...] = ()
    authorization_response_iss_parameter_supported: bool = False
    client_id_metadata_document_supported: bool = False


def read_resource(
    members: Members, url: str, is_protected: IsProtected
) -> ResourceMetadata | Fault:
    """Return what a document says of the resource at a URL, or why it does not count."""
    resource = members.get("resource")
    if not isinstance(resource, str) or not covers(resource, url):
        return Fault(OTHER_RESOURCE, url, shown(resource))
    found = said(members, ("authorization_servers", "scopes_supported"))
    if isinstance(found, Fault):
        return found
    if "authorization_servers" not in found:
        return Fault(MISSING, "authorization_servers")
    exposed = unprotected(found["authorization_servers"], is_protected)
    return exposed or ResourceMetadata(resource, **found)


def read_server(
    members: Members, issuer: str, is_protected: IsProtected, *, for_codes: bool
) -> ServerMetadata | Fault:
    """Return what a document says of an issuer, or why it does not count.

    ``for_codes`` says that people will be sent there, for authorization codes with PKCE.
    """
    if members.get("issuer") != issuer:
        return other_issuer(issuer, members.get("issuer"))
    found = said(members, URLS + LISTS + FLAGS)
    if isinstance(found, Fault):
        return found
    exposed = unprotected((found[name] for name in URLS if name in found), is_protected)
    if exposed:
        return exposed
    needed = ("token_endpoint", "authorization_endpoint") if for_codes else ("token_endpoint",)
    missing = [name for name in needed if name not in found]
    if missing:
        return Fault(MISSING, missing[0])
    if for_codes and "S256" not in found.get("code_challenge_methods_supported", ()):
        return Fault(NO_S256)
    return ServerMetadata(issuer, **found)


def read_provider(
    members: Members, issuer: str, is_protected: IsProtected
) -> ServerMetadata | Fault:
    """Return what a document says of an issuer at which people sign in, or why it does not count.

    Some large providers offer S256 and do not say so; the nonce binds the code for them as well.
    """
    found = read_server(members, issuer, is_protected, for_codes=False)
    if isinstance(found, Fault):
        return found
    missing = [name for name in ("authorization_endpoint", "jwks_uri") if not getattr(found, name)]
    if missing:
        return Fault(MISSING, missing[0])
    methods = found.code_challenge_methods_supported
    return Fault(NO_S256) if methods and "S256" not in methods else found


def covers(resource: str, url: str) -> bool:
    """Tell whether a resource is a URL or has it below its path (RFC 9728 section 3.3)."""
    if not well_known.same_origin(resource, url):
        return False
    named, asked = targets.parse(resource).path, targets.parse(url).path
    below = asked.partition("?")[0]
    return named in (asked, below) or below.startswith(f"{named.removesuffix('/')}/")


def other_issuer(issuer: str, named: object) -> Fault:
    """Say how the issuer that a document names differs from the one that was asked for."""
    if not isinstance(named, str) or not named:
        return Fault(NO_ISSUER, issuer)
    alike = named.removesuffix("/") == issuer.removesuffix("/")
    return Fault(SLASH if alike else OTHER_ISSUER, issuer, shown(named))


def said(members: Members, names: Iterable[str]) -> dict[str, Any] | Fault:
    """Return the members that say anything, lists as tuples; null and empty ones do not."""
    found = {}
    for name in names:
        value = members.get(name)
        if value in (None, "", []):
            continue
        if not is_well_formed(name, value):
            return Fault(MALFORMED, named=name)
        found[name] = tuple(value) if isinstance(value, list) else value
    return found


def is_well_formed(name: str, value: object) -> bool:
    """Tell whether a member is of the type that its name stands for."""
    if name in URLS:
        return isinstance(value, str)
    if name in FLAGS:
        return isinstance(value, bool)
    return (
        isinstance(value, list)
        and len(value) <= LONGEST_LIST
        and all(isinstance(each, str) and 0 < len(each) <= LONGEST_TEXT for each in value)
    )


def unprotected(urls: Iterable[str], is_protected: IsProtected) -> Fault | None:
    """Return what is wrong with the first URL that nothing may be sent to."""
    found = [url for url in urls if not is_protected(url)]
    return Fault(UNPROTECTED, named=shown(found[0])) if found else None


def shown(value: object) -> str:
    """Return so much of others' text as operators need to see."""
    return value[:SHOWN] if isinstance(value, str) else ""
