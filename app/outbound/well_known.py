"""Owns where others publish their metadata (RFC 8414, RFC 9728, OpenID Connect Discovery)."""

from app.outbound import targets
from app.outbound.errors import OutboundError

WELL_KNOWN = "/.well-known/"


def resource_places(url: str) -> tuple[str, ...]:
    """Return where a resource may describe itself: under its path, then at the root."""
    root, path = f"{origin(url)}{WELL_KNOWN}oauth-protected-resource", targets.parse(url).path
    return (root,) if path == "/" else (root + path, root)


def server_places(issuer: str) -> tuple[str, ...]:
    """Return where an issuer may describe itself, in the order in which clients look.

    A slash at the end of the issuer is not part of these places (RFC 8414 section 3.1).
    """
    root, path = origin(issuer), targets.parse(issuer).path.removesuffix("/")
    inserted = (
        f"{root}{WELL_KNOWN}oauth-authorization-server{path}",
        f"{root}{WELL_KNOWN}openid-configuration{path}",
    )
    appended = f"{root}{path}{WELL_KNOWN}openid-configuration"
    return (*inserted, appended) if path else inserted


def origin(url: str) -> str:
    """Return scheme, host and port of a URL; raises OutboundError."""
    target = targets.parse(url)
    return f"{target.scheme}://{target.authority}"


def same_origin(one: str, other: str) -> bool:
    """Tell whether two URLs lead to the same scheme, host and port."""
    try:
        return origin(one) == origin(other)
    except OutboundError:
        return False
