"""Owns which URLs may be asked at all: their one reading, and what strangers may not name."""

from typing import NamedTuple

from app.domain import errors, redirect_uris
from app.outbound import addresses
from app.outbound.errors import OutboundError

PORTS = {"https": 443, "http": 80}
LOCAL_NAMES = (".localhost", ".local", ".internal")


class Target(NamedTuple):
    """Where a URL leads; the host is in lower case, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """Return host and port as an operator writes them into the list of exceptions."""
        return f"{self._written_host}:{self.port}"

    @property
    def authority(self) -> str:
        """Return the value of the Host header (RFC 9110 section 7.2)."""
        return self._written_host if self.port == PORTS[self.scheme] else self.name

    @property
    def _written_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def parse(url: str) -> Target:
    """Read an http or https URL without user, fragment and dot segments; raises OutboundError.

    Only what is read here is used from then on, so that no second parser can see another host.
    """
    try:
        uri = redirect_uris.parse(url, errors.InvalidRequest)
    except errors.Refusal as refusal:
        raise OutboundError("url") from refusal
    if uri.scheme not in PORTS:
        raise OutboundError("scheme")
    path = f"{uri.path or '/'}?{uri.query}" if uri.query else uri.path or "/"
    host = uri.host.strip("[]").lower()
    return Target(uri.scheme, host, uri.port or PORTS[uri.scheme], path)


def check_strange(target: Target) -> None:
    """Refuse what no stranger may name, whatever it leads to; raises OutboundError."""
    if target.scheme != "https":
        raise OutboundError("scheme")
    if target.port != PORTS["https"]:
        raise OutboundError("port")
    is_local = "." not in target.host or target.host.endswith(LOCAL_NAMES)
    if is_local or addresses.read(target.host):
        raise OutboundError("address")
