"""House law 6: one owner each for time, randomness and digests, sockets, the environment.

Ruff's banned-api knows the same names but forgives a whole file; here each name has its owner.
"""

import ast
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"
TIME = "app/clock.py"
RANDOMNESS = "app/domain/credentials.py"
SOCKETS = "app/outbound/client.py"
ENVIRONMENT = "app/config.py"

OWNERS = {
    "time.time": TIME,
    "time.time_ns": TIME,
    "datetime.datetime.now": TIME,
    "datetime.datetime.utcnow": TIME,
    "datetime.datetime.today": TIME,
    "datetime.date.today": TIME,
    "secrets": RANDOMNESS,
    "random": RANDOMNESS,
    "uuid": RANDOMNESS,
    "os.urandom": RANDOMNESS,
    "hashlib": RANDOMNESS,
    "hmac": RANDOMNESS,
    "socket": SOCKETS,
    "ssl": SOCKETS,
    "http.client": SOCKETS,
    "urllib.request": SOCKETS,
    "httpx": SOCKETS,
    "httpx2": SOCKETS,
    "httpcore2": SOCKETS,
    "requests": SOCKETS,
    "aiohttp": SOCKETS,
    "urllib3": SOCKETS,
    "os.environ": ENVIRONMENT,
    "os.getenv": ENVIRONMENT,
    "os.putenv": ENVIRONMENT,
}


def names_used(source: str) -> set[str]:
    """Return the full names of all imported things a source mentions."""
    tree = ast.parse(source)
    meaning: dict[str, str] = {}
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names}
            for alias in node.names:
                top = alias.name.split(".")[0]
                meaning[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                meaning[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            used |= {f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, *rest = ast.unparse(node).split(".")
            if first in meaning:
                used.add(".".join([meaning[first], *rest]))
    return used


def trespasses(path: str, source: str) -> set[str]:
    """Return the owned names that a file uses although another file owns them."""
    names = names_used(source)
    return {
        owned
        for owned, owner in OWNERS.items()
        for name in names
        if owner != path and (name == owned or name.startswith(f"{owned}."))
    }


def test_a_module_leaves_what_is_owned_to_its_owner():
    names = {path.relative_to(APP.parent).as_posix(): path for path in APP.rglob("*.py")}
    found = {name: trespasses(name, path.read_text()) for name, path in names.items()}

    assert len(found) > 100
    assert {name: taken for name, taken in found.items() if taken} == {}


@pytest.mark.parametrize(
    "source, owned",
    [
        ("import time\nnow = time.time()", "time.time"),
        ("from time import time", "time.time"),
        ("import time as t\nnow = t.time()", "time.time"),
        ("import datetime\nd = datetime.datetime.now()", "datetime.datetime.now"),
        ("from datetime import datetime\nd = datetime.now(None)", "datetime.datetime.now"),
        ("import os\nhome = os.environ['HOME']", "os.environ"),
        ("from os import getenv", "os.getenv"),
        ("import hashlib", "hashlib"),
        ("from hmac import compare_digest", "hmac"),
        ("def f():\n    import urllib.request", "urllib.request"),
        ("from httpx2 import Client", "httpx2"),
        ("from uuid import uuid4", "uuid"),
    ],
)
def test_a_trespass_is_found(source, owned):
    assert trespasses("app/console/pages.py", source) == {owned}
    assert trespasses(OWNERS[owned], source) == set()


def test_using_a_neighbour_of_an_owned_name_is_no_trespass():
    source = "import os, time, urllib.parse\ntime.sleep(1)\nos.getpid()\nurllib.parse.quote('')"

    assert trespasses("app/serve.py", source) == set()
