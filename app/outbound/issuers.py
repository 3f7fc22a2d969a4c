"""Owns the metadata of the issuers at which people sign in, kept for a few minutes."""

from dataclasses import dataclass

from app import clock
from app.outbound import discovery
from app.outbound.client import Outbound
from app.outbound.discovery import SECONDS, Discovery
from app.outbound.errors import OutboundError
from app.outbound.limits import OneByOne
from app.outbound.upstream_metadata import ServerMetadata

AT_ONCE = 8
"""So many threads may look for metadata; a provider that hangs holds no more."""
KEPT_SECONDS = 600
FAILED_SECONDS = 10
"""After a failure nobody asks again so soon."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found, for so long."""

    discovery: Discovery
    until: int


class Issuers(OneByOne):
    """The metadata that one process keeps, of issuers that operators entered."""

    def __init__(self, outbound: Outbound) -> None:
        """Ask nothing yet."""
        super().__init__(AT_ONCE, SECONDS + 1)
        self.outbound = outbound
        self.kept: dict[str, Kept] = {}

    def find(self, issuer: str) -> ServerMetadata:
        """Return the metadata of an issuer; raises OutboundError when they cannot be had.

        Whoever calls has no transaction open.
        """
        kept = self.kept.get(issuer)
        if kept is None or clock.epoch() >= kept.until:
            with self.turn(issuer):
                kept = self.kept.get(issuer)
                if kept is None or clock.epoch() >= kept.until:
                    kept = self._renew(issuer)
        if kept.discovery.server is None:
            raise OutboundError("metadata")
        return kept.discovery.server

    def why(self, issuer: str) -> str:
        """Return why the metadata of an issuer could not be used, nothing when they could."""
        kept = self.kept.get(issuer)
        return kept.discovery.obstacle if kept else ""

    def _renew(self, issuer: str) -> Kept:
        found = discovery.discover_provider(self.outbound, issuer)
        seconds = KEPT_SECONDS if found.server else FAILED_SECONDS
        kept = self.kept[issuer] = Kept(found, clock.epoch() + seconds)
        return kept
