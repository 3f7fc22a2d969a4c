"""Every route is in one table, and every row of the table is true (issue 2, section 6)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.domain.users import ROLES
from tests.routes.stage import ANONYMOUS, EVERYBODY, Stage, staged
from tests.routes.table import TABLE, Route

FORGED = "This page is too old or not ours"
PROOFS = {"setup link": 403, "password link": 403, "passkey": 401}
"""What somebody without the proof that a route takes is answered, by the role of the route."""


def rows(**wanted: Any) -> Any:
    """Run a test for each row with these values; a tuple gives several."""
    chosen = [
        route
        for route in TABLE
        if all(
            getattr(route, name) in (value if isinstance(value, tuple) else (value,))
            for name, value in wanted.items()
        )
    ]
    return pytest.mark.parametrize("route", chosen, ids=str)


@pytest.fixture(scope="module")
def shared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return a stage for calls that change nothing."""
    with staged(sqlite_template, tmp_path_factory.mktemp("routes")) as stage:
        yield stage


@pytest.fixture
def stage(sqlite_template: Path, tmp_path: Path) -> Iterator[Stage]:
    """Return a stage of this test's own."""
    with staged(sqlite_template, tmp_path) as stage:
        yield stage


def test_the_table_holds_exactly_the_routes_of_the_app(shared):
    served = {
        (method, rule.rule)
        for rule in shared.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    listed = {(route.method, route.path) for route in TABLE}

    assert len(TABLE) == len(listed), "a route is in the table twice"
    assert served - listed == set(), "write a row in tests/routes/table.py for each of these routes"
    assert listed - served == set(), "these rows of tests/routes/table.py have no route any more"


def is_refused(route: Route, answer: TestResponse, *, signed_in: bool) -> bool:
    """Tell whether a door turned somebody away for want of a role."""
    if route.door == "console" and not signed_in:
        return answer.status_code == 303 and "/login" in answer.location
    if route.door == "console":
        return answer.status_code == 403
    asked_to_sign_in = answer.status_code == 303 and answer.location.startswith("/authorize?")
    return asked_to_sign_in or (answer.status_code == 400 and FORGED not in answer.text)


def lower(role: str) -> tuple[str, ...]:
    """Return who may less than a role."""
    return EVERYBODY[: EVERYBODY.index(role)]


@rows(door="console")
def test_a_page_of_the_console_turns_lower_roles_away_and_changes_nothing(route, shared):
    """C-40, X-48: by the server, whatever the page shows."""
    for role in lower(route.role):
        shared.browser(role)
        before = shared.snapshot("audit_events")
        answer = shared.call(route, role)

        assert is_refused(route, answer, signed_in=role != ANONYMOUS), (role, answer.status)
        assert answer.headers["Cache-Control"] == "no-store"
        assert shared.snapshot("audit_events") == before


@rows(door="person", role=("member", "approver"))
def test_a_form_of_a_person_does_nothing_for_lower_roles(route, shared):
    for role in lower(route.role):
        shared.browser(role)
        before = shared.snapshot("audit_events")
        answer = shared.call(route, role)

        assert answer.status_code in (303, 400), (role, answer.status)
        assert FORGED not in answer.text
        assert shared.snapshot("audit_events") == before


@rows(role=tuple(PROOFS))
def test_without_the_link_or_passkey_that_it_takes_nobody_is_let_in(route, shared):
    shared.browser(ANONYMOUS)
    before = shared.snapshot("audit_events")
    answer = shared.call(route)

    assert answer.status_code == PROOFS[route.role]
    assert answer.headers["Cache-Control"] == route.cache
    assert shared.snapshot("audit_events") == before


@rows(door=("console", "person", "static"), role=("anyone", *ROLES))
def test_whoever_has_the_role_is_let_in_and_gets_the_stated_cache_header(route, shared, request):
    stage = shared if route.method == "GET" else request.getfixturevalue("stage")
    role = ANONYMOUS if route.role == "anyone" else route.role
    answer = stage.call(route, role)

    assert answer.status_code < 500, answer.status
    assert answer.status_code not in (401, 403), answer.status
    assert FORGED.encode() not in answer.data
    assert not (answer.status_code == 303 and answer.location.startswith("/login?next"))
    assert answer.headers["Cache-Control"] == route.cache
    assert answer.headers["X-Request-Id"]


@rows(csrf="required")
def test_a_form_without_a_token_of_this_session_is_refused_and_changes_nothing(route, shared):
    """C-20, X-46."""
    shared.browser("admin")
    before = shared.snapshot()
    without = shared.call(route, "admin", csrf=False)
    shared.tokens["admin"], own = shared.tokens["admin"][:-2], shared.tokens["admin"]
    forged = shared.call(route, "admin")
    shared.tokens["admin"] = own

    for answer in (without, forged):
        assert answer.status_code == 400
        assert FORGED in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Request-Id"]
    assert shared.snapshot() == before


@rows(csrf="required")
def test_a_form_that_another_site_sends_is_refused_although_its_token_is_right(route, shared):
    """C-20, X-46: Sec-Fetch-Site beside the token."""
    browser = shared.browser("admin")
    before = shared.snapshot("audit_events")
    browser.environ_base["HTTP_SEC_FETCH_SITE"] = "cross-site"
    try:
        answer = shared.call(route, "admin")
    finally:
        del browser.environ_base["HTTP_SEC_FETCH_SITE"]

    assert answer.status_code == 403
    assert shared.snapshot("audit_events") == before


@rows(csrf="exempt")
def test_what_carries_no_token_by_design_is_not_refused_for_it(route, stage):
    answer = stage.call(route)

    assert answer.status_code < 500, answer.status
    assert FORGED not in answer.text


@rows(door="machine")
def test_a_machine_gets_json_that_is_cached_as_stated_and_no_cookie(route, stage):
    """N-001, N-002."""
    answer = stage.call(route)

    assert answer.status_code < 500, answer.status
    assert answer.headers["Cache-Control"] == route.cache
    assert answer.mimetype == "application/json" or answer.status_code == 204
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


@rows(door="machine", role=("client", "client token", "person token", "registration token"))
def test_a_machine_that_does_not_prove_itself_is_refused_and_nothing_is_kept(route, stage):
    """N-001, N-053: 401 as JSON with a challenge, never stored by a cache."""
    before = stage.snapshot("audit_events")
    stage.values["client_secret"] = stage.waiting["registration_access_token"] = "wrong"
    answer = stage.call(route)

    assert answer.status_code == 401
    assert answer.json["error"] == {"client": "invalid_client"}.get(route.role, "invalid_token")
    assert answer.headers["WWW-Authenticate"].split()[0] in ("Basic", "Bearer")
    assert answer.headers["Cache-Control"] == "no-store"
    assert stage.snapshot("audit_events") == before


@rows(method="GET", door=("console", "person", "static"))
def test_looking_at_a_page_changes_nothing(route, shared):
    """C-21, X-46: also for HEAD and for what htmx asks."""
    role = "admin" if route.door == "console" else ANONYMOUS
    shared.browser(role)
    before = shared.snapshot()
    browser, path = shared.browser(role), shared.path_of(route)

    assert shared.call(route, role).status_code in (200, 303)
    assert browser.head(path, buffered=True).status_code in (200, 303)
    by_htmx = browser.get(path, headers={"HX-Request": "true"}, buffered=True)
    assert by_htmx.status_code < 400
    assert shared.snapshot() == before


@rows(method="GET", door="machine", role="registration token")
def test_reading_a_registration_changes_nothing(route, shared):
    before = shared.snapshot()

    assert shared.call(route).status_code == 200
    assert shared.snapshot() == before


@rows()
def test_other_methods_are_refused_in_the_format_of_the_door(route, shared):
    """N-003: 405 with Allow; TRACE is never echoed."""
    path = shared.path_of(route)
    allowed = set(shared.app.url_map.bind("").allowed_methods(path.partition("?")[0]))

    for method in sorted({"GET", "HEAD", "PATCH", "TRACE"} - allowed):
        answer = shared.browser("admin").open(path, method=method, headers={"X-Echo": "echo me"})
        assert answer.status_code in (400, 405), (method, answer.status)
        assert "echo me" not in answer.text
        if method != "PATCH":
            assert set(answer.headers["Allow"].split(", ")) == allowed
