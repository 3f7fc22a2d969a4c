"""A registration gate that fails, is busy or hangs: nothing gets in, and the others do not wait."""

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from app.domain.gate_answers import BUSY, FAILED
from tests.cli.conftest import ON_ONE_DATABASE
from tests.protocol.gates import ADMIT_ALL, OAUTH2, refusal_of
from tests.protocol.gates import gated as gated
from tests.protocol.gates import scripts as scripts
from tests.protocol.gates import stored as stored
from tests.protocol.registrants import Operator, post, register
from tests.services.gate import ALLOWED, said, silent
from tests.services.process import free_port

FAULTS = {
    "an answer of 500": (said(500), {}),
    "an answer of 202": (said(202, {"decision": "allow"}), {}),
    "a redirect": (said(302, extra="Location: /gate\r\n"), {}),
    "half an answer": (said(200, b'{"decision":'), {}),
    "another decision": (said(200, {"decision": "ALLOW "}), {}),
    "nobody there": (None, {}),
    "silence": (silent, {"timeout_seconds": 0.1}),
    "no token": (ALLOWED, OAUTH2 | {"oauth2_token_url": "http://127.0.0.1:1/token"}),
}


@ON_ONE_DATABASE
@pytest.mark.parametrize("answer, changes", FAULTS.values(), ids=FAULTS)
def test_no_fault_lets_anything_in(
    app, client, gated, scripts, put_in_force, clock, stored, audited, answer, changes
):
    """N-213: with a rule that admits everything, and for software that people have approved."""
    approved = register(client)
    Operator(app).approve(approved)
    put_in_force(ADMIT_ALL)
    url = scripts(answer).url if answer else f"http://127.0.0.1:{free_port()}/"
    http = gated(url, **changes)

    assert refusal_of(post(http)) == FAILED
    assert refusal_of(post(http, client_name="Stranger")) == FAILED

    assert stored(clock) == ["active"]
    assert [event.detail["gate"]["decision"] for event in audited("registration.refused")] == [
        "deny",
        "deny",
    ]


@ON_ONE_DATABASE
def test_who_finds_the_gate_busy_is_told_to_come_back(gated, scripts):
    http = gated(scripts(ALLOWED).url)
    gate = http.application.extensions["gatewright.gate"]
    places = [gate.places.acquire(blocking=False) for _ in range(4)]

    assert refusal_of(post(http)) == BUSY

    for _ in places:
        gate.places.release()
    assert post(http).status_code == 201


def timed(base_url):
    """Return how long the server takes to answer somebody who needs no gate."""
    started = time.perf_counter()
    with urlopen(f"{base_url}/.well-known/oauth-authorization-server", timeout=10) as answer:
        assert answer.status == 200
    return time.perf_counter() - started


def refused(base_url):
    """Register in vain; return the sentence."""
    body = b'{"redirect_uris": ["https://registrant.example/cb"]}'
    headers = {"Content-Type": "application/json"}
    with pytest.raises(HTTPError) as raised:
        urlopen(Request(f"{base_url}/register", body, headers), timeout=15)
    with raised.value as answer:
        return answer.read().decode()


@pytest.mark.slow
@ON_ONE_DATABASE
def test_fifty_registrations_at_a_gate_that_hangs_leave_the_others_alone(serve, scripts):
    """F-31"""
    running = serve(
        registration_gate_enabled=True,
        registration_gate_url=scripts(silent).url,
        registration_gate_timeout_seconds=2,
        registration_gate_max_retries=0,
    )
    timed(running.base_url)

    with ThreadPoolExecutor(50) as threads:
        asked = [threads.submit(refused, running.base_url) for _ in range(50)]
        while sum(each.done() for each in asked) < 46:
            time.sleep(0.05)
        waits = [timed(running.base_url) for _ in range(20)]
        hung = sum(not each.done() for each in asked)
        told = [each.result() for each in asked]

    assert hung == 4
    assert max(waits) < 1
    assert sum(FAILED in each for each in told) == 4
    assert sum(BUSY in each for each in told) == 46
