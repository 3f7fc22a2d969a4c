"""House law 1: who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

APP = Path(__file__).parents[2] / "app"
DOORS = ("protocol", "account", "console")
REQUEST_BOUND = ("flask", "werkzeug", "jinja2", "flask_wtf", "flask_limiter")
FOR_EVERYONE = ("app.clock", "app.extensions")


def noun_order() -> tuple[str, ...]:
    """Read ORDER from the source, so that this test runs without importing the app."""
    tree = ast.parse((APP / "domain" / "__init__.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ORDER":
            return ast.literal_eval(node.value)
    raise AssertionError("app/domain/__init__.py has no ORDER")


ORDER = noun_order()


def module_of(path: Path) -> str:
    """Return the dotted name of a source file."""
    parts = path.relative_to(APP.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str) -> Iterator[str]:
    """Yield the dotted name of everything a source imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    """Tell whether a dotted name is a package or something inside it."""
    return name == package or name.startswith(f"{package}.")


def noun_of(name: str) -> str:
    """Return the noun that a name under app.domain belongs to."""
    return name.split(".")[2] if name.count(".") >= 2 else ""


def breaches(module: str, source: str) -> list[str]:
    """Say what is wrong with the imports of a module."""
    found = []
    for name in imports(source):
        if name.startswith("."):
            found.append(f"{name}: relative")
        elif within(module, "app.domain"):
            found += breaches_in_domain(module, name)
        elif within(module, "app.outbound") and any(within(name, f"app.{door}") for door in DOORS):
            found.append(f"{name}: outbound knows no door")
        for door in DOORS:
            others = [f"app.{other}" for other in DOORS if other != door]
            if within(module, f"app.{door}") and any(within(name, other) for other in others):
                found.append(f"{name}: doors do not know each other")
    return found


def breaches_in_domain(module: str, name: str) -> list[str]:
    """Say what is wrong with one import of a noun."""
    if name.partition(".")[0] in REQUEST_BOUND:
        return [f"{name}: a noun knows no request"]
    if not within(name, "app") or any(within(name, free) for free in FOR_EVERYONE):
        return []
    if not within(name, "app.domain"):
        return [f"{name}: a noun knows nouns, the clock and the extensions only"]
    noun, known = noun_of(module), noun_of(name)
    if noun and known in ORDER and noun in ORDER and ORDER.index(known) > ORDER.index(noun):
        return [f"{name}: a later noun"]
    return []


SOURCES = sorted(APP.rglob("*.py"))


def test_a_module_imports_only_what_its_place_allows():
    found = {str(path): breaches(module_of(path), path.read_text()) for path in SOURCES}

    assert len(found) > 100
    assert {path: said for path, said in found.items() if said} == {}


def test_every_noun_has_its_place_in_the_order():
    nouns = {path.stem for path in (APP / "domain").glob("*.py")} - {"__init__"}

    assert nouns - set(ORDER) == set()
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize(
    "module, source",
    [
        ("app.domain.scopes", "import flask"),
        ("app.domain.scopes", "from flask import request"),
        ("app.domain.scopes", "from app.outbound import gate"),
        ("app.domain.scopes", "from app.config import Settings"),
        ("app.domain.scopes", "from app.protocol.caller import actor"),
        ("app.domain.scopes", "from . import errors"),
        ("app.domain.scopes", f"from app.domain import {ORDER[-1]}"),
        ("app.domain.scopes", f"from app.domain.{ORDER[-1]} import anything"),
        ("app.domain.scopes", f"def late():\n    import app.domain.{ORDER[-1]}"),
        ("app.console.pages", "from app.protocol import caller"),
        ("app.protocol.caller", "import app.account.sessions"),
        ("app.outbound.gate", "from app.console import pages"),
    ],
)
def test_a_breach_is_found(module, source):
    assert len(breaches(module, dedent(source))) == 1


@pytest.mark.parametrize(
    "module, source",
    [
        ("app.domain.scopes", f"from app.domain import {ORDER[0]}"),
        ("app.domain.scopes", "from app.clock import epoch\nfrom app.extensions import db"),
        ("app.domain.scopes", "from flask_sqlalchemy import SQLAlchemy"),
        ("app.console.pages", "from flask import request\nfrom app.domain import clients"),
        ("app.protocol.register", "from app.outbound import gate\nfrom app.protocol import caller"),
    ],
)
def test_what_is_allowed_is_not_called_a_breach(module, source):
    assert breaches(module, source) == []
