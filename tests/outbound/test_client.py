"""The way out: what is sent, what is never sent along, and how much of it one host may take."""

import threading

from app import create_app
from app.config import load
from app.outbound.client import Outbound
from tests.outbound.exchange import answer, reason_of


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
