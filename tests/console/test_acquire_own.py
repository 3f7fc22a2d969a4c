"""Acquire as this server itself: at its connections, and as the registration gate is asked."""

from app.outbound.gate import Access, Gate
from app.outbound.logins import Login
from tests.console.markup import controls, texts
from tests.console.trying import QUOTED, SECRET, TOKEN
from tests.console.trying import endpoint as endpoint
from tests.console.trying import tried as tried
from tests.console.upstreaming import upstream as upstream
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said, token_answer

OWN = "/admin/acquire/own/"
GATE = f"{OWN}gate"


def switch_on(app, url):
    """Set up a registration gate that takes tokens of a login at a URL."""
    login = Login(url, "gatewright", SECRET, "gate")
    access = Access("https://gate.example/", "oauth2_client_credentials", login=login)
    out = app.extensions["gatewright.outbound"]
    app.extensions["gatewright.gate"] = Gate(out, access)


def forms_on(page):
    """Return where the forms of a page go that get a token."""
    forms = [each.get("action", "") for each in controls(page, "form")]
    return [each for each in forms if each.endswith(("/test", "/try", "/gate"))]


def test_each_connection_is_tested_from_here_once_it_can_be(
    app, admin, viewer, endpoint, tried, upstream
):
    assert "No login is held" in texts(admin.get(OWN).text)
    tried(endpoint(token_answer(TOKEN)).url)
    upstream.ready()

    billing = upstream.row("billing").id
    test = f"/admin/connections/{billing}/test"
    assert forms_on(admin.get(OWN).text) == [test]
    upstream.come_back(upstream.begin())
    assert forms_on(admin.get(OWN).text) == [test, f"{upstream.page}/try"]

    seen = viewer.get(OWN).text
    assert forms_on(seen) == []
    assert "the role admin" in texts(seen)


def test_a_token_is_got_as_for_the_gate_and_every_step_is_shown(app, admin, send, endpoint):
    server = endpoint(token_answer(TOKEN), said(401, {"error": "invalid_client"}))
    switch_on(app, server.url)
    assert forms_on(admin.get(OWN).text) == [GATE]

    page = send(admin, GATE).text

    shown = texts(page)
    assert "It works A token was got." in shown
    assert f"POST {server.url}" in shown
    assert "scope=gate" in shown
    assert not any(each in page for each in (*QUOTED, TOKEN))
    [again] = [each for each in forms_on(page) if each == GATE]
    refused = texts(send(admin, again).text)
    assert "invalid_client" in refused
    assert "It works" not in refused


def test_a_gate_without_tokens_gets_none(app, admin, send):
    assert "No gate is set up" in texts(admin.get(OWN).text)
    assert send(admin, GATE).status_code == 409

    bare = Gate(app.extensions["gatewright.outbound"], Access("https://gate.example/"))
    app.extensions["gatewright.gate"] = bare
    shown = admin.get(OWN).text
    assert "takes no access token" in texts(shown)
    assert forms_on(shown) == []
    assert send(admin, GATE).status_code == 409
