"""`gatewright serve` and `gunicorn wsgi:app` as people run them: real processes, real files."""

import http.client
import json
import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.services.gunicorn import INHERITED, ROOT, answers
from tests.services.process import free_port, started, stop

GATEWRIGHT = [sys.executable, "-c", "from app.cli import main; main(prog_name='gatewright')"]
PASSWORD = "correct horse battery"
KEY = "tests-only-0123456789abcdef0123456789abcdef"


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a new installation in a folder."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    values = {"data_dir": str(folder / "data"), "password_memory_kib": "19456"} | settings
    chosen = {f"GATEWRIGHT_{name.upper()}": value for name, value in values.items()}
    return inherited | {"PYTHONPATH": str(ROOT)} | chosen


def gatewright(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself, from a folder that is not the repository's."""
    return subprocess.run(
        [*GATEWRIGHT, *words],
        check=False,
        env=environment(folder, **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=50,
    )


@contextmanager
def serving(folder: Path, *words: str, **settings: str) -> Iterator[tuple[int, subprocess.Popen]]:
    """Run `gatewright serve` while the block lasts; gives its port and process."""
    port = free_port()
    command = [*GATEWRIGHT, "serve", "--port", str(port), *words]
    env = environment(folder, **settings)
    with started(command, ready=lambda: answers(port), env=env, cwd=folder) as process:
        yield port, process


def ask(
    port: int, method: str, path: str, form: dict[str, str] | None = None, cookie: str = ""
) -> tuple[http.client.HTTPResponse, str]:
    """Send one request as a browser would; return the answer and its text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Cookie": cookie, "Referer": f"http://127.0.0.1:{port}/"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, urlencode(form) if form is not None else None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def set_up(port: int, token: str) -> int:
    """Fill in the setup page as a person does; return the status of the answer."""
    answer, page = ask(port, "GET", "/setup")
    cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    form = {"token": token, "email": "ann@example.org", "password": PASSWORD}
    if csrf is not None:
        form["csrf_token"] = csrf[1]
    return ask(port, "POST", "/setup", form, cookie)[0].status


def test_the_first_start_makes_everything_and_the_link_makes_the_administrator(tmp_path):
    data = tmp_path / "data"

    with serving(tmp_path) as (port, process):
        said = process.log.read_text()
        link = (data / "setup-link").read_text().strip()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}

        assert ask(port, "GET", "/readyz")[0].status == 200
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert {"secret_key", "gatewright.db", "setup-link"} <= set(modes)
        assert set(modes.values()) == {0o600}
        assert link.startswith(f"http://127.0.0.1:{port}/setup#token=")
        assert str(data / "setup-link") in said
        assert link.partition("=")[2] not in said, "a log learns only where the link is kept"
        assert set_up(port, "wrong") == 403
        assert set_up(port, link.partition("=")[2]) == 303
        assert set_up(port, link.partition("=")[2]) != 200, "the link works once"
        issuer = json.loads(ask(port, "GET", "/.well-known/openid-configuration")[1])["issuer"]
        assert issuer == f"http://127.0.0.1:{port}"

    key = (data / "secret_key").read_text()
    with serving(tmp_path) as (port, process):
        assert "setup" not in process.log.read_text()
        assert not (data / "setup-link").exists()
        assert (data / "secret_key").read_text() == key
        assert ask(port, "GET", "/setup")[0].status == 303


def test_a_terminal_shows_the_link(tmp_path):
    port = free_port()
    master, terminal = os.openpty()
    process = subprocess.Popen(
        [*GATEWRIGHT, "serve", "--port", str(port)],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=subprocess.DEVNULL,
    )
    os.close(terminal)
    try:
        shown, deadline = "", time.monotonic() + 20
        while "#token=" not in shown or shown.count("\n") < 5:
            readable, _, _ = select.select([master], [], [], max(0, deadline - time.monotonic()))
            assert readable, f"nothing more is shown after {shown!r}"
            shown += os.read(master, 4096).decode()
        while not answers(port):
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)
    finally:
        stop(process, signal.SIGTERM)
        os.close(master)

    link = re.search(r"http://\S+#token=\S+", shown)[0]
    assert link == (tmp_path / "data" / "setup-link").read_text().strip()


def test_sigterm_lets_running_requests_end(tmp_path):
    body = b"grant_type=client_credentials"
    head = (
        f"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    ).encode()

    with serving(tmp_path) as (port, process), socket.create_connection(("127.0.0.1", port)) as one:
        one.settimeout(20)
        one.sendall(head + body[:5])
        ask(port, "GET", "/livez")  # a later request was answered, so the first one is being read
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        one.sendall(body[5:])
        answer = one.recv(65536).decode()

        assert answer.startswith("HTTP/1.1 401 ")
        assert process.wait(20) == 0


def test_the_port_of_another_server_is_refused_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = gatewright(tmp_path, "serve", "--port", str(port))

    assert result.returncode == 3
    assert result.stderr == (
        f"gatewright: port {port} of 127.0.0.1 cannot be taken: Address already in use\n"
    )
    assert result.stdout == ""
    assert not (tmp_path / "data" / "setup-link").exists()


def test_several_workers_without_redis_are_refused_in_one_line(tmp_path):
    result = gatewright(tmp_path, "serve", "--workers", "2")

    assert result.returncode == 3
    assert result.stderr.startswith("gatewright: several workers need GATEWRIGHT_REDIS_URL")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_several_workers_with_redis_serve(tmp_path, redis_url):
    with serving(tmp_path, "--workers", "2", "--threads", "2", redis_url=redis_url) as (port, _):
        assert {ask(port, "GET", "/readyz")[0].status for _ in range(8)} == {200}


def test_an_issuer_that_is_set_is_not_replaced_by_the_address(tmp_path):
    with serving(tmp_path, issuer="https://auth.example/tenant") as (port, _):
        metadata = ask(port, "GET", "/.well-known/openid-configuration/tenant")[1]

    assert json.loads(metadata)["issuer"] == "https://auth.example/tenant"


def test_faults_of_the_configuration_stop_the_start(tmp_path):
    result = gatewright(tmp_path, "serve", issuer="http://auth.example", secret_key="short")

    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "gatewright: GATEWRIGHT_ISSUER must be https unless its host is a loopback address",
        "gatewright: GATEWRIGHT_SECRET_KEY must have at least 32 characters",
    ]


@pytest.mark.slow
def test_a_registration_gate_that_is_not_there_is_told_and_stops_nothing(tmp_path):
    gate = f"http://127.0.0.1:{free_port()}/"
    settings = {"registration_gate_enabled": "true", "registration_gate_url": gate}

    with serving(tmp_path, **settings) as (port, process):
        assert answers(port)
        told = process.log.read_text()

    assert "gatewright: registration gate: It cannot be reached (network)" in told


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_several_that_start_together_one_makes_the_tables_and_the_key(tmp_path, request, kind):
    settings = {"secret_key": KEY}
    if kind == "postgresql":
        server = request.getfixturevalue("postgres")
        settings["database_url"] = server.create(f"together_{os.getpid()}")
    together = [
        subprocess.Popen(
            [*GATEWRIGHT, "db", "upgrade"],
            env=environment(tmp_path, **settings),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    faults = [process.communicate(timeout=50)[1] for process in together]

    keys = json.loads(gatewright(tmp_path, "keys", "list", "--json", **settings).stdout)
    assert faults == ["", "", ""]
    assert [key["state"] for key in keys] == ["next", "active"] * 2


@pytest.mark.slow
def test_of_several_that_start_together_all_have_the_same_secret_key(tmp_path):
    read = "from app.secret_files import read_key; from pathlib import Path; import sys;"
    read += "print(read_key(Path(sys.argv[1])))"
    together = [
        subprocess.Popen(
            [sys.executable, "-c", read, str(tmp_path / "data")],
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    keys = {process.communicate(timeout=50)[0] for process in together}

    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret_key"]


GUNICORN = [sys.executable, "-m", "gunicorn", "wsgi:app", "--no-control-socket"]


def test_plain_gunicorn_serves_from_the_repository(tmp_path):
    port = free_port()
    command = [*GUNICORN, "--bind", f"127.0.0.1:{port}"]
    env = environment(tmp_path)
    with started(command, ready=lambda: answers(port), env=env, cwd=ROOT) as process:
        assert ask(port, "GET", "/readyz")[0].status == 200
        assert (tmp_path / "data" / "gatewright.db").exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    "settings, code, sentence",
    [
        pytest.param(
            {"secret_key": "short"},
            3,
            "gatewright: GATEWRIGHT_SECRET_KEY must have at least 32 characters",
            id="configuration",
        ),
        pytest.param(
            {"secret_key": KEY, "database_url": "postgresql://u:hunter2@127.0.0.1:1/d"},
            4,
            "gatewright: The database does not answer",
            id="database",
        ),
    ],
)
def test_plain_gunicorn_gives_up_with_one_line(tmp_path, settings, code, sentence):
    result = subprocess.run(
        [*GUNICORN, "--bind", f"127.0.0.1:{free_port()}"],
        check=False,
        env=environment(tmp_path, **settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
    )

    ours = [line for line in result.stderr.splitlines() if line.startswith("gatewright: ")]
    assert result.returncode == code
    assert len(ours) == 1
    assert ours[0].startswith(sentence)
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what an installation from a wheel has."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True, timeout=50)
    [wheel] = folder.glob("*.whl")
    place = [*pip, "install", "--no-deps", "--no-index", "--target", folder / "site", wheel]
    subprocess.run(place, check=True, capture_output=True, timeout=50)
    return folder / "site"


@pytest.mark.slow
def test_a_wheel_serves_from_anywhere_even_beside_a_strangers_app(installed, tmp_path):
    stranger = tmp_path / "here"
    (stranger / "app").mkdir(parents=True)
    for name in ("wsgi.py", "app/__init__.py"):
        (stranger / name).write_text("raise SystemExit('this is not Gatewright')")
    port = free_port()
    command = [sys.executable, installed / "bin" / "gatewright", "serve", "--port", str(port)]
    env = environment(tmp_path) | {"PYTHONPATH": str(installed)}

    with started(command, ready=lambda: answers(port), env=env, cwd=stranger):
        assert ask(port, "GET", "/readyz")[0].status == 200
        assert ask(port, "GET", "/setup")[0].status == 200
        assert ask(port, "GET", "/static/base.css")[0].status == 200


@pytest.mark.slow
def test_gunicorn_finds_the_application_of_a_wheel(installed, tmp_path):
    port = free_port()
    command = [*GUNICORN, "--bind", f"127.0.0.1:{port}"]
    env = environment(tmp_path) | {"PYTHONPATH": str(installed)}

    with started(command, ready=lambda: answers(port), env=env, cwd=tmp_path):
        assert ask(port, "GET", "/readyz")[0].status == 200
