"""S-09: whatever the other side does slowly, everything ends at one deadline."""

import threading
import time

import pytest

from app.outbound.client import Outbound
from app.outbound.errors import OutboundError

SECONDS = 0.4
AT_LATEST = 4


def drip(text: bytes):
    """Return a script that sends one byte after another, each within any single time-out."""

    def send(connection):
        for byte in text:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return send


def ends_in_time(ask, url, **options) -> None:
    """Assert that a request ends at the deadline, with that for a reason."""
    begun = time.monotonic()
    with pytest.raises(OutboundError) as raised:
        ask(url, seconds=SECONDS, **options)
    elapsed = time.monotonic() - begun

    assert raised.value.reason == "timeout"
    assert SECONDS * 0.9 <= elapsed < AT_LATEST


@pytest.mark.parametrize("door", ["stranger", "trusted"])
@pytest.mark.parametrize(
    "script",
    [
        lambda connection: connection.recv(1),
        drip(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 1000),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        drip(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 1000),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"a" * 1000),
    ],
    ids=["silence", "headers", "informational", "body", "counted-body"],
)
def test_an_answer_that_drips_ends_at_the_deadline(serve, way_to, door, script):
    server = serve(script)

    ends_in_time(getattr(way_to(server), door), f"http://client.example:{server.port}/")


@pytest.mark.parametrize(
    "script",
    [
        lambda connection: connection.recv(99999) and connection.recv(1),
        drip(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb" + b"\x03" * 1000),
    ],
    ids=["silence", "drip"],
)
def test_a_slow_handshake_ends_at_the_deadline(serve, way_to, script):
    server = serve(script, greets=True)

    ends_in_time(way_to(server).stranger, f"https://client.example:{server.port}/")


def test_an_encrypted_answer_that_drips_ends_at_the_deadline(serve, way_to, authority):
    server = serve(drip(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 1000), tls=authority.context())

    ends_in_time(way_to(server).stranger, f"https://client.example:{server.port}/")


def test_a_reader_that_does_not_read_ends_at_the_deadline(serve, way_to):
    release = threading.Event()
    server = serve(lambda _: release.wait(20), greets=True)
    try:
        url = f"http://client.example:{server.port}/"
        ends_in_time(way_to(server).trusted, url, method="POST", content=b"a" * 30_000_000)
    finally:
        release.set()


def test_a_name_server_that_hangs_ends_at_the_deadline():
    """S-04, S-09"""
    release = threading.Event()
    way = Outbound("Gatewright", resolve=lambda _host, _port: [str(release.wait(20))])
    try:
        ends_in_time(way.stranger, "https://client.example/")
        ends_in_time(way.trusted, "https://client.example/")
    finally:
        release.set()


def test_addresses_that_do_not_answer_share_the_time(monkeypatch, resolver):
    shares = []

    def hang(_address, timeout):
        shares.append(timeout)
        time.sleep(timeout)
        raise TimeoutError

    monkeypatch.setattr("socket.create_connection", hang)
    way = Outbound("Gatewright", resolve=resolver(["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1"]))

    ends_in_time(way.stranger, "https://client.example/")

    assert [round(share, 1) for share in shares] == [0.1, 0.1, 0.1, 0.1]
