"""S-06, S-08, S-12: which answers are usable, and that one which leads elsewhere leads nowhere."""

import socket

import pytest

from app.outbound.client import HEADROOM_BYTES
from tests.outbound.exchange import answer, reason_of


def test_an_answer_is_status_headers_and_content(serve, way_to):
    server = serve(answer("404 Nope\r\nX-A: 1\r\nx-a: 2\r\nX-B: caf\xe9", b"[1]"))

    found = way_to(server).stranger(f"http://client.example:{server.port}/")

    assert (found.status, found.content) == (404, b"[1]")
    assert found.headers == {"x-a": "1, 2", "x-b": "caf\xe9", "content-length": "3"}


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("location", ["https://public.example/", "http://127.0.0.1:{port}/"])
def test_a_redirect_is_never_followed(serve, way_to, status, location):
    """S-06"""
    server = serve(lambda connection: connection.sendall(redirect))
    redirect = answer(f"{status} Over there\r\nLocation: {location.format(port=server.port)}", b"")
    url = f"http://client.example:{server.port}/"

    assert reason_of(way_to(server).stranger, url) == "redirect"
    assert way_to(server).trusted(url).status == status
    assert len(server.requests) == 2


def test_other_words_that_lead_elsewhere_are_ignored(serve, way_to):
    """S-06"""
    elsewhere = "Location: /b\r\nRefresh: 0; url=/b\r\nAlt-Svc: h3=\x22:443\x22; ma=9\r\nLink: </b>"
    server = serve(answer(f"200 OK\r\n{elsewhere}"))

    assert way_to(server).stranger(f"http://client.example:{server.port}/").content == b"{}"
    assert len(server.requests) == 1


def endless(start: bytes, again: bytes):
    """Return a script that never ends, except when nobody listens any more."""

    def send(connection):
        connection.sendall(start)
        while True:
            connection.sendall(again)

    return send


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "script, reason",
    [
        (endless(HEAD + b"Content-Length: 1000000000\r\n\r\n", b"a" * 9999), "size"),
        (endless(HEAD + b"\r\n", b"a" * 9999), "size"),
        (endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 999), "size"),
        (answer("200 OK", b"a" * 1001), "size"),
        (endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 99), "size"),
        (endless(HEAD, b"X-A: 1\r\n" * 99), "protocol"),
        (endless(HEAD + b"X-A: ", b"a" * 9999), "protocol"),
        (HEAD + b"Content-Length: -1\r\n\r\n{}", "protocol"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "protocol"),
        (HEAD + b"Content-Length: 5\r\n\r\n{}", "protocol"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "protocol"),
        (b"", "protocol"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "protocol"),
        (answer("200 OK\r\nContent-Encoding: gzip", b"\x1f\x8b"), "encoding"),
        (answer("200 OK\r\ncontent-encoding: br"), "encoding"),
        (answer("200 OK\r\nContent-Encoding: identity, gzip"), "encoding"),
    ],
    ids=[
        "announced",
        "without-length",
        "tiny-chunks",
        "one-byte-more",
        "informational",
        "headers",
        "header-line",
        "negative-length",
        "two-lengths",
        "cut-short",
        "no-http",
        "nothing",
        "upgrade",
        "gzip",
        "brotli",
        "two-encodings",
    ],
)
@pytest.mark.parametrize("door", ["stranger", "trusted"])
def test_an_answer_that_is_too_much_or_nonsense_is_refused(serve, way_to, door, script, reason):
    """S-08"""
    server = serve(script)
    ask = getattr(way_to(server), door)

    url = f"http://client.example:{server.port}/"

    assert reason_of(ask, url, maximum_bytes=1000) == reason


@pytest.mark.parametrize(
    "script",
    [
        answer("200 OK", b"a" * 1000),
        answer("200 OK\r\n" + "\r\n".join(f"X-{number}: a" for number in range(1000))),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100 + answer("200 OK"),
        answer("200 OK\r\nContent-Encoding: identity"),
        answer("200 OK\r\nTransfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n"),
        b"HTTP/1.0 200 OK\r\n\r\n{}",
    ],
    ids=["exact", "many-headers", "informational", "identity", "chunked", "old"],
)
def test_an_answer_within_the_limits_is_taken(serve, way_to, script):
    """S-08"""
    server = serve(script)

    found = way_to(server).stranger(f"http://client.example:{server.port}/", maximum_bytes=1000)

    assert found.status == 200
    assert len(found.content) in (2, 1000)
    assert HEADROOM_BYTES == 262144


ABORT = (socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def test_a_closed_port_and_a_reset_look_alike(serve, way_to):
    """S-12"""
    server = serve(lambda connection: connection.setsockopt(*ABORT))
    url = f"http://client.example:{server.port}/"

    assert reason_of(way_to(server).stranger, url) == "network"
    assert reason_of(way_to(server, "127.0.0.2").stranger, url) == "network"
