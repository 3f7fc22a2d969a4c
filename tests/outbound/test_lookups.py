import socket
import threading

import pytest

from app.outbound.client import look_up
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline
from app.outbound.lookups import AT_ONCE, Lookups


@pytest.mark.parametrize("literal", ["127.0.0.1", "::1", "8.8.8.8"])
def test_an_address_is_not_looked_up(resolver, literal):
    fake = resolver(["10.0.0.1"])

    assert Lookups(fake).find(literal, 443, Deadline(5)) == [literal]
    assert fake.asked == []


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "unknown"), OSError(), UnicodeError()])
def test_a_name_that_is_not_found_is_an_outbound_error(resolver, failure):
    """S-04: NXDOMAIN"""
    with pytest.raises(OutboundError) as raised:
        Lookups(resolver(failure)).find("client.example", 443, Deadline(5))

    assert raised.value.reason == "dns"


def test_a_name_without_addresses_is_an_outbound_error(resolver):
    """S-04"""
    with pytest.raises(OutboundError) as raised:
        Lookups(resolver([])).find("client.example", 443, Deadline(5))

    assert raised.value.reason == "dns"


def test_names_that_hang_end_at_the_deadline_and_hold_a_bounded_number_of_threads():
    """S-04: timeout; S-13"""
    release = threading.Event()
    lookups = Lookups(lambda _host, _port: [str(release.wait(20))])
    try:
        for _ in range(AT_ONCE):
            with pytest.raises(TimeoutError):
                lookups.find("slow.example", 443, Deadline(0.02))
        with pytest.raises(OutboundError) as raised:
            lookups.find("client.example", 443, Deadline(5))
    finally:
        release.set()
        lookups.threads.shutdown()

    assert raised.value.reason == "busy"
    assert lookups.free.acquire(blocking=False)


def test_the_system_is_asked_for_the_addresses_of_both_families():
    assert look_up("127.0.0.1", 443) == ["127.0.0.1"]
    assert set(look_up("localhost", 443)) <= {"127.0.0.1", "::1"}
