"""S-01, S-02: the one reading of a URL, and what a stranger may not name."""

import pytest

from app.outbound import targets
from app.outbound.errors import OutboundError


def reason_of(url: str) -> str:
    """Return why a stranger's URL is refused."""
    with pytest.raises(OutboundError) as raised:
        targets.check_strange(targets.parse(url))
    return raised.value.reason


@pytest.mark.parametrize(
    "url, reason",
    [
        ("http://client.example/", "scheme"),
        ("http://client.example:443/", "scheme"),
        ("HTTPS://client.example/", "scheme"),
        ("ftp://client.example/", "scheme"),
        ("file:///etc/passwd", "url"),
        ("gopher://client.example:443/", "scheme"),
        ("javascript:alert(1)", "url"),
        ("//client.example/", "url"),
        ("client.example", "url"),
        ("", "url"),
        ("https://", "url"),
        ("https:///path", "url"),
        ("https://client.example:8443/", "port"),
        ("https://client.example:80/", "port"),
        ("https://client.example:0/", "url"),
        ("https://client.example:/", "url"),
        ("https://client.example:0443/", "url"),
        ("https://client.example:65979/", "url"),
        ("https://ann@client.example/", "url"),
        ("https://ann:pass@client.example/", "url"),
        ("https://@client.example/", "url"),
        ("https://client.example/#part", "url"),
        ("https://client.example/#", "url"),
        ("https://cl\u00efent.example/", "url"),
        ("https://client.example/caf\u00e9", "url"),
        ("https://client\u3002example/", "url"),
        ("https://client.example\\@10.0.0.1/", "url"),
        ("https://client.example/a b", "url"),
        ("https://client.example/\r\nHost: other.example", "url"),
        ("https://client.example/%0d%0aHost:%20other.example", "url"),
        ("https://client.example/../secret", "url"),
        ("https://client.example/%2e%2e/secret", "url"),
        ("https://client_.example/", "url"),
        ("https://client..example/", "url"),
        (f"https://{'a' * 64}.example/", "url"),
        (f"https://client.example/{'a' * 2048}", "url"),
        ("https://8.8.8.8/", "address"),
        ("https://[2606:4700::1111]/", "address"),
    ],
)
def test_a_stranger_names_https_on_443_of_a_host_and_nothing_else(url, reason):
    """S-01, S-11"""
    assert reason_of(url) == reason


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "0177.0.0.1",
        "0x7f000001",
        "0x7f.0.0.1",
        "2130706433",
        "127.0.0.1",
        "127.0.0.1.",
        "\u2460\u2461\u2466.0.0.1",
        "[::1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[0:0:0:0:0:ffff:169.254.169.254]",
        "[fe80::1%25eth0]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "foo.localhost",
        "foo.localhost.",
        "printer.local",
        "Printer.LOCAL",
        "db.internal",
        "metadata.google.internal",
        "metadata",
        "intranet",
    ],
)
def test_no_spelling_of_an_address_or_a_local_name_passes(host):
    """S-02"""
    assert reason_of(f"https://{host}/") in ("url", "address")


@pytest.mark.parametrize(
    "url, name, authority, path",
    [
        ("https://client.example", "client.example:443", "client.example", "/"),
        ("https://Client.Example:443/a", "client.example:443", "client.example", "/a"),
        ("http://client.example/?q=1", "client.example:80", "client.example", "/?q=1"),
        ("https://mock:8443?q", "mock:8443", "mock:8443", "/?q"),
        ("http://10.1.2.3:8080/a%2Fb", "10.1.2.3:8080", "10.1.2.3:8080", "/a%2Fb"),
        ("http://[::1]:8080/", "[::1]:8080", "[::1]:8080", "/"),
        ("http://[fd00::1]/", "[fd00::1]:80", "[fd00::1]", "/"),
    ],
)
def test_a_url_is_read_into_what_is_connected_to_and_what_is_sent(url, name, authority, path):
    target = targets.parse(url)

    assert (target.name, target.authority, target.path) == (name, authority, path)
    assert "[" not in target.host


def test_an_ordinary_url_of_a_stranger_passes():
    targets.check_strange(targets.parse("https://xn--bcher-kva.example/client.json?v=1"))
    targets.check_strange(targets.parse("https://internal.example:443/local"))
