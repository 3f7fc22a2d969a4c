"""Exactly the routes that the table states spend a rate limit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import Settings
from app.console import pages
from app.domain.users import ROLES
from tests.routes.stage import ANONYMOUS, EVERYBODY, Stage, staged
from tests.routes.table import ASKING, TABLE, Route

LIMITS = sorted(name for name in Settings.model_fields if name.endswith("_rate_limit"))
WIDE = dict.fromkeys(LIMITS, "100000 per hour")


@pytest.fixture(params=[*LIMITS, ASKING])
def limited(request: pytest.FixtureRequest) -> str:
    """Return the one limit that allows one request; the others are never reached."""
    return request.param


@pytest.fixture
def stage(
    sqlite_template: Path, tmp_path: Path, limited: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """Return a stage on which everybody has signed in before the counting begins."""
    limits = {"rate_limit_enabled": True, **WIDE, ASKING: WIDE[LIMITS[0]], limited: "1 per hour"}
    monkeypatch.setattr(pages, "ASKING", limits.pop(ASKING))
    with staged(sqlite_template, tmp_path, **limits) as stage:
        stage.app.config["RATELIMIT_ENABLED"] = False
        for role in EVERYBODY:
            stage.browser(role)
        stage.app.config["RATELIMIT_ENABLED"] = True
        yield stage


def test_exactly_the_stated_routes_spend_a_limit(limited: str, stage: Stage) -> None:
    stage.typed = "wrong"  # or the anonymous browser would sign in, as it signs out in the end
    in_order = sorted(TABLE, key=lambda each: (each.door != "machine", each.path == "/logout"))

    stopped = {str(route) for route in in_order if is_limited(stage, route)}

    assert stopped == {str(route) for route in TABLE if limited in route.limits}


def is_limited(stage: Stage, route: Route) -> bool:
    """Call a route twice with what it wants, and a machine's also without: is it stopped?"""
    role = route.role if route.role in ROLES else ANONYMOUS
    answers = [stage.call(route, role) for _ in range(2)]
    if route.door == "machine":
        kept = stage.values["client_secret"], stage.waiting["registration_access_token"]
        stage.values["client_secret"] = stage.waiting["registration_access_token"] = "wrong"
        answers += [stage.call(route, role) for _ in range(2)]
        stage.values["client_secret"], stage.waiting["registration_access_token"] = kept
    stopped = [answer for answer in answers if answer.status_code == 429]
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in stopped)
    return bool(stopped)
