"""Two people, two sessions: nothing of Ada's is reached by Bob, by no method of any route.

Bob is a member, a viewer or an approver. What an administrator may end for others is outside, and
so is what an approver decides about software, which ends what people allowed it, by design.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from app.domain.connection_authorizations import STALE
from app.domain.consents import STALE as ANSWERED
from app.domain.tokens import TYPE_URN
from tests.protocol.machines import Machine, assert_refused, send
from tests.protocol.persons import answer_of, find_form
from tests.routes.holder import hold, rows_of
from tests.routes.intruder import Intruder, token_of
from tests.routes.stage import SCOPE, staged
from tests.routes.table import TABLE

PATHS = sorted({route.path for route in TABLE})
BOBS = ("member", "viewer", "approver")


@pytest.fixture(scope="module")
def bob(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Intruder]:
    """Return who changes nothing of Ada's, if the tests are right."""
    with staged(sqlite_template, tmp_path_factory.mktemp("isolation")) as stage:
        yield Intruder(stage, hold(stage))


@pytest.fixture
def thief(sqlite_template: Path, tmp_path: Path) -> Iterator[Intruder]:
    """Return one who meets Ada alone, so that she can use afterwards what he could not."""
    with staged(sqlite_template, tmp_path) as stage:
        yield Intruder(stage, hold(stage))


@pytest.mark.parametrize("path", PATHS)
def test_no_route_shows_or_changes_what_is_adas(path: str, bob: Intruder) -> None:
    before = rows_of(bob.stage, bob.ada)

    for role in BOBS:
        hidden = bob.ada.secrets if role != "member" else bob.ada.secrets | bob.ada.known_of
        for attempt in bob.attempts(path, role):
            called = attempt.method, attempt.address
            assert attempt.answer.status_code < 500, called
            assert attempt.learned(hidden) == [], called

    assert rows_of(bob.stage, bob.ada) == before


def test_adas_state_is_refused_in_bobs_browser_and_stays_hers(thief: Intruder) -> None:
    stage, ada = thief.stage, thief.ada
    answer = {"state": ada.secrets["state"], "code": "c", "iss": "http://127.0.0.1:9"}
    before = rows_of(stage, ada)

    for role in (*BOBS, "admin"):
        refused = stage.browser(role).get("/connections/callback", query_string=answer)
        assert (refused.status_code, STALE in refused.text) == (400, True)
        assert rows_of(stage, ada) == before

    # In hers it counts; the other server is not there to redeem the code.
    assert STALE not in ada.person.open("/connections/callback", query_string=answer).text
    assert STALE in ada.person.open("/connections/callback", query_string=answer).text


def test_a_client_that_ada_gave_nothing_gets_no_token_by_hers(thief: Intruder) -> None:
    ada = thief.ada
    named = {"subject_token": ada.secrets["access_token"], "subject_token_type": TYPE_URN}

    assert_refused(ask(thief.app, named), "invalid_request")
    assert ask(thief.app, {}).json["error"] == "invalid_grant"

    assert ask(ada.app, named).json["access_token"] == ada.secrets["upstream_access"]


def ask(app: Machine, parameters: dict[str, str]) -> TestResponse:
    """Ask for a token of the connection in the name of an app."""
    headers = {"Authorization": f"Bearer {token_of(app)}"}
    return send(app.http, "/connections/upstream/token", parameters, headers)


def test_what_ada_is_asked_and_has_allowed_is_not_bobs(thief: Intruder) -> None:
    stage, ada = thief.stage, thief.ada
    asking, before = ada.app.asking(scope=SCOPE), rows_of(stage, ada)

    for role in BOBS:
        browser = stage.browser(role)
        own = {"csrf_token": stage.tokens[role], "decision": "allow"}
        answer = stage.post(browser, ada.asked.action, ada.asked.fields | own)
        assert (answer.status_code, ANSWERED in answer.text) == (400, True)
        assert find_form(browser.get(asking), "/consent")
    assert rows_of(stage, ada) == before

    assert "code" in answer_of(ada.person.open(asking))
    hers = ada.asked.fields | {"decision": "allow"}
    assert "code" in answer_of(stage.post(ada.person.http, ada.asked.action, hers))


def test_adas_code_and_tokens_are_nothing_to_bobs_app_and_work_for_hers(thief: Intruder) -> None:
    secrets, hers, his = thief.ada.secrets, thief.ada.app, thief.app
    before = rows_of(thief.stage, thief.ada)

    assert_refused(his.redeem(secrets["code"]), "invalid_grant")
    assert_refused(his.refresh(secrets["refresh_token"]), "invalid_grant")
    for token in (secrets["access_token"], secrets["refresh_token"]):
        assert his.introspect(token).json == {"active": False}
        his.revoke(token)
    assert rows_of(thief.stage, thief.ada) == before

    assert hers.introspect(secrets["access_token"]).json["active"]
    assert hers.refresh(secrets["refresh_token"]).status_code == 200
    assert hers.redeem(secrets["code"]).status_code == 200
