"""Measures Gatewright against a bare WSGI hello on the same server, in one interleaved run.

    python bench/run.py [--windows 5] [--seconds 4] [--connections 64]

Needs wrk. Both servers run gunicorn's gthread with one worker; the windows go round robin over the
workloads, so that a slower minute of the machine hits all of them. Only ratios are printed as
results: absolute rates of a shared machine mean nothing.
"""

import argparse
import base64
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FORM = "application/x-www-form-urlencoded"
REGISTRATION = {
    "client_name": "Bench %d",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
}


@dataclass(frozen=True)
class Workload:
    """One request that is sent over and over."""

    name: str
    url: str
    path: str
    body: str
    content_type: str = FORM
    authorization: str = ""


@contextmanager
def gunicorn(target: str, port: int, threads: int, **environment: str) -> Iterator[int]:
    """Run gunicorn with one gthread worker; gives the pid of its master."""
    command = [sys.executable, "-m", "gunicorn", target, "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--threads", str(threads), "--no-control-socket"]
    command += ["--keep-alive", "30", "--log-level", "error"]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{HERE}", **environment}
    process = subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str) -> None:
    """Wait until a server answers."""
    for _ in range(150):
        try:
            httpx2.get(url)
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer")


def make_client(folder: str, issuer: str) -> str:
    """Create the client of the workloads; return its Authorization header."""
    os.environ |= settings(folder, issuer)
    sys.path.insert(0, str(ROOT))
    from app import create_app
    from app.domain import admissions
    from app.domain.audit import SERVER
    from app.extensions import db
    from app.serve import prepare

    app = create_app()
    prepare(app)
    metadata = {
        "client_name": "Bench",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    with app.app_context():
        client, issued = admissions.create(metadata, by=SERVER, allowed=[], introspects=[issuer])
        db.session.commit()
        pair = f"{client.client_id}:{issued.client_secret}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def settings(folder: str, issuer: str) -> dict[str, str]:
    """Return the settings of the measured server: as delivered, but for the registration limits."""
    return {
        "GATEWRIGHT_ISSUER": issuer,
        "GATEWRIGHT_DATA_DIR": folder,
        "GATEWRIGHT_REGISTRATION_ADDRESS_RATE_LIMIT": "10000000 per minute",
        "GATEWRIGHT_REGISTRATION_PENDING_PER_ADDRESS": "100000",
    }


def fire(work: Workload, seconds: int, connections: int) -> float:
    """Send one window of a workload; return answered requests per second."""
    env = {
        **os.environ,
        "BENCH_BODY": work.body,
        "BENCH_PATH": work.path,
        "BENCH_TYPE": work.content_type,
    }
    if work.authorization:
        env["BENCH_AUTH"] = work.authorization
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "request.lua")]
    done = subprocess.run([*command, work.url], env=env, capture_output=True, text=True, check=True)
    found = re.search(r"RESULT ([\d.]+) (\d+)", done.stdout)
    if found is None or int(found[2]):
        raise SystemExit(f"{work.name}: {done.stdout}")
    return float(found[1])


def resident_mib(pid: int) -> float:
    """Return the resident memory of the worker below a gunicorn master, in MiB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    status = Path(f"/proc/{children[0]}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def workloads(hello: str, issuer: str, authorization: str) -> list[Workload]:
    """Return what is measured; the token to introspect is fetched first."""
    answer = httpx2.post(
        f"{issuer}/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": authorization},
    )
    token = "token=" + answer.json()["access_token"]
    grant = "grant_type=client_credentials"
    return [
        Workload("hello", hello, "/", grant, authorization=authorization),
        Workload("token", issuer, "/token", grant, authorization=authorization),
        Workload("introspect", issuer, "/introspect", token, authorization=authorization),
        Workload("register", issuer, "/register", json.dumps(REGISTRATION), "application/json"),
    ]


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--threads", type=int, default=8)
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed; Debian has it as a package of this name")
    hello, issuer = "http://127.0.0.1:18100", "http://127.0.0.1:18101"
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        authorization = make_client(folder, issuer)
        servers.enter_context(gunicorn("hello:app", 18100, asked.threads))
        env = settings(folder, issuer)
        pid = servers.enter_context(gunicorn("wsgi:app", 18101, asked.threads, **env))
        wait_for(hello)
        wait_for(f"{issuer}/livez")
        report(workloads(hello, issuer, authorization), pid, asked)


def report(works: list[Workload], pid: int, asked: argparse.Namespace) -> None:
    """Run the windows round robin and print each workload's share of the hello."""
    rates: dict[str, list[float]] = {work.name: [] for work in works}
    for _ in range(asked.windows):
        for work in works:
            rates[work.name].append(fire(work, asked.seconds, asked.connections))
    bare = statistics.median(rates["hello"])
    print("| workload | share of a bare hello | lowest to highest window |")
    print("| --- | --- | --- |")
    for name, found in rates.items():
        low, high = min(found) / bare, max(found) / bare
        print(f"| {name} | {statistics.median(found) / bare:.2f} | {low:.2f} to {high:.2f} |")
    print(f"\nResident memory of the worker afterwards: {resident_mib(pid):.0f} MiB")
    print(f"(bare hello here and now: {bare:.0f} requests per second)")


if __name__ == "__main__":
    main()
