"""The way out: whom strangers and operators reach, what is sent, which answers are usable."""

import socket
import threading

import pytest

from app import create_app
from app.config import load
from app.outbound.client import ADDRESSES_TRIED, HEADROOM_BYTES, Outbound
from app.outbound.errors import OutboundError

SENTENCE = "The other server could not be asked or gave no usable answer."
STRANGE = "https://client.example/client.json"


def reason_of(ask, *arguments, **options) -> str:
    """Return why the way out refused; the public sentence is the same for everything."""
    with pytest.raises(OutboundError) as raised:
        ask(*arguments, **options)
    assert str(raised.value) == SENTENCE
    return raised.value.reason


@pytest.fixture
def dialled(monkeypatch):
    """Return the addresses that were connected to; none of them can be reached."""
    found = []

    def refuse(address, _timeout):
        found.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return found


def answer(head: str, body: bytes = b"{}") -> bytes:
    """Write an answer whose head may hold anything."""
    length = "" if "Transfer-Encoding" in head else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {head}\r\n{length}\r\n".encode() + body


def test_a_stranger_gets_one_plain_request(serve, way_to):
    """S-11"""
    server = serve()

    way_to(server).stranger(f"http://Client.example:{server.port}/client.json?v=1")

    request, *headers = server.requests[0].decode().removesuffix("\r\n\r\n").split("\r\n")
    assert request == "GET /client.json?v=1 HTTP/1.1"
    assert sorted(headers) == [
        "Accept-Encoding: identity",
        "Accept: application/json",
        "Connection: close",
        f"Host: client.example:{server.port}",
        "User-Agent: Gatewright (+https://gatewright.example)",
    ]


def test_path_and_query_arrive_byte_for_byte(serve, way_to):
    server = serve()
    path = "/a//b/%2F%25'()*!$&,;=:@-._~/?q='%22;a=b&c+d?/:@"

    way_to(server).stranger(f"http://client.example:{server.port}{path}")

    assert server.requests[0].decode().startswith(f"GET {path} HTTP/1.1\r\n")


def test_an_answer_is_status_headers_and_content(serve, way_to):
    server = serve(answer("404 Nope\r\nX-A: 1\r\nx-a: 2\r\nX-B: caf\xe9", b"[1]"))

    found = way_to(server).stranger(f"http://client.example:{server.port}/")

    assert (found.status, found.content) == (404, b"[1]")
    assert found.headers == {"x-a": "1, 2", "x-b": "caf\xe9", "content-length": "3"}


def test_an_operator_sends_what_is_wanted(serve, way_to):
    """S-15"""
    server = serve()

    found = way_to(server).trusted(
        f"http://client.example:{server.port}/gate",
        method="POST",
        headers={"Authorization": "Bearer a", "content-type": "application/json", "Host": "b"},
        content=b'{"a": 1}',
    )

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert found.status == 200
    assert body == b'{"a": 1}'
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /gate http/1.1"
    assert {"authorization: bearer a", "content-type: application/json"} < set(lines)
    assert [line for line in lines if line.startswith("host:")] == [
        f"host: client.example:{server.port}"
    ]
    assert "content-length: 8" in lines


def test_a_header_cannot_hold_another_one(serve, way_to):
    """S-11"""
    server = serve()
    url = f"http://client.example:{server.port}/"

    assert reason_of(way_to(server).trusted, url, headers={"A": "b\r\nC: d"}) == "protocol"
    assert b"".join(server.requests).strip() == b""


def test_an_ipv6_address_is_written_in_brackets(serve):
    server = serve(host="::1")
    name = f"[::1]:{server.port}"

    Outbound("Gatewright", allow=[name]).stranger(f"http://{name}/")

    assert f"\r\nhost: {name}\r\n".encode() in server.requests[0].lower()


def test_a_stranger_is_sent_to_public_addresses_only(dialled, resolver):
    """S-03"""
    resolve = resolver(["8.8.8.8", "2606:4700::1111"])

    assert reason_of(Outbound("Gatewright", resolve=resolve).stranger, STRANGE) == "network"

    assert dialled == [("8.8.8.8", 443), ("2606:4700::1111", 443)]
    assert resolve.asked == [("client.example", 443)]


@pytest.mark.parametrize(
    "found",
    [
        ["10.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["8.8.8.8", "fd00::1"],
        ["fd00::1", "8.8.8.8"],
        ["2606:4700::1111", "::ffff:127.0.0.1"],
        ["0.0.0.0"],
        ["8.8.8.8", "not an address"],
        ["8.8.8.8", "fe80::1%eth0"],
        [*(f"8.8.{high}.{low}" for high in range(4) for low in range(250)), "127.0.0.1"],
    ],
    ids=lambda found: found[-1],
)
def test_one_address_that_is_not_public_refuses_all(dialled, resolver, found):
    """S-04"""
    way = Outbound("Gatewright", resolve=resolver(found))

    assert reason_of(way.stranger, STRANGE) == "address"
    assert dialled == []


def test_a_name_is_looked_up_once_so_that_no_second_answer_counts(dialled, resolver):
    """S-04: rebinding"""
    resolve = resolver(["8.8.8.8"], ["127.0.0.1"])

    assert reason_of(Outbound("Gatewright", resolve=resolve).stranger, STRANGE) == "network"

    assert dialled == [("8.8.8.8", 443)]
    assert len(resolve.asked) == 1


def test_a_few_of_a_thousand_addresses_are_tried(dialled, resolver):
    """S-04"""
    many = [f"8.8.{high}.{low}" for high in range(4) for low in range(250)]

    way = Outbound("Gatewright", resolve=resolver(many))

    assert reason_of(way.stranger, STRANGE) == "network"
    assert [host for host, _ in dialled] == many[:ADDRESSES_TRIED]


def test_the_next_address_is_tried_when_one_does_not_answer(serve, way_to):
    server = serve()

    way = way_to(server, "127.0.0.2", "127.0.0.1")

    assert way.stranger(f"http://client.example:{server.port}/").content == b"{}"


@pytest.mark.parametrize("peer", [("127.0.0.2", None), ("127.0.0.1", 1)])
def test_another_peer_than_the_checked_one_gets_nothing(serve, way_to, monkeypatch, peer):
    """S-05"""
    server = serve()
    address = (peer[0], peer[1] or server.port)
    monkeypatch.setattr(socket.socket, "getpeername", lambda _: address, raising=False)

    way = way_to(server)

    assert reason_of(way.stranger, f"http://client.example:{server.port}/") == "address"
    assert server.requests in ([], [b"\r\n\r\n"])


@pytest.mark.parametrize("found", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"])
def test_no_switch_opens_link_local_and_metadata_addresses(dialled, resolver, found):
    """S-15"""
    way = Outbound("Gatewright", allow=["metadata:80"], resolve=resolver([found]))

    assert reason_of(way.stranger, "http://metadata/") == "address"
    assert reason_of(way.trusted, "http://metadata/") == "address"
    assert dialled == []


@pytest.mark.parametrize(
    "url",
    [
        "http://client.example/",
        "https://client.example:8443/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://db.internal/",
        "https://ann@client.example/",
    ],
)
def test_what_a_stranger_may_not_name_is_not_even_looked_up(dialled, resolver, url):
    """S-01, S-02"""
    resolve = resolver(["8.8.8.8"])
    way = Outbound("Gatewright", allow=["client.example:9999", "gate:80"], resolve=resolve)

    assert reason_of(way.stranger, url) in ("scheme", "port", "address", "url")
    assert resolve.asked == dialled == []


def test_an_operator_reaches_a_private_host_without_the_allow_list(serve):
    """S-15"""
    server = serve()

    assert Outbound("Gatewright").trusted(f"http://127.0.0.1:{server.port}/").status == 200


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://ann@127.0.0.1/", "http://0177.0.0.1/"])
def test_an_operators_url_has_one_reading_too(url):
    """S-15"""
    assert reason_of(Outbound("Gatewright").trusted, url) in ("scheme", "url")


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


def test_proxies_and_passwords_of_the_environment_are_ignored(serve, way_to, monkeypatch, tmp_path):
    """S-07"""
    proxy, server = serve(), serve()
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{proxy.port}")
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine client.example login ann password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    url = f"http://client.example:{server.port}/"

    way_to(server).stranger(url)
    way_to(server).trusted(url)

    assert proxy.requests == []
    assert len(server.requests) == 2
    assert not any(b"authorization" in request.lower() for request in server.requests)


def test_no_cookie_is_kept(serve, way_to):
    """S-11"""
    server = serve(answer("200 OK\r\nSet-Cookie: a=b; Path=/"))
    way = way_to(server)

    for _ in range(2):
        way.stranger(f"http://client.example:{server.port}/")
        way.trusted(f"http://client.example:{server.port}/")

    assert len(server.requests) == 4
    assert not any(b"cookie" in request.lower() for request in server.requests)


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


def test_two_requests_to_a_host_that_hangs_leave_room_for_others(serve, way_to):
    """S-13"""
    release, arrived = threading.Event(), threading.Semaphore(0)

    def hang(connection):
        arrived.release()
        release.wait(20)
        connection.sendall(answer("200 OK"))

    server = serve(hang)
    way, url = way_to(server), f"http://client.example:{server.port}/"
    waiting = [threading.Thread(target=way.stranger, args=[url]) for _ in range(2)]
    for each in waiting:
        each.start()
    try:
        assert arrived.acquire(timeout=5)
        assert arrived.acquire(timeout=5)
        assert reason_of(way.stranger, url) == "busy"
    finally:
        release.set()
        for each in waiting:
            each.join()

    assert way.stranger(url).status == 200


def test_an_application_has_the_way_out_of_its_settings_or_the_one_it_is_given(tmp_path, authority):
    settings = load(
        data_dir=tmp_path, outbound_allow="Gate.example:8443", outbound_ca_file=authority.file
    )

    made = create_app(settings).extensions["gatewright.outbound"]
    given = create_app(settings, outbound=made).extensions["gatewright.outbound"]

    assert made.user_agent == "Gatewright (+http://127.0.0.1:8000)"
    assert made.allow == {"gate.example:8443"}
    assert made.ca_file == authority.file
    assert given is made
