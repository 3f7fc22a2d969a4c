"""S-03: which addresses are public, and which no operator's URL reaches either."""

from app.outbound import addresses


def rows(text: str) -> list[str]:
    """Return the addresses of a table."""
    return text.split()


NOT_PUBLIC = rows("""
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.9.9.9
    169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.0.192
    192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1
    198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    168.63.129.16 100.100.100.200
    :: ::1 ::7f00:1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8
    64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b::192.88.99.1 64:ff9b:1::8.8.8.8
    64:ff9b:1::10.0.0.1 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
    2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1
    2620:4f:8000::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fe80::1
    febf::1 fec0::1 feff::1 ff00::1 ff02::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
    2606:4700::5efe:10.0.0.1 2606:4700::5efe:8.8.8.8 2606:4700::200:5efe:10.0.0.1 fe80::5efe:8.8.8.8
""")

NO_ADDRESS = ["", "client.example", "8.8.8", "8.8.8.8.", "08.8.8.8", "134744072", "0x8080808"]
WITH_ZONE = ["2606:4700::1111%eth0", "fe80::1%1"]

PUBLIC = rows("""
    8.8.8.8 1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
    169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.167.255.255
    192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 168.63.129.15
    2606:4700::1111 2001:4860:4860::8888 2001:200::1 2003::1 2620:4f:8001::1 3ffe::1
    64:ff9b::8.8.8.8
""")

NEVER = rows("""
    0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 100.100.100.200 168.63.129.16 192.0.0.192 224.0.0.1
    255.255.255.255 :: fe80::1 ff02::1 fd00:ec2::254 fd20:ce::254 fd00:c1::a9fe:a9fe
    ::ffff:169.254.169.254 ::169.254.169.254 ::ffff:0:169.254.169.254 64:ff9b::169.254.169.254
    64:ff9b:1::169.254.169.254 2002:a9fe:a9fe::1 fd00::5efe:169.254.169.254
    2001:0:a9fe:a9fe::1 2001:0:808:808:0:0:5601:5601
""")

PRIVATE = rows("""
    10.0.0.1 172.16.0.1 192.168.0.1 127.0.0.1 100.64.0.1 ::1 fd00::1 ::ffff:10.0.0.1
    64:ff9b::10.0.0.1 fd00::5efe:10.0.0.1
""")


def test_a_stranger_reaches_no_special_address(subtests):
    """S-03"""
    for text in [*NOT_PUBLIC, *NO_ADDRESS, *WITH_ZONE]:
        with subtests.test(text):
            assert not addresses.is_public(text)


def test_a_stranger_reaches_a_public_address(subtests):
    """S-03"""
    for text in PUBLIC:
        with subtests.test(text):
            assert addresses.is_public(text)
            assert addresses.is_reachable(text)


def test_nobody_reaches_link_local_and_metadata_addresses(subtests):
    """S-15"""
    for text in [*NEVER, *NO_ADDRESS, *WITH_ZONE]:
        with subtests.test(text):
            assert not addresses.is_reachable(text)
            assert not addresses.is_public(text)


def test_an_operator_reaches_a_private_address(subtests):
    """S-15"""
    for text in PRIVATE:
        with subtests.test(text):
            assert addresses.is_reachable(text)
