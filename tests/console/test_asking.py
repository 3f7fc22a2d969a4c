"""How often one operator lets this server ask others, and what the next time says."""

import pytest

from app.console import pages
from tests.console.markup import texts
from tests.console.matrix import become

TRY = "/admin/connections/none/try"


@pytest.fixture
def overrides():
    return {"rate_limit_enabled": True}


@pytest.fixture
def other(admin, sign_in, people, app):
    """Return the browser of another administrator."""
    browser = sign_in("approver")
    become(app, people["approver"], "admin")
    return browser


def test_who_asks_too_often_is_told_when_to_come_back_and_others_go_on(
    admin, other, send, clock, happened, monkeypatch
):
    monkeypatch.setattr(pages, "ASKING", "2 per minute")
    assert [send(admin, TRY).status_code for _ in range(2)] == [404, 404]

    stopped = send(admin, TRY)

    wait = int(stopped.headers["Retry-After"])
    assert (stopped.status_code, 1 <= wait <= 60) == (429, True)
    assert f"{pages.TOO_OFTEN} What you can do Come back in {wait} seconds." in texts(stopped.text)
    assert happened("limit.reached")[0].subject == "upstreams.test_upstream"
    assert send(other, TRY).status_code == 404
    clock.advance(wait)
    assert send(admin, TRY).status_code == 404
