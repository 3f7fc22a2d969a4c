"""URLs that must not make this server ask what is inside: S-01 to S-04 for discovery."""

import socket
from typing import NamedTuple

PUBLIC = ["8.8.8.8"]


class Hostile(NamedTuple):
    """A URL that is no other text, why it is not asked, and what its name leads to."""

    name: str
    url: str
    reason: str
    found: list[str] | Exception = PUBLIC


def hosts(rule: str, *names: str) -> list[Hostile]:
    """Return a row for each host that nobody may name."""
    return [Hostile(f"{rule} {name}", f"https://{name}/mcp", "address") for name in names]


def leading(rule: str, *addresses: str) -> list[Hostile]:
    """Return a row for each address that a name leads to."""
    url = "https://notes.example/mcp"
    return [Hostile(f"{rule} {each}", url, "address", [each]) for each in addresses]


UNREADABLE = {
    "S-01 scheme": "ftp://notes.example/",
    "S-01 file": "file:///etc/passwd",
    "S-01 gopher": "gopher://127.0.0.1:6379/_FLUSHALL",
    "S-01 http": "http://notes.example/",
    "S-01 user": "https://ann@notes.example/",
    "S-01 user that looks like a host": "https://notes.example:443@10.0.0.1/",
    "S-01 fragment": "https://notes.example/#@10.0.0.1/",
    "S-01 backslash": "https://notes.example\\@10.0.0.1/",
    "S-01 other script": "https://n\u00f6tes.example/",
    "S-01 port": "https://notes.example:65979/",
    "S-02 short": "https://127.1/",
    "S-02 octal": "https://0177.0.0.1/",
    "S-02 hexadecimal": "https://0x7f000001/",
    "S-02 decimal": "https://2130706433/",
    "S-02 decimal of metadata": "https://2852039166/latest/meta-data/",
    "S-02 dot": "https://127.0.0.1./",
    "S-02 circled": "https://\u2460\u2461\u2466.0.0.1/",
    "S-02 wide dot": "https://127\u30020.0.1/",
    "S-02 mapped": "https://[::ffff:7f00:1]/",
    "S-02 mapped and dotted": "https://[::ffff:169.254.169.254]/",
    "S-02 compatible": "https://[::127.0.0.1]/",
    "S-02 long": "https://[0:0:0:0:0:ffff:169.254.169.254]/",
    "S-02 zone": "https://[fe80::1%25eth0]/",
    "S-02 trailing dot": "https://localhost./",
    "S-03 link-local": "https://169.254.169.254/latest/meta-data/",
    "S-03 unspecified": "https://0.0.0.0/",
    "S-03 broadcast": "https://255.255.255.255/",
    "S-03 translated": "https://[64:ff9b::a9fe:a9fe]/",
    "S-11 line": "https://notes.example/\r\nHost: 10.0.0.1",
    "S-11 encoded line": "https://notes.example/%0d%0aHost:%2010.0.0.1",
}
"""What is no URL of a connection at all, by rule."""

UNASKED = [
    Hostile("S-01 loopback", "http://127.0.0.1:6379/", "scheme"),
    Hostile("S-01 loopback by name", "http://localhost:8000/mcp", "scheme"),
    Hostile("S-01 loopback of IPv6", "http://[::1]/mcp", "scheme"),
    Hostile("S-01 port", "https://notes.example:8443/mcp", "port"),
    Hostile("S-01 port of http", "https://notes.example:80/mcp", "port"),
    Hostile("S-01 port of ssh", "https://10.0.0.1:22/mcp", "port"),
    *hosts("S-02", "localhost", "foo.localhost", "printer.local", "db.internal", "redis"),
    *hosts("S-02", "metadata.google.internal", "METADATA.google.Internal"),
    *hosts("S-03", "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "8.8.8.8"),
    *hosts("S-03", "100.100.100.200", "168.63.129.16", "[::1]", "[fd00::1]", "[fd00:ec2::254]"),
    *hosts("S-03", "[2002:7f00:1::]", "[2606:4700::1111]"),
]
"""What is refused before any name is looked up."""

LEADING_INSIDE = [
    *leading("S-03", "127.0.0.1", "10.0.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254"),
    *leading("S-03", "0.0.0.0", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *leading("S-03", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fd00::1"),
    *leading("S-03", "fe80::1", "fe80::1%eth0", "ff02::1", "::ffff:127.0.0.1", "::7f00:1"),
    *leading("S-03", "64:ff9b::10.0.0.1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    *leading("S-03", "2606:4700::5efe:10.0.0.1", "not an address"),
    Hostile("S-04 one of two", "https://a.example/", "address", ["8.8.8.8", "fd00::1"]),
    Hostile("S-04 mapped", "https://a.example/", "address", ["8.8.8.8", "::ffff:10.0.0.1"]),
    Hostile("S-04 last of many", "https://a.example/", "address", [*PUBLIC * 999, "10.0.0.1"]),
    Hostile("S-04 none", "https://a.example/", "dns", []),
    Hostile("S-04 unknown", "https://a.example/", "dns", socket.gaierror(socket.EAI_NONAME)),
]
"""Names that are public and lead to what is not."""

HOSTILE = [*UNASKED, *LEADING_INSIDE]
