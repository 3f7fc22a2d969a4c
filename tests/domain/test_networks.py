"""Networks: what one source can have as many addresses of as it likes counts once (N-016)."""

import pytest

from app.domain import networks

ALONE = ["192.0.2.1", "192.0.2.2", "127.0.0.1", "", "unix:/run/gatewright.sock", "attacker"]
SAME = {
    "2001:db8:1:2::/64": [
        "2001:db8:1:2::1",
        "2001:DB8:1:2:0:0:0:1",
        "2001:db8:1:2:ffff:ffff:ffff:ffff",
    ],
    "2001:db8:1:3::/64": ["2001:db8:1:3::1"],
    "::/64": ["::1"],
    "fe80::/64": ["fe80::1", "fe80::2%eth0"],
    "192.0.2.1": ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"],
}


@pytest.mark.parametrize("address", ALONE)
def test_an_address_of_four_numbers_or_of_no_form_stands_for_itself(address):
    assert networks.network_of(address) == address


@pytest.mark.parametrize("network, addresses", SAME.items(), ids=SAME)
def test_addresses_of_one_source_count_as_one(network, addresses):
    assert {networks.network_of(address) for address in addresses} == {network}
