"""Owns every socket that leads out: what strangers' URLs may reach, what operators' URLs may."""

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpcore2
import httpx2

from app.outbound import addresses, targets
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline, Turns
from app.outbound.lookups import Lookups, Resolve
from app.outbound.targets import Target

ADDRESSES_TRIED = 4
JSON = {"Accept": "application/json"}
HEADROOM_BYTES = 256 * 1024
"""What headers, informational answers and the frames of chunks may add to a body."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; header names are in lower case, repeated values joined."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Stream(httpcore2.NetworkStream):
    """One connection on which every step ends at the deadline; ``maximum`` bytes may come in."""

    def __init__(self, connected: socket.socket, deadline: Deadline, maximum: int) -> None:
        """Take over a connected socket."""
        self.socket, self.deadline, self.left = connected, deadline, maximum

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come in, nothing when the other side has ended."""
        self.socket.settimeout(self.deadline.left())
        data = self.socket.recv(max_bytes)
        self.left -= len(data)
        if self.left < 0:
            raise OutboundError("size")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything; WriteError makes httpcore2 look for an answer that came early."""
        rest = memoryview(buffer)
        try:
            while rest:
                self.socket.settimeout(self.deadline.left())
                rest = rest[self.socket.send(rest) :]
        except TimeoutError:
            raise
        except OSError as error:
            raise httpcore2.WriteError from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Shake hands under the name in the URL, whatever the address is."""
        try:
            self.socket.settimeout(self.deadline.left())
            self.socket = ssl_context.wrap_socket(self.socket, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close without waiting for the other side."""
        self.socket.close()


@dataclass(frozen=True, slots=True)
class Guard(httpcore2.NetworkBackend):
    """Looks a host up once, checks every address it has, and connects to one of these."""

    lookups: Lookups
    may_reach: Callable[[str], bool]
    deadline: Deadline
    maximum: int

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> Stream:
        """Connect to the first address that answers; each has its share of the time left."""
        found = self.lookups.find(host, port, self.deadline)
        if not all(self.may_reach(address) for address in found):
            raise OutboundError("address")
        tried, failure = found[:ADDRESSES_TRIED], OSError()
        for done, address in enumerate(tried):
            try:
                return self.connect(address, port, self.deadline.left() / (len(tried) - done))
            except OSError as error:
                failure = error
        raise failure

    def connect(self, address: str, port: int, seconds: float) -> Stream:
        """Connect to one address; raises OutboundError when another one is at the other end."""
        connected = socket.create_connection((address, port), seconds)
        stream = Stream(connected, self.deadline, self.maximum + HEADROOM_BYTES)
        try:
            peer = connected.getpeername()
            if (addresses.read(peer[0]), peer[1]) != (addresses.read(address), port):
                raise OutboundError("address")
        except BaseException:
            stream.close()
            raise
        return stream


class Outbound:
    """The way out of one application: ``stranger`` for others' URLs, ``trusted`` for operators'.

    ``user_agent`` names us, ``allow`` holds each ``host:port`` that strangers may name although it
    is not public, ``ca_file`` the authorities to trust instead of the system's.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        allow: Iterable[str] = (),
        ca_file: str = "",
        resolve: Resolve | None = None,
    ) -> None:
        """Open nothing yet; ``resolve`` stands in for the system's resolver."""
        self.user_agent, self.allow, self.ca_file = user_agent, frozenset(allow), ca_file
        self.turns = Turns()
        self.of_strangers = Lookups(resolve or look_up)
        self.of_operators = Lookups(resolve or look_up)

    def stranger(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        seconds: float = 5,
        maximum_bytes: int = 65536,
    ) -> Answer:
        """Ask a URL that others gave; raises OutboundError, for a redirect too.

        It leads to a public host over https on port 443, or its host:port is in the allow-list.
        """
        target, may_reach = targets.parse(url), addresses.is_reachable
        if target.name not in self.allow:
            targets.check_strange(target)
            may_reach = addresses.is_public
        guard = Guard(self.of_strangers, may_reach, Deadline(seconds), maximum_bytes)
        with self.turns.taken(target.host):
            answer = self._ask(guard, target, method, headers or JSON, content)
        if 300 <= answer.status < 400:
            raise OutboundError("redirect")
        return answer

    def trusted(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        seconds: float = 5,
        maximum_bytes: int = 65536,
    ) -> Answer:
        """Ask a URL that an operator set in the environment; raises OutboundError.

        Private addresses are reached, link-local ones and metadata services never. A redirect is
        returned like any other answer.
        """
        target, may_reach = targets.parse(url), addresses.is_reachable
        guard = Guard(self.of_operators, may_reach, Deadline(seconds), maximum_bytes)
        return self._ask(guard, target, method, headers or {}, content)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Return what certificates are checked with, read on first use because it takes a while."""
        if self.ca_file:
            context = ssl.create_default_context(cafile=self.ca_file)
        else:
            context = httpcore2.default_ssl_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.hostname_checks_common_name = False
        return context

    def _ask(
        self,
        guard: Guard,
        target: Target,
        method: str,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> Answer:
        sent = httpx2.Headers(headers)
        sent.update({"Host": target.authority, "User-Agent": self.user_agent})
        sent.update({"Accept-Encoding": "identity", "Connection": "close"})
        scheme, host, port, path = target
        url = httpcore2.URL(scheme=scheme, host=host, port=port, target=path)
        with (
            _one_family(),
            httpcore2.ConnectionPool(
                self.tls if scheme == "https" else None, network_backend=guard
            ) as connections,
            connections.stream(method, url, headers=sent.raw, content=content) as answer,
        ):
            return _read(answer, guard.maximum)


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host in the order in which the system would try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _read(answer: httpcore2.Response, maximum: int) -> Answer:
    headers = httpx2.Headers(answer.headers)
    if answer.status < 200:
        raise OutboundError("protocol")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise OutboundError("encoding")
    content = bytearray()
    for part in answer.iter_stream():
        content += part
        if len(content) > maximum:
            raise OutboundError("size")
    return Answer(answer.status, dict(headers), bytes(content))


@contextmanager
def _one_family() -> Iterator[None]:
    """Turn whatever goes wrong on the way into the one error that callers know."""
    try:
        yield
    except TimeoutError as error:
        raise OutboundError("timeout") from error
    except ssl.SSLError as error:
        raise OutboundError("tls") from error
    except OSError as error:
        raise OutboundError("network") from error
    except httpcore2.ProtocolError as error:
        raise OutboundError("protocol") from error
