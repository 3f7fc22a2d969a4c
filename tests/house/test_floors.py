"""X-01: no package is older than the release that mended its last known hole.

Kept by hand, because the usual audit client needs a network. Looked through on 2026-11-22: read
the advisories of each row, raise what has to be raised, write the new date here and below.
"""

from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOOKED_THROUGH = date(2026, 11, 22)

FLOORS = {
    "argon2-cffi": "25.1.0",
    "authlib": "1.9.9",  # 1.9.7 to 1.9.9: auth method none outside /token; CVE-2026-116672
    "flask": "3.1.3",
    "flask-limiter": "4.1.1",
    "gunicorn": "27.0.1",
    "jinja2": "3.1.6",
    "joserfc": "1.8.0",
    "limits": "5.8.0",
    "sqlalchemy": "2.1.9",
    "webauthn": "3.0.1",
    "werkzeug": "3.1.9",
}


def pins(lock: str) -> dict[str, set[str]]:
    """Return the pinned versions of each package in a lock; markers may choose among several."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / lock).read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            pin = Requirement(line.rstrip("\\ "))
            found.setdefault(pin.name, set()).add(str(pin.specifier).removeprefix("=="))
    return found


@pytest.mark.parametrize("package, floor", FLOORS.items())
def test_an_installed_package_is_not_below_its_security_floor(package, floor):
    assert Version(version(package)) >= Version(floor)


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
@pytest.mark.parametrize("package, floor", FLOORS.items())
def test_the_locks_pin_nothing_below_the_floor(package, floor, lock):
    assert all(Version(pinned) >= Version(floor) for pinned in pins(lock)[package])


def test_the_locks_agree_with_each_other():
    run, dev = pins("run.txt"), pins("dev.txt")

    assert {package: dev.get(package) for package in run} == run


def test_the_locks_name_no_registry():
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in lock.read_text()
        assert "--index" not in lock.read_text()


def test_the_typescript_lock_names_no_registry():
    lock = (ROOT / "tests" / "flows" / "typescript" / "package-lock.json").read_text()

    assert '"integrity"' in lock
    assert '"resolved"' not in lock
