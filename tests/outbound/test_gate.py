"""The registration gate: what it is asked, what its answers mean, and that every fault refuses."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.gate_answers import BUSY, DENIED, FAILED, GateAnswer
from app.outbound import gate as gates
from app.outbound import limits
from app.outbound.client import Outbound
from app.outbound.gate import AT_ONCE, Access, Gate, Question
from app.outbound.logins import Login
from tests.services.gate import ALLOWED, drip, said, scripted, silent, token_answer
from tests.services.process import free_port

KEY = "c4n4ry-0123456789-key"
SECRET = "c4n4ry-0123456789-secret"
QUESTION = Question(
    "update",
    "/clients/c-1",
    {"client_name": "Registrant"},
    {"user-agent": "kit/1"},
    registration_id="c-1",
    evidence={"source": "dcr"},
    revision="r-1",
)


@pytest.fixture
def serve():
    """Return a function that starts a gate or a token endpoint."""
    with scripted() as start:
        yield start


@pytest.fixture
def pauses(monkeypatch):
    """Return the pauses between attempts; nobody really sleeps."""
    made = []
    monkeypatch.setattr(limits, "pause", made.append)
    return made


@pytest.fixture
def gate(serve, pauses):
    """Return a function that starts a gate with answers and gives it with what asks it."""

    def start(*answers, outbound=None, tls=None, **access):
        server = serve(*answers, tls=tls)
        chosen = {"url": server.url, "timeout_seconds": 2} | access
        return server, Gate(outbound or Outbound("Gatewright"), Access(**chosen))

    return start


@pytest.fixture
def with_tokens(serve, gate):
    """Return a function that starts a gate and a token endpoint; gives both and what asks."""

    def start(answers, tokens, **access):
        endpoint = serve(*tokens)
        login = Login(endpoint.url, "gatewright", SECRET, "gate:ask")
        auth_type = "oauth2_client_credentials"
        server, asking = gate(*answers, auth_type=auth_type, login=login, **access)
        return server, endpoint, asking

    return start


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


def allowing(**members):
    return said(200, {"decision": "allow"} | members)


@pytest.mark.parametrize(
    "answer, found",
    [
        (ALLOWED, GateAnswer("allow")),
        (said(200, b"<html>fine", "text/html"), GateAnswer("allow")),
        (said(200, b"deny", "text/plain"), GateAnswer("allow")),
        (said(200, {}), GateAnswer("allow")),
        (allowing(), GateAnswer("allow")),
        (allowing(kind="x", note=[1]), GateAnswer("allow")),
        (said(200, {"decision": "allow"}, "Application/JSON; charset=utf-8"), GateAnswer("allow")),
        (allowing(reason='seen "it"'), GateAnswer("allow", "seen 'it'")),
        (allowing(scopes=["a", "b", "a"]), GateAnswer("allow", scopes=("a", "b"))),
        (allowing(scopes=[]), GateAnswer("allow", scopes=())),
        (allowing(expires_in=60), GateAnswer("allow", expires_in=60)),
        (allowing(expires_in=10**30), GateAnswer("allow", expires_in=3650 * 86400)),
        (said(200, {"expires_in": 60}), GateAnswer("allow", expires_in=60)),
        (said(200, {"decision": "hold"}), GateAnswer("hold")),
        (said(200, {"decision": "deny", "reason": "no"}), GateAnswer("deny", "no")),
        (said(403, {"error": "Not from there."}), GateAnswer("deny", "Not from there.")),
        (said(403, {"error": 7}), GateAnswer("deny", "{'error': 7}")),
        (said(403, b"plainly no", "text/plain"), GateAnswer("deny", "plainly no")),
        (said(403, b"", ""), GateAnswer("deny")),
        (
            said(403, '"\\caf\u00e9\u202e\x1b[31m\r\nSet-Cookie: a=1'.encode(), "text/plain"),
            GateAnswer("deny", "'caf[31m Set-Cookie: a=1"),
        ),
        (said(403, {"error": "x" * 501}), GateAnswer("deny", "x" * 500)),
        (said(403, b"\xff\xfe no", "text/plain"), GateAnswer("deny", "no")),
    ],
)
def test_an_answer_means_what_the_protocol_says(gate, pauses, answer, found):
    server, asking = gate(answer, said(500))

    assert asking.ask(QUESTION) == found

    assert len(server.requests) == 1
    assert pauses == []


FAULTS = {
    "201": said(201, {"decision": "allow"}),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "302": said(302, extra="Location: http://127.0.0.1:1/\r\n"),
    "307": said(307, extra="Location: /gate\r\n"),
    "400": said(400, {"decision": "allow"}),
    "401": said(401),
    "404": said(404),
    "429": said(429),
    "500": said(500, {"decision": "allow"}),
    "503": said(503),
    "nothing at all": b"",
    "not HTTP": b"decision: allow\r\n\r\n",
    "a switch of protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    "a body that ends early": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
    "two megabytes": said(200, b" " * 2_000_000, "text/plain"),
    "compressed": said(200, b"{}", extra="Content-Encoding: gzip\r\n"),
    "JSON that is HTML": said(200, b"<html>"),
    "JSON that is empty": said(200, b""),
    "JSON that ends early": said(200, b'{"decision": "allow"'),
    "JSON after JSON": said(200, b'{"decision": "allow"} {}'),
    "two content types": said(200, b"fine", extra="Content-Type: text/plain\r\n"),
    "a list": said(200, [{"decision": "allow"}]),
    "an empty list": said(200, []),
    "null": said(200, None),
    "a string": said(200, "allow"),
    "true": said(200, True),
    "a name twice": said(200, b'{"decision": "deny", "decision": "allow"}'),
    "not a number": said(200, b'{"decision": "allow", "expires_in": NaN}'),
    "deep nesting": said(200, b'{"a":' * 9000),
    "not UTF-8": said(200, b'{"decision": "allow", "reason": "\xff"}'),
    "a byte order mark": said(200, b'\xef\xbb\xbf{"decision": "allow"}'),
    "a space in the decision": said(200, {"decision": "ALLOW "}),
    "a decision in capitals": said(200, {"decision": "Allow"}),
    "a decision of true": said(200, {"decision": True}),
    "a decision of null": said(200, {"decision": None}),
    "a list of decisions": said(200, {"decision": ["allow"]}),
    "a decision of its own": said(200, {"decision": "permit"}),
    "another question": allowing(question_id="01a0a0a0-0000-7000-8000-000000000000"),
    "a reason that is none": allowing(reason=["fine"]),
    "scopes as a text": allowing(scopes="a b"),
    "scopes of null": allowing(scopes=None),
    "scopes of numbers": allowing(scopes=[1]),
    "scopes with spaces": allowing(scopes=["a b"]),
    "too many scopes": allowing(scopes=[f"s{number}" for number in range(101)]),
    "an end of nothing": allowing(expires_in=0),
    "an end in the past": allowing(expires_in=-60),
    "an end of true": allowing(expires_in=True),
    "an end as a text": allowing(expires_in="60"),
    "half a second": allowing(expires_in=0.5),
}


@pytest.mark.parametrize("answer", FAULTS.values(), ids=FAULTS)
def test_anything_else_is_asked_again_and_then_refuses(gate, pauses, answer):
    """N-213"""
    server, asking = gate(answer)

    found = asking.ask(QUESTION)

    assert (found.decision, found.message) == ("deny", FAILED)
    assert found.failure in ("answer", "network", "protocol", "size", "encoding")
    assert len(server.requests) == 3
    assert pauses == [0.5, 1.0]
    assert server.bodies[0] == server.bodies[1] == server.bodies[2]


@pytest.mark.parametrize(
    "body", [{"allow": "false"}, {"status": "allowed"}, {"Decision": "allow"}, {"denied": True}]
)
def test_an_object_that_says_only_what_nobody_knows_lets_a_person_decide(gate, body):
    """N-213: never an approval."""
    _, asking = gate(said(200, body))

    assert asking.ask(QUESTION).decision == "hold"


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


def test_a_token_is_got_once_and_sent_with_every_question(with_tokens):
    server, endpoint, asking = with_tokens([ALLOWED], [token_answer("t-1"), token_answer("t-2")])

    assert [asking.ask(QUESTION).decision for _ in range(3)] == ["allow"] * 3

    assert [head["authorization"] for head in server.heads] == ["Bearer t-1"] * 3
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    "answer", [said(400, {"error": "invalid_client"}), said(500), said(200, {}), b"", silent]
)
def test_without_a_token_the_gate_is_not_asked(with_tokens, pauses, answer):
    """N-213"""
    server, endpoint, asking = with_tokens([ALLOWED], [answer], timeout_seconds=0.3)

    found = asking.ask(QUESTION)

    assert (found.decision, found.failure) == ("deny", "token")
    assert (server.requests, len(endpoint.requests), pauses) == ([], 1, [])


def test_a_refused_token_is_replaced_once(with_tokens, pauses):
    tokens = [token_answer("t-1"), token_answer("t-2")]
    server, endpoint, asking = with_tokens([said(401), ALLOWED], tokens)

    assert asking.ask(QUESTION).decision == "allow"

    assert [head["authorization"] for head in server.heads] == ["Bearer t-1", "Bearer t-2"]
    assert (len(endpoint.requests), pauses) == (2, [])


def test_a_token_that_is_refused_twice_refuses(with_tokens, pauses):
    """N-213"""
    server, endpoint, asking = with_tokens([said(401)], [token_answer()])

    assert asking.ask(QUESTION).failure == "credential"

    assert (len(server.requests), len(endpoint.requests), pauses) == (2, 2, [])


def test_one_question_takes_one_new_token_at_most(with_tokens):
    answers = [said(401), said(500), said(401), ALLOWED]
    server, endpoint, asking = with_tokens(answers, [token_answer()])

    assert asking.ask(QUESTION).failure == "credential"
    assert (len(server.requests), len(endpoint.requests)) == (3, 2)


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


@pytest.mark.parametrize("answer", [said(403, {"error": f"no {KEY}"}), allowing(reason=KEY)])
def test_an_answer_that_quotes_our_credential_is_not_used(gate, capsys, answer):
    _, asking = gate(answer, auth_type="bearer", credential=KEY)

    found = asking.ask(QUESTION)

    assert found.failure == "answer"
    assert KEY not in f"{found!r} {capsys.readouterr()}"
