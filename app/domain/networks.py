"""Owns which addresses count as one source of requests."""

from ipaddress import IPv4Address, IPv6Network, ip_address

PREFIX = 64
"""Whoever has one IPv6 address has all the others of its /64 as well."""


def network_of(address: str) -> str:
    """Return the /64 of an IPv6 address; an IPv4 address stands for itself, however spelled.

    What is no address, such as the path of a socket, stands for itself as well.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), PREFIX), strict=False))
