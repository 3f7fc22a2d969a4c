"""S-10: whose certificate is believed."""

import ssl

import pytest

from app.outbound.client import Outbound
from app.outbound.errors import OutboundError


def test_the_name_in_the_url_is_asked_for_and_checked(serve, way_to, authority):
    asked = []
    context = authority.context()
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    server = serve(tls=context)

    found = way_to(server).stranger(f"https://Client.example:{server.port}/")

    assert found.content == b"{}"
    assert asked == ["client.example"]


def test_an_address_is_checked_as_an_address(serve, authority):
    server = serve(tls=authority.context("127.0.0.1"))

    way = Outbound("Gatewright", ca_file=authority.file)

    assert way.trusted(f"https://127.0.0.1:{server.port}/").status == 200


@pytest.mark.parametrize(
    "options",
    [
        {"self_signed": True},
        {"days": -1},
        {"name": "other.example"},
        {"name": "127.0.0.1"},
        {"name": "*.example.client.example"},
        {"with_san": False},
    ],
    ids=["self-signed", "expired", "wrong-name", "its-address", "wildcard", "name-in-cn-only"],
)
@pytest.mark.parametrize("door", ["stranger", "trusted"])
def test_a_certificate_that_proves_nothing_is_refused(serve, way_to, authority, door, options):
    server = serve(tls=authority.context(**options))

    with pytest.raises(OutboundError) as raised:
        getattr(way_to(server), door)(f"https://client.example:{server.port}/")

    assert raised.value.reason == "tls"
    assert server.requests == []


def test_an_authority_that_nobody_named_is_not_believed(serve, authority, resolver):
    server = serve(tls=authority.context())
    way = Outbound("Gatewright", resolve=resolver(["127.0.0.1"]))

    with pytest.raises(OutboundError) as raised:
        way.trusted(f"https://client.example:{server.port}/")

    assert raised.value.reason == "tls"


def test_tls_of_yesterday_is_refused(serve, way_to, authority):
    context = authority.context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server = serve(tls=context)

    with pytest.raises(OutboundError) as raised:
        way_to(server).stranger(f"https://client.example:{server.port}/")

    assert raised.value.reason == "tls"


@pytest.mark.parametrize("own", [True, False], ids=["file", "system"])
def test_checking_cannot_be_switched_off(authority, own):
    context = Outbound("Gatewright", ca_file=authority.file if own else "").tls

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.hostname_checks_common_name
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_plain_http_where_tls_was_expected_is_refused(serve, way_to):
    server = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n", greets=True)

    with pytest.raises(OutboundError) as raised:
        way_to(server).stranger(f"https://client.example:{server.port}/")

    assert raised.value.reason == "tls"
