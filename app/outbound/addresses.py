"""Owns which addresses may be reached: public ones for strangers, metadata services for nobody."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address


def _table(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(network) for network in text.split())


# IANA's special-purpose registries (RFC 6890), and what clouds hide behind public addresses.
_SPECIAL = _table("""
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12
    192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16
    192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
    2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20
""")

_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out as global unicast; the rest of IPv6 is special or nobody's."""

_NEVER = _table("""
    0.0.0.0/8 100.100.100.200/32 168.63.129.16/32 169.254.0.0/16 192.0.0.192/32 224.0.0.0/4
    255.255.255.255/32 ::/128 fd00:c1::a9fe:a9fe/128 fd00:ec2::254/128 fd20:ce::254/128 fe80::/10
    ff00::/8
""")
"""Metadata services, link-local, multicast and unspecified addresses."""

_NAT64 = IPv6Network("64:ff9b::/96")
_ENDING_IN_IPV4 = (*_table("::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b:1::/48"), _NAT64)


def read(text: str) -> Address | None:
    """Return an address; None for anything else, also for an address with a zone."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def is_public(text: str) -> bool:
    """Tell whether an address is ordinary public unicast, where strangers may send us.

    No address that stands for an IPv4 address is, except those of the well-known NAT64 prefix,
    through which networks without IPv4 reach public ones (RFC 6052 section 3.1).
    """
    address = read(text)
    if address is None:
        return False
    if address in _NAT64:
        return is_public(str(_last_32_bits(address)))
    if isinstance(address, IPv6Address) and (address not in _UNICAST or _is_isatap(address)):
        return False
    return not any(address in network for network in _SPECIAL)


def is_reachable(text: str) -> bool:
    """Tell whether an address may be reached when an operator named its host, private ones too."""
    address = read(text)
    if address is None:
        return False
    meant = (address, *_embedded(address))
    return not any(each in network for each in meant for network in _NEVER)


def _last_32_bits(address: Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)


def _is_isatap(address: IPv6Address) -> bool:
    """Know the interface identifiers of RFC 5214 section 6.1, with and without the global bit."""
    return (int(address) >> 32) & 0xFDFFFFFF == 0x5EFE


def _embedded(address: Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address may lead to."""
    if isinstance(address, IPv4Address) or address.is_loopback:
        return ()
    if address.teredo:
        return address.teredo
    if address.sixtofour:
        return (address.sixtofour,)
    if _is_isatap(address) or any(address in network for network in _ENDING_IN_IPV4):
        return (_last_32_bits(address),)
    return ()
