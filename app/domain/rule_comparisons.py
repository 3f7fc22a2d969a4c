"""Owns how one fact about an arrival is compared with one line of a rule."""

import re
from ipaddress import IPv6Address, ip_address, ip_network


def is_host(found: str, wanted: str) -> bool:
    """Compare hosts; ``*.example.com`` means every name below example.com, not itself."""
    if wanted.startswith("*."):
        return found.endswith(wanted[1:]) and len(found) > len(wanted) - 1
    return found == wanted


def is_url_like(found: str, wanted: str) -> bool:
    """Compare whole URLs, where a star stands for any characters except a slash."""
    return re.fullmatch("[^/]*".join(map(re.escape, wanted.split("*"))), found) is not None


def is_like(found: str, wanted: str) -> bool:
    """Compare whole texts, where a star stands for any characters."""
    return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), found, re.DOTALL) is not None


def is_in_network(found: str, wanted: str) -> bool:
    """Tell whether an address is in a network; one of IPv4 also in the spelling of IPv6."""
    try:
        address, network = ip_address(found), ip_network(wanted)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address in network or (mapped is not None and mapped in network)


def same(found: str, wanted: str) -> bool:
    """Compare exactly."""
    return found == wanted


def same_or_any(found: str, wanted: str) -> bool:
    """Compare exactly; a star means whichever."""
    return wanted in ("*", found)


def at_least(found: int, wanted: str) -> bool:
    """Compare numbers."""
    return found >= int(wanted)
