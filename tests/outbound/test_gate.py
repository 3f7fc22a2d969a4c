"""The registration gate: what it is asked, how often, and that one out of reach refuses."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.gate_answers import BUSY, DENIED, GateAnswer
from app.outbound import gate as gates
from app.outbound.client import Outbound
from app.outbound.gate import AT_ONCE, Access, Gate
from tests.outbound.gates import KEY, QUESTION, allowing
from tests.outbound.gates import gate as gate
from tests.outbound.gates import pauses as pauses
from tests.services.gate import ALLOWED, drip, said, silent
from tests.services.process import free_port


def test_the_question_is_one_json_object(gate):
    server, asking = gate()

    assert asking.ask(QUESTION) == GateAnswer("allow")

    assert server.requests[0].startswith(b"POST /gate HTTP/1.1\r\n")
    assert server.heads[0]["content-type"] == "application/json"
    assert "authorization" not in server.heads[0]
    [asked] = server.questions
    assert len(asked.pop("question_id")) == 36
    assert asked == {
        "asset_type": "client",
        "operation": "update",
        "source_api": "/clients/c-1",
        "registration_payload": {"client_name": "Registrant"},
        "request_headers": {"user-agent": "kit/1"},
        "registration_id": "c-1",
        "evidence": {"source": "dcr"},
        "revision": "r-1",
    }


@pytest.mark.parametrize(
    "access, header, value",
    [
        ({"auth_type": "api_key"}, "x-api-key", KEY),
        ({"auth_type": "api_key", "header_name": "X-Gate"}, "x-gate", KEY),
        ({"auth_type": "bearer"}, "authorization", f"Bearer {KEY}"),
    ],
)
def test_this_server_proves_itself(gate, access, header, value):
    server, asking = gate(credential=KEY, **access)

    asking.ask(QUESTION)

    assert server.heads[0][header] == value
    assert KEY not in repr(asking.access)


@pytest.mark.parametrize("script", [silent, drip])
def test_a_gate_that_hangs_is_given_up(gate, script):
    server, asking = gate(script, timeout_seconds=0.15)

    assert asking.ask(QUESTION).failure == "timeout"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "found, failure",
    [
        (socket.gaierror(), "dns"),
        ([], "dns"),
        (["169.254.169.254"], "address"),
        (["fe80::1"], "address"),
        (["127.0.0.1", "169.254.169.254"], "address"),
        (["127.0.0.1"], "network"),
    ],
)
def test_a_gate_that_is_not_there_refuses(gate, resolver, found, failure):
    """N-213, S-15: link-local and metadata addresses are nobody's gate."""
    outbound = Outbound("Gatewright", resolve=resolver(found))
    _, asking = gate(url=f"http://gate.example:{free_port()}/", outbound=outbound)

    assert asking.ask(QUESTION).failure == failure


def test_a_gate_with_a_certificate_of_its_own_making_refuses(gate, authority):
    """N-213"""
    outbound = Outbound(
        "Gatewright", ca_file=authority.file, resolve=lambda _host, _port: ["127.0.0.1"]
    )
    right, asking = gate(tls=authority.context("gate.example"), outbound=outbound)
    asking = Gate(outbound, Access(f"https://gate.example:{right.port}/"))
    assert asking.ask(QUESTION).decision == "allow"

    for context in (
        authority.context("gate.example", self_signed=True),
        authority.context("other.example"),
        authority.context("gate.example", days=-1),
    ):
        wrong, _ = gate(tls=context)
        asking = Gate(outbound, Access(f"https://gate.example:{wrong.port}/"))
        assert asking.ask(QUESTION).failure == "tls"
        assert wrong.requests == []


def test_a_fault_that_passes_is_forgotten(gate, pauses):
    server, asking = gate(said(503), b"", allowing())

    assert asking.ask(QUESTION).decision == "allow"
    assert (len(server.requests), pauses) == (3, [0.5, 1.0])


def test_a_denial_is_final(gate, pauses):
    server, asking = gate(said(500), said(403), ALLOWED)

    assert asking.ask(QUESTION).message == DENIED
    assert (len(server.requests), pauses) == (2, [0.5])


def test_all_attempts_end_at_one_deadline(gate, monkeypatch, pauses):
    monkeypatch.setattr(gates, "DEADLINE_SECONDS", 0.6)
    server, asking = gate(silent, timeout_seconds=0.15, retries=5)

    assert asking.ask(QUESTION).failure == "timeout"

    assert len(server.requests) == 1
    assert pauses == []


def test_an_attempt_has_what_the_deadline_leaves(gate, monkeypatch):
    monkeypatch.setattr(gates, "DEADLINE_SECONDS", 0.2)
    _, asking = gate(silent, timeout_seconds=5, retries=0)

    assert asking.ask(QUESTION).failure == "timeout"


def test_who_only_tells_asks_once(gate):
    server, asking = gate(said(500))

    asking.ask(QUESTION, retries=0)

    assert len(server.requests) == 1


def test_who_finds_all_places_taken_is_refused_at_once(gate):
    """F-31, N-214"""
    taken, free = threading.Semaphore(0), threading.Event()

    def hang(connection):
        taken.release()
        assert free.wait(10)
        connection.sendall(ALLOWED)

    server, asking = gate(hang, timeout_seconds=10)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        asked = [threads.submit(asking.ask, QUESTION) for _ in range(AT_ONCE)]
        assert all(taken.acquire(timeout=5) for _ in range(AT_ONCE))
        refused = [asking.ask(QUESTION) for _ in range(46)]
        free.set()
        assert [each.result().decision for each in asked] == ["allow"] * AT_ONCE

    assert {each.message for each in refused} == {BUSY}
    assert {each.decision for each in refused} == {"deny"}
    assert len(server.requests) == AT_ONCE
    assert asking.ask(QUESTION).decision == "allow"
