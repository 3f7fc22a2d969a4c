"""Owns looking names up: once for each request, within its deadline."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

from app.outbound import addresses
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline

AT_ONCE = 16

Resolve = Callable[[str, int], list[str]]
"""Returns the addresses of a host for a port; raises OSError when there are none."""


class Lookups:
    """Looks names up in threads of its own, so that a name server that hangs holds nobody."""

    def __init__(self, resolve: Resolve) -> None:
        self.resolve = resolve
        self.threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="lookup")
        self.free = BoundedSemaphore(AT_ONCE)

    def find(self, host: str, port: int, deadline: Deadline) -> list[str]:
        """Return all addresses of a host; raises OutboundError, or TimeoutError at the deadline."""
        if addresses.read(host):
            return [host]
        if not self.free.acquire(blocking=False):
            raise OutboundError("busy")
        lookup = self.threads.submit(self.resolve, host, port)
        lookup.add_done_callback(lambda _: self.free.release())
        try:
            found = lookup.result(deadline.left())
        except TimeoutError:
            raise
        except (OSError, UnicodeError) as error:
            raise OutboundError("dns") from error
        if not found:
            raise OutboundError("dns")
        return found
