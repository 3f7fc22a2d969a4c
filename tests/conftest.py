"""What tests share: an app over each database, a clock that can be moved, real services."""

import gc
import ipaddress
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined

from app import create_app, schema
from app.config import Settings, load
from app.extensions import db
from tests.once import compiled_templates
from tests.services import chromium, warm
from tests.services.copies import Copy
from tests.services.gunicorn import Server, running_server
from tests.services.postgres import Postgres, running_postgres
from tests.services.redis import running_redis

ISSUER = "https://gatewright.example"
SECRET_KEY = "tests-only-0123456789abcdef0123456789abcdef"
TEMPLATE = "gatewright_template"

real_connect = socket.socket.connect
real_connect_ex = socket.socket.connect_ex
real_getaddrinfo = socket.getaddrinfo


# One app serves all examples of a test; under CI the examples are the same every time.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


class NetworkUse(BaseException):
    """Raised when a test reaches beyond loopback; no handler of the app can swallow it."""


def refuse_strangers(address: object) -> None:
    """Raise unless the address is a Unix socket or loopback."""
    host = address[0] if isinstance(address, tuple) else None
    if host is None or host in ("", "localhost"):
        return
    if isinstance(host, bytes):
        host = host.decode()
    try:
        if ipaddress.ip_address(str(host)).is_loopback:
            return
    except ValueError:
        pass
    raise NetworkUse(f"a test tried to reach {host}")


def connect(self: socket.socket, address: Any) -> None:
    refuse_strangers(address)
    real_connect(self, address)


def connect_ex(self: socket.socket, address: Any) -> int:
    refuse_strangers(address)
    return real_connect_ex(self, address)


def getaddrinfo(host: Any, *others: Any, **more: Any) -> Any:
    refuse_strangers((host,))
    return real_getaddrinfo(host, *others, **more)


def pytest_configure() -> None:
    """Close the network, and forget the developer's own settings."""
    socket.socket.connect = connect
    socket.socket.connect_ex = connect_ex
    socket.getaddrinfo = getaddrinfo
    for name in [name for name in os.environ if name.startswith("GATEWRIGHT_")]:
        del os.environ[name]
    hypothesis.settings.load_profile("house")
    warm.keep()


def pytest_unconfigure() -> None:
    """Open the network again for whoever runs pytest inside a program."""
    socket.socket.connect = real_connect
    socket.socket.connect_ex = real_connect_ex
    socket.getaddrinfo = real_getaddrinfo


WORDS_AND_FORMS = {
    "tests/console": "acquire acquire_code acquire_own acquire_twins audit_export"
    " audit_facts clean_up client_creation client_documents client_editing client_page"
    " client_secrets connection_trials connection_twins connections explanations fresh"
    " glossary hostile_upstreams keys policies policy_history resources rule_form scopes"
    " sign_out_fields simulator software_page statement_issuers system trials"
    " upstream_changes upstream_trials upstreams webhooks weight windows",
    "tests/cli": "catalogue client_creation client_documents clients connection_tokens"
    " connections initial_tokens keys policies statements upstreams users",
    "tests/protocol": "answers caller client_corpus cors discovery document_fetches"
    " dpop_nonces dpop_proofs dpop_resources form_post hostile_issuers hostile_logout_tokens"
    " hostile_registrations login_hostile logout_clients logs own_document parameters prompt"
    " redirects sectors sign_in_demands",
}
"""Files about words, forms, commands and what is refused unread: they run on SQLite.

What happens to rows is tested on both databases.
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test that drives a browser; leave words and forms to one database."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    twice = [item for item in items if is_said_twice(item)]
    config.hook.pytest_deselected(items=twice)
    said = set(twice)
    items[:] = [item for item in items if item not in said]


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays until the end: modules and all tests."""
    gc.collect()
    gc.freeze()


def is_said_twice(item: pytest.Item) -> bool:
    """Tell whether a test is about words or forms and would run on PostgreSQL once more."""
    folder = item.path.parent.relative_to(Path(__file__).parents[1]).as_posix()
    files = {f"test_{name}.py" for name in WORDS_AND_FORMS.get(folder, "").split()}
    values = getattr(getattr(item, "callspec", None), "params", {})
    again = {values.get("database_url"), values.get("standing_url")}
    return item.path.name in files and "postgresql" in again


class Clock:
    """Time in tests: it stands still except for a millisecond per reading, until moved.

    The milliseconds keep time-ordered identifiers in the order they were made; they never
    reach the next second, so ``now`` is exact.
    """

    def __init__(self) -> None:
        self.now = int(time.time())
        self.readings = 0

    def read(self) -> float:
        """Stand in for ``time.time``."""
        self.readings = min(self.readings + 1, 999)
        return self.now + self.readings / 1000

    def advance(self, seconds: int) -> None:
        """Move time forward for everybody in this process."""
        self.now += seconds
        self.readings = 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock that the app, Authlib, joserfc, itsdangerous and limits all read."""
    moved = Clock()
    monkeypatch.setattr(time, "time", moved.read)
    return moved


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Run one PostgreSQL for this test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Run one Redis for this test process; gives its URL."""
    with running_redis() as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Return the URL of an empty Redis."""
    import redis

    with redis.Redis.from_url(redis_server) as connection:
        connection.flushall()
    return redis_server


def migrated(url: str, folder: Path) -> None:
    """Bring the database at ``url`` to the newest version."""
    app = create_app(load(issuer=ISSUER, database_url=url, secret_key=SECRET_KEY, data_dir=folder))
    with app.app_context():
        schema.upgrade()
        db.engine.dispose()
    warm.close_all()  # nothing is copied while somebody is connected to it


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated SQLite file, to be copied."""
    folder = tmp_path_factory.mktemp("sqlite")
    migrated(f"sqlite:///{folder / 'template.db'}", folder)
    return folder / "template.db"


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of a migrated PostgreSQL database, to be copied."""
    migrated(postgres.create(TEMPLATE), tmp_path_factory.mktemp("postgres"))
    return TEMPLATE


@pytest.fixture(scope="session")
def postgres_copy(postgres: Postgres, postgres_template: str) -> Iterator[Copy]:
    """Return the database that the tests of this process use one after another."""
    copy = Copy(postgres, postgres_template)
    yield copy
    copy.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a migrated database of this test's own, once per kind of database."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        shutil.copyfile(template, tmp_path / "test.db")
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    copy: Copy = request.getfixturevalue("postgres_copy")
    yield copy.fresh()


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Return the settings that differ from the tests' own; parametrise or redefine it."""
    return {}


@pytest.fixture
def settings(database_url: str, tmp_path: Path, overrides: dict[str, Any]) -> Settings:
    """Return the settings of this test's app: rate limits off, the cheapest password hashes."""
    values: dict[str, Any] = {
        "issuer": ISSUER,
        "data_dir": tmp_path,
        "database_url": database_url,
        "secret_key": SECRET_KEY,
        "rate_limit_enabled": False,
        "password_memory_kib": 19456,
    }
    return load(**values | overrides)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """Return an app over this test's database; an undefined name in a template is an error."""
    app = create_app(settings)
    app.testing = True
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.bytecode_cache = compiled_templates
    yield app
    with app.app_context():
        db.engine.dispose()


class Client(FlaskClient):
    """A test client that calls the issuer's address, as a browser or a machine would."""

    def open(self, *args: Any, **options: Any) -> Any:
        """Send a request to the issuer unless the test names another address."""
        if args and isinstance(args[0], str):
            options.setdefault("base_url", ISSUER)
        return super().open(*args, **options)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a client with its own cookies and no app context around its requests."""
    app.test_client_class = Client
    client = app.test_client()
    client.environ_base["HTTP_REFERER"] = f"{ISSUER}/"
    return client


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts gunicorn over this test's database, once per call.

    Keywords are settings by their names in the model, next to ``workers``, ``threads``, ``port``,
    which an issuer with a path must know beforehand, and ``application``, for a defect to serve.
    """
    with ExitStack() as servers:

        def start(
            workers: int = 1,
            threads: int = 8,
            port: int | None = None,
            application: str = "wsgi:app",
            **values: Any,
        ) -> Server:
            defaults = {
                "data_dir": tmp_path,
                "database_url": database_url,
                "secret_key": SECRET_KEY,
                "rate_limit_enabled": False,
                "password_memory_kib": 19456,
            }
            env = {f"GATEWRIGHT_{k.upper()}": str(v) for k, v in (defaults | values).items()}
            return servers.enter_context(running_server(env, workers, threads, port, application))

        yield start


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Run one Chromium for this test process, or skip; under CI there is no skipping."""
    if chromium.find() is None:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(chromium.MISSING)
    with chromium.running_chromium() as running:
        yield running


def is_fault(said: Any) -> bool:
    """Tell whether a console message is a fault; an answer of 400 or 404 is not."""
    return said.type == "error" and not said.text.startswith("Failed to load resource")


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """Return a page in a fresh profile; a script error or a breach of the CSP fails the test."""
    errors: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if is_fault(said) else None)
    yield page
    context.close()
    assert errors == []
