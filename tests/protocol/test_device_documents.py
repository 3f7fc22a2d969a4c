"""Devices whose client_id is the URL of a document (RFC 8628 section 3.1, N-198)."""

import pytest

from tests.protocol.devices import METADATA, answer, ask, poll
from tests.protocol.document_clients import operator as operator
from tests.protocol.documents import VSCODE
from tests.protocol.documents import app as app
from tests.protocol.documents import authority as authority
from tests.protocol.documents import host as host
from tests.protocol.documents import limits as limits
from tests.protocol.documents import overrides as overrides
from tests.protocol.documents import tls as tls
from tests.protocol.machines import Machine, assert_refused


def test_a_device_of_a_document_waits_is_approved_and_is_let_in(client, host, person, operator):
    """As at /authorize and /par: it is judged, waits for a person, and is fetched once."""
    device = Machine(client, host.put(METADATA))

    for _ in range(2):
        assert_refused(device.post("/device_authorization"), "access_denied")
    operator.approve(device)
    asked = ask(device)
    answer(person, asked)

    assert "access_token" in poll(device, asked).get_json()
    assert host.asked == ["/oauth/client.json"]


def test_a_document_of_an_app_with_redirects_lets_no_device_ask(client, host, operator):
    """Whoever asks for codes gets no device grant beside them, as at registration."""
    device = Machine(client, host.put(VSCODE))
    assert_refused(device.post("/device_authorization"), "access_denied")
    operator.approve(device)

    assert_refused(device.post("/device_authorization"), "unauthorized_client")


def test_a_document_that_is_not_there_is_an_error_in_json(client, host, audited):
    device = Machine(client, host.url("/lost.json"))

    assert_refused(device.post("/device_authorization"), "invalid_request")
    assert audited("client.registered") == []


@pytest.mark.parametrize("limits", [{"cimd_enabled": False}])
def test_nothing_is_fetched_while_documents_are_switched_off(client, host):
    device = Machine(client, host.put(METADATA))

    assert_refused(device.post("/device_authorization"), "invalid_client", 401)
    assert host.asked == []


@pytest.mark.parametrize(
    "limits", [{"rate_limit_enabled": True, "registration_address_rate_limit": "2 per minute"}]
)
def test_new_documents_count_against_the_limit_of_registrations(client, host, clock):
    """Otherwise anybody would let this server fetch from strangers by this endpoint (N-196)."""
    devices = [Machine(client, host.put(METADATA, f"/{number}.json")) for number in range(3)]

    statuses = [each.post("/device_authorization").status_code for each in devices]

    assert statuses == [400, 400, 429]
    assert len(host.asked) == 2
