"""Owns redirect URIs: which may be registered, and when a presented one is the registered one.

The strict parser serves every URL in client metadata. What it accepts has one reading only: RFC
3986, the WHATWG rules of browsers and the standard library see the same scheme, host, port and
path in it.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import unquote

import idna

from app.domain import errors

MAXIMUM_LENGTH = 2048
LOOPBACK_HOSTS = ("127.0.0.1", "[::1]", "localhost")

KNOWN_EDITORS = ("cursor", "vscode", "vscode-insiders", "windsurf")
"""Private-use schemes without a dot that real MCP clients register (RFC 8252 section 7.1)."""

_NEVER = """
    about blob callto chrome chrome-extension content data facetime feed file filesystem ftp ftps
    gopher intent jar javascript ldap ldaps livescript mailto mhtml mms mocha moz-extension
    ms-msdt ms-settings news nntp res resource search-ms sftp shell skype sms smsto ssh tel
    telnet urn vbscript view-source ws wss
"""
NEVER_SCHEMES = frozenset(_NEVER.split())
"""Refused even when an operator allows them: they run code, read files, start other programs."""

_RESPONSE = """
    access_token code error error_description error_uri expires_in id_token iss response
    session_state state token_type
"""
RESPONSE_PARAMETERS = frozenset(_RESPONSE.split())
"""What answers add to a redirect URI (RFC 6749 section 4.1.2, RFC 9207 section 2)."""

Refuse = Callable[[str], errors.Refusal]
"""Makes the refusal from what the URI must do; the sentence begins with the member's name."""

_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_BAD_ESCAPE = re.compile(r"%(?![2-9A-Fa-f][0-9A-Fa-f])|%7[Ff]")
_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://([^/?]*))?((?:/[^?\[\]]*)?)(?:\?([^\[\]]*))?")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]*)(:.*)?")
_PORT = re.compile(r":([1-9][0-9]{0,4})")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_OPAQUE_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_REVERSE_DOMAIN = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(:[1-9][0-9]{0,4})?(?=[/?]|\Z)")


class Uri(NamedTuple):
    """The parts of an accepted URI, exactly as they were written."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str


def validate(
    uri: str, *, private_use_schemes: frozenset[str] = frozenset(), native_hint: bool = True
) -> str:
    """Return a redirect URI unchanged, or refuse it (RFC 7591 section 5, RFC 8252 section 7).

    ``private_use_schemes`` are the accepted schemes without a dot; ``native_hint`` is False when
    the client says that it is a web application. Raises InvalidRedirectURI.
    """
    check_characters(uri, _refuse)
    _check_scheme(uri.partition(":")[0], private_use_schemes, native_hint)
    parts = parse(uri, _refuse)
    if parts.scheme == "http" and parts.host not in LOOPBACK_HOSTS:
        raise _refuse("may use http only for 127.0.0.1, [::1] and localhost; use https.")
    if "*" in uri:
        raise _refuse("must not contain a wildcard; register every URI in full.")
    if RESPONSE_PARAMETERS & set(_query_names(parts.query)):
        raise _refuse("must not hold a parameter that answers use, such as code, state or iss.")
    return uri


def matches(registered: str, presented: str) -> bool:
    """Compare byte for byte; a loopback URI may come with any port (RFC 8252 section 7.3)."""
    if registered == presented:
        return True
    return is_loopback(registered) and (
        without_loopback_port(registered) == without_loopback_port(presented)
    )


def is_loopback(uri: str) -> bool:
    """Tell whether a redirect URI leads to the end-user's own machine over http."""
    found = _LOOPBACK.match(uri)
    return found is not None and (not found[2] or int(found[2][1:]) <= 65535)


def without_loopback_port(uri: str) -> str:
    """Return a loopback URI without its port, any other URI unchanged."""
    found = _LOOPBACK.match(uri)
    return found[1] + uri[found.end() :] if found and is_loopback(uri) else uri


def host_of(uri: str) -> str:
    """Return what people are shown of a registered URI: host and port, or the private scheme."""
    scheme, _, rest = uri.partition(":")
    if scheme in ("http", "https"):
        return re.split("[/?#]", rest.removeprefix("//"), maxsplit=1)[0]
    return scheme


def home_of(uri: str) -> tuple[str, str]:
    """Return scheme and host of an accepted URI, whatever its port is."""
    parts = parse(uri, _refuse)
    return parts.scheme, parts.host.lower()


def describe(uri: str) -> dict[str, str]:
    """Return what pages say of a redirect URI: its kind, its host for display, and itself."""
    kind = "private"
    if is_loopback(uri):
        kind = "loopback"
    elif uri.startswith(("http://", "https://")):
        kind = "web"
    return {"kind": kind, "host": host_of(uri), "uri": uri}


def parse(uri: str, refuse: Refuse) -> Uri:
    """Return the parts of an absolute URI without user, fragment and dot segments (RFC 3986)."""
    check_characters(uri, refuse)
    if "#" in uri:
        raise refuse("must not contain a fragment; remove everything from the # on.")
    found = _SHAPE.fullmatch(uri)
    if not found or not (found[2] or found[3]) or found[2] == "":
        raise refuse("must be absolute: a scheme, then :// and a host, or :/ and a path.")
    if found[1] in ("http", "https") and not found[2]:
        raise refuse("must name a host after http:// or https://.")
    if _has_dot_segment(found[3]):
        raise refuse("must not contain dot segments; write the path that results from them.")
    host, port = _host_and_port(found[2], refuse) if found[2] else ("", None)
    if found[1] in ("http", "https") or host.startswith("["):
        _check_host(host, refuse)
    return Uri(found[1], host, port, found[3], found[4] or "")


def check_characters(uri: str, refuse: Refuse) -> None:
    """Refuse what RFC 3986 section 2 does not allow, before anything else reads the URI."""
    if len(uri) > MAXIMUM_LENGTH:
        raise refuse("must not be longer than 2048 bytes.")
    if not _CHARACTERS.fullmatch(uri):
        raise refuse("may hold only the ASCII characters of RFC 3986; encode all others.")
    if _BAD_ESCAPE.search(uri):
        raise refuse("must write percent signs as %25 and must not encode control characters.")


def _refuse(what: str) -> errors.Refusal:
    return errors.InvalidRedirectURI(f"A redirect URI {what}")


def _check_scheme(scheme: str, allowed: frozenset[str], native: bool) -> None:
    if scheme in ("http", "https"):
        return
    if scheme.lower() in NEVER_SCHEMES:
        raise _refuse("must not use this scheme; use https.")
    if scheme in allowed:
        return
    if not _REVERSE_DOMAIN.fullmatch(scheme):
        raise _refuse("must use https, http to loopback, or a scheme such as com.example.app.")
    if not native:
        raise _refuse("may use a private-use scheme only with application_type native.")


def _host_and_port(authority: str, refuse: Refuse) -> tuple[str, int | None]:
    if "@" in authority:
        raise refuse("must not contain a user name or password before the host.")
    found = _AUTHORITY.fullmatch(authority)
    if not found or not (found[1].startswith("[") or _OPAQUE_HOST.fullmatch(found[1])):
        raise refuse("must have a host of letters, digits, hyphens and dots.")
    if found[2] is None:
        return found[1], None
    port = _PORT.fullmatch(found[2])
    if not port or int(port[1]) > 65535:
        raise refuse("must have a port from 1 to 65535 after the colon, or no colon.")
    return found[1], int(port[1])


def _check_host(host: str, refuse: Refuse) -> None:
    labels = host.split(".")
    if host in LOOPBACK_HOSTS:
        return
    if host.startswith("[") or _NUMERIC_LABEL.fullmatch(labels[-1]):
        if not _is_plain_address(host.strip("[]")):
            raise refuse("must name an IP address in its usual form, open to ordinary traffic.")
    elif not all(_LABEL.fullmatch(label) and _is_decodable(label) for label in labels):
        raise refuse("must have a host of valid DNS names; write other scripts in A-label form.")


def _is_plain_address(text: str) -> bool:
    """Accept canonical unicast addresses; private ones too, as only the browser goes there."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    special = address.is_unspecified or address.is_link_local or address.is_multicast
    mapped = isinstance(address, IPv6Address) and address.ipv4_mapped is not None
    return str(address) == text and not (special or mapped or address.is_reserved)


def _is_decodable(label: str) -> bool:
    """Tell whether an A-label decodes to a name that encodes to it again (RFC 5891)."""
    if not label.lower().startswith("xn--"):
        return True
    try:
        return idna.alabel(idna.ulabel(label)).decode() == label.lower()
    except ValueError:
        return False


def _has_dot_segment(path: str) -> bool:
    """Find dot segments as any server may see them: encoded, cut by %2F, with ;parameters."""
    segments = re.split(r"[/\\]", unquote(path))
    return any(segment.partition(";")[0] in (".", "..") for segment in segments)


def _query_names(query: str) -> list[str]:
    """Return decoded names; a name before [ is counted, as PHP reads code[] as code."""
    pairs = re.split("[&;]", query)
    names = (unquote(pair.partition("=")[0].replace("+", " ")) for pair in pairs)
    return [name.partition("[")[0].strip() for name in names]
