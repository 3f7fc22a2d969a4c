"""Changing what people authorize: its scope, the secret that was given, the client there."""

import orjson
import pytest

from app.domain import connections
from app.domain.upstreams import ANOTHER, NO_SECRET, NOT_REGISTERED
from app.outbound.failures import REASONS
from app.outbound.upstream_refusals import WANTS_TOKEN
from tests.console.markup import controls, texts
from tests.console.matrix import gets, harmful, posts, unlisted, wrongly_reached
from tests.console.upstreaming import LIST, MANAGING, SECRET
from tests.console.upstreaming import upstream as upstream
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said

NEW_SECRET = "c4n4ry-another"
ASKED = {"scope": "read", "expiry_buffer_seconds": "5", "description": "Team notes"}
GIVEN = {"client_id": "given", "auth_method": "client_secret_post", "client_secret": SECRET}


@pytest.fixture
def given(upstream):
    """Return a connection with a client that its operators gave."""
    upstream.make().do("discover")
    assert upstream.do("register", **GIVEN).location == upstream.page
    return upstream


def update(upstream, **changes):
    """Update the client there, which answers with changes."""
    upstream.login.pages["PUT /clients/c-1"] = said(200, upstream.registration() | changes)
    assert upstream.do("update-client").location == upstream.page
    assert "is what this server says of itself now" in texts(upstream.admin.get(upstream.page).text)


def test_what_is_asked_for_is_changed_and_tokens_go_on(upstream, happened):
    upstream.authorized()
    assert controls(upstream.admin.get(upstream.page).text, "a", href=f"{upstream.page}/change")
    [scope] = controls(upstream.admin.get(f"{upstream.page}/change").text, "input", name="scope")
    assert scope["value"] == "read write"

    assert upstream.do("change", **ASKED).location == upstream.page

    row = upstream.row()
    assert (row.scope, row.expiry_buffer_seconds, row.description) == ("read", 5, "Team notes")
    assert upstream.tokens() is not None
    assert happened("connection.changed")[0].detail["after"]["scope"] == "read"
    assert upstream.begin()["scope"] == "read"


@pytest.mark.parametrize(
    "wrong", [{"scope": "a  b"}, {"expiry_buffer_seconds": "soon"}, {"description": "a\x00b"}]
)
def test_what_cannot_be_is_said_beside_its_field(upstream, wrong):
    answer = upstream.make().do("change", **ASKED | wrong)

    assert answer.status_code == 422
    assert f'id="e-{next(iter(wrong))}"' in answer.text
    assert upstream.row().description == ""


def test_the_secret_of_a_client_that_was_given_is_replaced(given, happened):
    given.come_back(given.begin())
    page = given.admin.get(f"{given.page}/replace-secret").text
    [seen] = controls(page, "input", name="revision")

    empty = given.do("replace-secret", revision=seen["value"])
    assert (empty.status_code, 'id="e-client_secret"' in empty.text) == (422, True)
    typed = {"revision": seen["value"], "client_secret": f"{NEW_SECRET}\n"}
    assert given.do("replace-secret", **typed).location == given.page

    assert given.tokens() is not None
    assert len(happened("connection.secret_rotated")) == 1
    given.do("revoke")
    assert [form["client_secret"] for form in given.forms("/revoke")] == [[NEW_SECRET]] * 2
    assert NEW_SECRET not in given.admin.get(given.page).text


def test_a_secret_that_is_meant_for_another_client_goes_nowhere(given):
    seen = given.row().revision
    assert given.do("register", **GIVEN | {"client_id": "another"}).location == given.page

    answer = given.do("replace-secret", revision=str(seen), client_secret=NEW_SECRET)

    assert (answer.status_code, ANOTHER in texts(answer.text)) == (409, True)


def test_a_registered_client_has_no_secret_to_enter_and_a_given_one_is_not_updated(upstream):
    upstream.ready()
    revision = str(upstream.row().revision)
    refused = upstream.do("replace-secret", revision=revision, client_secret=NEW_SECRET)
    assert NO_SECRET in texts(refused.text)

    upstream.do("register", **GIVEN)
    assert NOT_REGISTERED in texts(upstream.do("update-client").text)
    assert "PUT /clients/c-1" not in upstream.login.asked


def test_a_registered_client_is_told_anew_and_its_new_credentials_are_kept(upstream, happened):
    upstream.authorized()
    upstream.do("change", **ASKED)

    update(upstream, client_secret=NEW_SECRET, registration_access_token="c4n4ry-rat-2")

    sent = upstream.login.requests[-1]
    assert f"Authorization: Bearer {MANAGING}\r\n".encode() in sent
    told = orjson.loads(sent.partition(b"\r\n\r\n")[2])
    assert (told["client_id"], told["scope"]) == ("c-1", "read")
    assert upstream.tokens() is not None
    assert [event.detail["how"] for event in happened("connection.registered")] == [
        "registered"
    ] * 2
    update(upstream)
    assert b"Authorization: Bearer c4n4ry-rat-2\r\n" in upstream.login.requests[-1]
    assert NEW_SECRET not in upstream.admin.get(upstream.page).text


@pytest.mark.parametrize(
    "answer, why",
    [
        (said(401, {"error": "invalid_token"}), WANTS_TOKEN),
        (b"SSH-2.0-OpenSSH\r\n", REASONS["protocol"].advice),
    ],
)
def test_an_update_that_is_refused_says_why_and_changes_nothing(upstream, answer, why):
    upstream.ready()
    before = upstream.row().updated_at, upstream.row().registration_token_sealed
    upstream.login.pages["PUT /clients/c-1"] = answer

    upstream.do("update-client")

    assert why in texts(upstream.admin.get(upstream.page).text)
    row = upstream.row()
    assert (row.updated_at, row.registration_token_sealed) == before


def test_a_login_of_this_server_has_none_of_these_ways(admin, send, app):
    form = {"name": "own", "token_endpoint": "https://id.example/t", "client_id": "us"}
    form |= {"auth_method": "client_secret_basic", "client_secret": "s"}
    page = send(admin, f"{LIST}new", **form, expiry_buffer_seconds="5").location

    for way in ("change", "replace-secret", "update-client"):
        assert send(admin, f"{page}/{way}", **ASKED, client_secret="x").status_code == 409
    with app.app_context():
        assert connections.get("own").description == ""


def test_each_address_is_open_to_its_role_and_those_above(anybody, app):
    """C-40, X-48."""
    routes = addresses(f"{LIST}none")
    assert wrongly_reached(*anybody, routes) == []
    assert unlisted(app, "upstream_changes", routes) == set()


def test_looking_and_forging_change_nothing(upstream):
    """C-20, X-46."""
    routes = addresses(upstream.ready().page)
    assert harmful(upstream.app, upstream.admin, "GET", gets(routes)) == []
    assert harmful(upstream.app, upstream.admin, "POST", posts(routes), 400) == []


def addresses(page):
    """Return every address of the pages with the role that it needs."""
    forms = ("change", "replace-secret")
    return (
        *(("GET", f"{page}/{way}", "admin") for way in forms),
        *(("POST", f"{page}/{way}", "admin") for way in (*forms, "update-client")),
    )
