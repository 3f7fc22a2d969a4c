"""Answers of the registration gate: what each means, and that anything else refuses."""

import pytest

from app.domain.gate_answers import FAILED, GateAnswer
from tests.outbound.gates import KEY, QUESTION, allowing
from tests.outbound.gates import gate as gate
from tests.outbound.gates import pauses as pauses
from tests.services.gate import ALLOWED, said


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


@pytest.mark.parametrize("answer", [said(403, {"error": f"no {KEY}"}), allowing(reason=KEY)])
def test_an_answer_that_quotes_our_credential_is_not_used(gate, capsys, answer):
    _, asking = gate(answer, auth_type="bearer", credential=KEY)

    found = asking.ask(QUESTION)

    assert found.failure == "answer"
    assert KEY not in f"{found!r} {capsys.readouterr()}"
