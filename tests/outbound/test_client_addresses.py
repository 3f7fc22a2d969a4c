"""S-01 to S-05, S-15: which addresses strangers and operators reach."""

import socket

import pytest

from app.outbound.client import ADDRESSES_TRIED, Outbound
from tests.outbound.exchange import reason_of

STRANGE = "https://client.example/client.json"


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
