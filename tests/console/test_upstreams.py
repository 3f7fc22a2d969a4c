"""Connections that people authorize: discovered, registered, authorized and ended by operators."""

import pytest

from app.domain import connections
from app.extensions import db
from app.outbound import discovery, registration
from app.outbound.failures import REASONS
from app.outbound.upstream_clients import NO_WAY
from app.outbound.upstream_refusals import WANTS_TOKEN
from tests.console.markup import HOSTILE, controls, shape, texts
from tests.console.matrix import gets, harmful, posts, unlisted, wrongly_reached
from tests.console.upstreaming import LIST, MANAGING, NEW, REDIRECT, SECRET
from tests.console.upstreaming import upstream as upstream
from tests.outbound.sites import OAUTH
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said, token_answer


def test_what_people_authorize_is_discovered_step_by_step(upstream):
    page = upstream.make().do("discover").text

    shown = texts(page)
    for said_there in (discovery.TELLS, discovery.RESOURCE_FOUND, discovery.SERVER_FOUND):
        assert said_there in shown
    assert "The other server registers clients by itself (RFC 7591)." in shown
    assert controls(page, "a", href=f"{upstream.page}/register")
    row = upstream.row()
    assert (row.issuer, row.resource) == (upstream.login.origin, upstream.api.url)
    assert row.scope == "read write", "what the challenge wants is asked for"
    assert row.server["registration_endpoint"] == f"{upstream.login.origin}/register"


def test_its_pages_belong_to_the_entry_connections_of_the_menu(upstream):
    upstream.make().do("discover")

    for path in (NEW, upstream.page, f"{upstream.page}/register"):
        [current] = controls(upstream.admin.get(path).text, "a", **{"aria-current": "page"})
        assert current["href"] == LIST, path


def test_a_url_that_leads_nowhere_says_why_and_changes_nothing(upstream):
    upstream.login.pages.pop(OAUTH)

    shown = texts(upstream.make().do("discover").text)

    assert "No authorization server was found" in shown
    assert "There is no document here." in shown
    assert upstream.row().server is None
    assert upstream.do("register").status_code == 409


@pytest.mark.parametrize(
    "wrong", [{"name": "Notes"}, {"url": "http://api.example/"}, {"expiry_buffer_seconds": ""}]
)
def test_what_cannot_be_is_said_beside_its_field(upstream, wrong):
    form = {"name": "notes", "url": upstream.api.url, "expiry_buffer_seconds": "60"} | wrong

    answer = upstream.send(upstream.admin, NEW, **form)

    assert answer.status_code == 422
    assert f'id="e-{next(iter(wrong))}"' in answer.text


def test_this_server_registers_itself_and_shows_no_secret(upstream, happened):
    upstream.ready(scope="read")

    (sent,) = [each for each in upstream.login.requests if each.startswith(b"POST /register")]
    assert f'"redirect_uris":["{REDIRECT}"]'.encode() in sent
    assert b'"scope":"read"' in sent
    assert happened("connection.registered")[0].detail["how"] == "registered"
    page = upstream.admin.get(upstream.page).text
    assert "c-1" in texts(page)
    assert SECRET not in page
    assert MANAGING not in page


def test_an_initial_access_token_goes_with_the_registration_and_is_not_kept(upstream):
    upstream.make().do("discover")

    assert upstream.do("register", initial_access_token="c4n4ry-iat\n").status_code == 303
    assert b"Authorization: Bearer c4n4ry-iat\r\n" in upstream.login.requests[-1]


def test_a_client_that_was_given_is_entered(upstream):
    upstream.make().do("discover")
    typed = {"client_id": "given", "auth_method": "client_secret_post", "client_secret": SECRET}

    wrong = upstream.do("register", **typed | {"client_secret": ""})
    assert (wrong.status_code, 'id="e-client_secret"' in wrong.text) == (422, True)
    assert SECRET not in wrong.text
    assert upstream.do("register", **typed | {"auth_method": "magic"}).status_code == 422
    assert upstream.do("register", **typed).location == upstream.page

    row = upstream.row()
    assert (row.client_id, row.registered_how) == ("given", "given")
    assert "POST /register" not in upstream.login.asked


def test_where_documents_are_read_the_own_document_is_the_client(upstream):
    login = upstream.login
    login.describe_server(OAUTH, login.origin, client_id_metadata_document_supported=True)
    upstream.ready()

    row = upstream.row()
    assert row.client_id == "https://gatewright.example/.well-known/client-metadata.json"
    assert (row.registered_how, row.auth_method) == ("document", "none")
    served = upstream.admin.get("/.well-known/client-metadata.json")
    assert (served.json["client_id"], served.json["redirect_uris"]) == (row.client_id, [REDIRECT])
    assert served.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "answer, said_of_it",
    [
        (said(401, {"error": "invalid_token"}), WANTS_TOKEN),
        (said(201, b"<h1>Hello</h1>"), registration.UNREADABLE),
        (b"SSH-2.0-OpenSSH\r\n", REASONS["protocol"].advice),
    ],
)
def test_a_registration_that_is_refused_says_what_to_do(upstream, answer, said_of_it):
    upstream.make().do("discover")
    upstream.login.pages["POST /register"] = answer

    page = upstream.do("register")

    assert page.status_code == 422
    assert said_of_it in texts(page.text)
    assert upstream.row().client_id == ""


def test_a_server_without_any_way_says_whom_to_ask(upstream):
    login = upstream.login
    login.describe_server(OAUTH, login.origin, registration_endpoint=None)
    upstream.make().do("discover")

    assert NO_WAY in texts(upstream.do("register").text)


def test_no_transaction_is_open_while_others_are_asked(upstream, monkeypatch):
    asked = []
    stranger = upstream.app.extensions["gatewright.outbound"].stranger

    def watched(url, **request):
        asked.append(db.session().in_transaction())
        return stranger(url, **request)

    monkeypatch.setattr(upstream.app.extensions["gatewright.outbound"], "stranger", watched)
    upstream.authorized()
    for way in ("try", "update-client", "revoke", "delete"):
        upstream.do(way, confirm_name="notes")

    assert len(asked) > 6
    assert set(asked) == {False}


def test_the_list_says_whether_this_server_has_a_token(upstream, clock):
    upstream.ready()
    upstream.login.pages["POST /token"] = token_answer(expires_in=60)
    assert "Unused" in texts(upstream.admin.get(LIST).text)
    upstream.come_back(upstream.begin())
    assert "Live" in texts(upstream.admin.get(LIST).text)
    clock.advance(60)
    assert "Expired" in texts(upstream.admin.get(LIST).text)


def test_who_did_not_sign_in_lately_becomes_no_client(upstream, csrf, clock):
    upstream.make()
    token = csrf(upstream.admin)
    clock.advance(301)

    for way in (NEW, f"{upstream.page}/register"):
        for answer in (
            upstream.admin.get(way),
            upstream.admin.post(way, data={"csrf_token": token}),
        ):
            assert answer.status_code == 303
            assert answer.location.startswith("/login?")


def test_hostile_words_of_an_operator_stay_words(upstream, viewer):
    plain = upstream.make(name="plain", description="words").page
    hostile = upstream.make(name="other", description="".join(HOSTILE)[:200]).page

    assert shape(viewer.get(hostile).text) == shape(viewer.get(plain).text)


def test_a_login_of_this_server_has_none_of_these_ways(admin, send, app):
    form = {"name": "own", "token_endpoint": "https://id.example/t", "client_id": "us"}
    form |= {"auth_method": "client_secret_basic", "client_secret": "s"}
    page = send(admin, f"{LIST}new", **form, expiry_buffer_seconds="5").location

    for way in ("discover", "register", "authorize", "revoke", "try", "delete"):
        assert send(admin, f"{page}/{way}", confirm_name="own").status_code == 409
    with app.app_context():
        assert connections.get("own").client_id == "us"


def test_each_address_is_open_to_its_role_and_those_above(anybody, app):
    """C-40, X-48."""
    routes = addresses(f"{LIST}none")
    assert wrongly_reached(*anybody, routes) == []
    assert unlisted(app, "upstreams", routes) == set()


def test_looking_and_forging_change_nothing(upstream):
    """C-20, X-46."""
    routes = addresses(upstream.ready().page)
    assert harmful(upstream.app, upstream.admin, "GET", gets(routes)) == []
    assert harmful(upstream.app, upstream.admin, "POST", posts(routes), 400) == []


def addresses(page):
    """Return every address of the pages with the role that it needs."""
    ways = ("authorize", "decline", "delete", "discover", "register", "revoke", "try")
    return (
        ("GET", NEW, "admin"),
        ("POST", NEW, "admin"),
        ("GET", f"{page}/register", "admin"),
        *(("POST", f"{page}/{way}", "admin") for way in ways),
    )
