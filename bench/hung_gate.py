"""Measures what a registration gate that hangs does to the token endpoint.

    python bench/hung_gate.py [--windows 5] [--seconds 5] [--hung 50]

Windows alternate: in the odd ones nobody registers, in the even ones so many registrations wait for
a gate that takes every connection and never answers. Published is the ratio of the slowest
hundredth of the token requests.
"""

import argparse
import http.client
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from run import FORM, REGISTRATION, gunicorn, make_client, settings, wait_for

PORT, GATE = 18102, 18103
CALLERS = 2


@contextmanager
def gate_that_hangs() -> Iterator[None]:
    """Take connections and say nothing while the block lasts."""
    with socket.create_server(("127.0.0.1", GATE), backlog=512) as listening:
        taken: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    taken.append(listening.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield
        listening.shutdown(socket.SHUT_RDWR)


def ask(authorization: str, seconds: float, took: list[float]) -> None:
    """Get tokens one after another and note how long each took, in milliseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    headers = {"Authorization": authorization, "Content-Type": FORM}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        connection.request("POST", "/token", "grant_type=client_credentials", headers)
        answer = connection.getresponse()
        answer.read()
        took.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise SystemExit(f"no token: {answer.status}")


def register(number: int) -> None:
    """Send one registration, which waits for the gate or is told that too many do."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    body = json.dumps(REGISTRATION | {"client_name": f"Hung {number}"})
    connection.request("POST", "/register", body, {"Content-Type": "application/json"})
    if connection.getresponse().status == 201:
        raise SystemExit("a gate that says nothing let somebody in")


def window(authorization: str, seconds: float) -> float:
    """Return the 99th percentile of a window, in milliseconds."""
    took: list[float] = []
    callers = [
        threading.Thread(target=ask, args=(authorization, seconds, took)) for _ in range(CALLERS)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return statistics.quantiles(took, n=100)[98]


def main() -> None:
    """Measure and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--hung", type=int, default=50)
    asked = parser.parse_args()
    issuer = f"http://127.0.0.1:{PORT}"
    with tempfile.TemporaryDirectory() as folder, gate_that_hangs():
        authorization = make_client(folder, issuer)
        env = settings(folder, issuer) | {
            "GATEWRIGHT_REGISTRATION_GATE_ENABLED": "true",
            "GATEWRIGHT_REGISTRATION_GATE_URL": f"http://127.0.0.1:{GATE}/",
        }
        with gunicorn("wsgi:app", PORT, 8, **env):
            wait_for(f"{issuer}/livez")
            window(authorization, 1)
            quiet, hung = [], []
            for _ in range(asked.windows):
                quiet.append(window(authorization, asked.seconds))
                waiting = [
                    threading.Thread(target=register, args=(n,), daemon=True)
                    for n in range(asked.hung)
                ]
                for each in waiting:
                    each.start()
                time.sleep(0.5)
                hung.append(window(authorization, asked.seconds))
                for each in waiting:
                    each.join()
    ratios = [after / before for before, after in zip(quiet, hung, strict=True)]
    print(f"p99 of a token beside {asked.hung} hung registrations, against none:")
    print(f"median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
