"""Owns how the lines of an admission rule are read: checked, and in one spelling."""

import re
import unicodedata
from collections.abc import Callable
from ipaddress import ip_network

from app.domain import errors, redirect_uris, skeletons

LONGEST = 2048
STARS = 4
"""So many wildcards at most, which keeps matching cheap."""
HIGHEST = 1_000_000

_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")
_URL = re.compile(r"https://[^\s/?#]+/[^\s?#]*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


def plain(name: str) -> str:
    """Return a name as comparisons of names see it."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def line(wanted: str) -> str:
    """Return a line of visible text."""
    found = " ".join(wanted.split())
    if not found or len(found) > LONGEST or not found.isprintable():
        raise errors.InvalidRequest("A condition needs lines of visible text, 2048 bytes at most.")
    return found


def pattern(wanted: str) -> str:
    """Return a name in which stars may stand for any characters."""
    found = plain(line(wanted))
    if found.count("*") > STARS or not found.strip("* "):
        raise errors.InvalidRequest("A name needs letters, and may have four stars at most.")
    return found


def reading(wanted: str) -> str:
    """Return the skeleton of a name, which is what a reader sees of it."""
    return skeletons.skeleton(line(wanted))


def host_pattern(wanted: str) -> str:
    """Return a host, or every host below one."""
    found = line(wanted).lower()
    if not _HOST.fullmatch(found) or (found.startswith("*.") and "." not in found[2:]):
        raise errors.InvalidRequest(
            "A host is written like app.example.com, *.example.com or loopback, without scheme,"
            " port and path."
        )
    return found


def scheme(wanted: str) -> str:
    """Return a scheme without its colon."""
    found = line(wanted).lower().removesuffix(":")
    if not _SCHEME.fullmatch(found):
        raise errors.InvalidRequest("A scheme is written like https or com.example.app.")
    return found


def uri(wanted: str) -> str:
    """Return a redirect URI; a loopback URI stands for every port."""
    found = line(wanted)
    redirect_uris.parse(found, lambda what: errors.InvalidRequest(f"A redirect URI {what}"))
    return redirect_uris.without_loopback_port(found)


def url_pattern(wanted: str) -> str:
    """Return the URL of a document, in which stars may stand for parts between slashes."""
    found = line(wanted)
    if not _URL.fullmatch(found) or found.count("*") > STARS:
        raise errors.InvalidRequest(
            "The URL of a document is written like https://app.example.com/*/client.json, with four"
            " stars at most."
        )
    return found


def network(wanted: str) -> str:
    """Return a network in CIDR notation; a bare address is a network of one."""
    try:
        return str(ip_network(line(wanted)))
    except ValueError:
        raise errors.InvalidRequest(
            "A network is written like 192.0.2.0/24 or 2001:db8::/32, no bits after the prefix."
        ) from None


def number(wanted: str) -> str:
    """Return a whole number."""
    found = line(wanted)
    if not (found.isascii() and found.isdigit() and len(found) < 8 and int(found) <= HIGHEST):
        raise errors.InvalidRequest("This condition needs a whole number up to 1000000.")
    return str(int(found))


def one_of(*options: str) -> Callable[[str], str]:
    """Return a reader that knows some words only."""

    def read(wanted: str) -> str:
        if wanted not in options:
            raise errors.InvalidRequest("This condition has fixed choices; use one of them.")
        return wanted

    return read
