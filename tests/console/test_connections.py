"""Connection pages: logins held, changed, rotated and removed; nobody sees a secret again."""

import json

import pytest

from app.domain import connections
from app.domain.connection_drafts import NAME_SHAPE, Draft
from app.domain.connection_secrets import secrets_of
from app.extensions import db
from tests.console.markup import HOSTILE, controls, shape, texts
from tests.console.matrix import gets, harmful, posts, unlisted, ways_to_act, wrongly_reached
from tests.domain.held_connections import EC, OPERATOR

LIST = "/admin/connections/"
NEW = f"{LIST}new"
SECRET = "c4n4ry-0123456789"
FORM = {
    "name": "billing",
    "token_endpoint": "https://id.example/token",
    "client_id": "gatewright",
    "auth_method": "client_secret_basic",
    "client_secret": f"{SECRET}\n",
    "scope": "read write",
    "expiry_buffer_seconds": "5",
    "description": "The bills",
}
BY_KEY = {"auth_method": "private_key_jwt", "client_secret": "", "private_key": json.dumps(EC)}
FAULTS = (
    ({"name": "Billing"}, "name", f"The name {NAME_SHAPE}."),
    ({"name": ""}, "name", f"The name {NAME_SHAPE}."),
    ({"token_endpoint": ""}, "token_endpoint", "must be set, or else the issuer"),
    ({"token_endpoint": "http://id.example/"}, "token_endpoint", "must be an https URL"),
    ({"issuer": "https://id.example"}, "issuer", "must not be set beside the token endpoint"),
    ({"client_id": ""}, "client_id", "must be set"),
    ({"client_secret": ""}, "client_secret", "must be set, except for private_key_jwt"),
    ({"client_secret": "\u00e9"}, "client_secret", "printable ASCII"),
    ({"auth_method": "none"}, "auth_method", "must be one of"),
    ({"private_key": json.dumps(EC)}, "private_key", "must not be set"),
    (BY_KEY | {"private_key": "{}"}, "private_key", "must be one private key"),
    ({"scope": "a  b"}, "scope", "single spaces"),
    ({"resource": "api"}, "resource", "must be an absolute URI"),
    ({"expiry_buffer_seconds": "-1"}, "expiry_buffer_seconds", "whole number of seconds"),
    ({"expiry_buffer_seconds": ""}, "expiry_buffer_seconds", "whole number of seconds"),
    ({"description": "a\x00b"}, "description", "must be one line"),
)


@pytest.fixture
def make(admin, send):
    """Return a function that holds a login; gives its address."""

    def create(**typed):
        answer = send(admin, NEW, **FORM | typed)
        assert answer.status_code == 303, texts(answer.text)
        return answer.location

    return create


@pytest.fixture
def secrets(app):
    """Return a function that opens what the login proves itself with."""

    def read(name="billing"):
        with app.app_context():
            key = app.extensions["gatewright.keys"]["connections"]
            return secrets_of(connections.get(name), key, {})

    return read


def test_a_login_is_held_listed_and_shown_without_its_secret(make, admin, viewer, secrets):
    page = make()

    assert secrets().client_secret == SECRET
    listed, shown = viewer.get(LIST).text, viewer.get(page).text
    for said in ("billing", "client_credentials", "The bills", "id.example", "Unused", "never"):
        assert said in texts(listed)
    for said in ("gatewright", "read write", "5 seconds before", "by admin@example.org"):
        assert said in texts(shown)
    assert ways_to_act(shown) == set()
    assert ways_to_act(admin.get(page).text) == {f"{page}/test", f"{page}/remove"}
    for text in (listed, shown, *(admin.get(f"{page}{way}").text for way in ("", "/edit"))):
        assert SECRET not in text


def test_a_login_may_have_a_key_of_its_own_or_that_of_this_server(make, admin, secrets):
    own = make(name="own", **BY_KEY)
    ours = make(name="ours", **BY_KEY | {"private_key": ""})

    assert secrets("own").private_key == EC
    assert "a key of its own" in texts(admin.get(own).text)
    assert "the key of this server" in texts(admin.get(ours).text)
    assert EC["d"] not in admin.get(own).text


def test_everything_that_is_wrong_is_said_beside_its_field(admin, send, app):
    for changes, field, said in FAULTS:
        page = send(admin, NEW, **FORM | changes)

        assert page.status_code == 422, changes
        beside = page.text.partition(f'id="e-{field}"')[2].partition("</span>")[0]
        assert said in texts(f"<i{beside}"), changes
        assert SECRET not in page.text
        assert EC["d"] not in page.text
    several = send(admin, NEW, **FORM | {"client_id": "", "scope": "a  b"})
    assert {'id="e-client_id"' in several.text, 'id="e-scope"' in several.text} == {True}
    assert controls(several.text, name="description", value="The bills")
    with app.app_context():
        assert connections.find_all() == []


def test_a_name_is_held_once(make, admin, send):
    make()

    again = send(admin, NEW, **FORM)

    assert again.status_code == 422
    assert "There is a connection of this name already" in texts(again.text)


def test_what_is_asked_for_is_changed_and_where_it_logs_in_is_not(make, admin, send, happened):
    page = make()
    asked = {"scope": "read", "resource": "https://api.example/", "expiry_buffer_seconds": "0"}

    wrong = send(admin, f"{page}/edit", **asked | {"resource": "api"})
    assert (wrong.status_code, 'id="e-resource"' in wrong.text) == (422, True)
    moved = asked | {"token_endpoint": "https://elsewhere.example/"}
    assert send(admin, f"{page}/edit", **moved).location == page

    shown = texts(admin.get(page).text)
    assert "https://api.example/" in shown
    assert "elsewhere" not in shown
    assert happened("connection.changed")[0].detail["after"]["scope"] == "read"


@pytest.mark.parametrize(
    "typed, member, value, wrong",
    [
        ({}, "client_secret", "c4n4ry-9876543210", ""),
        (BY_KEY | {"private_key": ""}, "private_key", json.dumps(EC), "{}"),
    ],
)
def test_a_secret_is_rotated_by_pasting_the_new_one(
    make, admin, send, secrets, happened, typed, member, value, wrong
):
    page = make(**typed)
    way = f"{page}/rotate-secret"
    assert controls(admin.get(way).text, "form", action=way)

    refused = send(admin, way, **{member: wrong})
    assert (refused.status_code, f'id="e-{member}"' in refused.text) == (422, True)
    answer = send(admin, way, **{member: value})

    assert (answer.status_code, answer.location) == (303, page)
    assert value in (secrets().client_secret, secrets().private_key and json.dumps(EC))
    assert value not in admin.get(page).text + str(happened("connection.secret_rotated")[0].detail)


def test_a_connection_is_removed_once_its_name_was_typed(make, admin, send):
    page = make()

    assert send(admin, f"{page}/remove", confirm_name="other").location == page
    assert admin.get(page).status_code == 200
    assert send(admin, f"{page}/remove", confirm_name="billing").location == LIST
    assert admin.get(page).status_code == 404
    assert send(admin, f"{page}/remove", confirm_name="billing").status_code == 404


def test_a_connection_of_the_environment_is_read_only(admin, send, app):
    draft = Draft(token_endpoint="https://id.example/t", client_id="us", client_secret=SECRET)
    with app.app_context():
        connections.adopt({"set": draft})
        db.session.commit()
        page = f"{LIST}{connections.get('set').id}"

    assert "Set in the environment" in texts(admin.get(LIST).text)
    shown = admin.get(page).text
    assert "Set in the environment; change it there." in texts(shown)
    assert ways_to_act(shown) == {f"{page}/test"}
    assert not controls(shown, "a", href=f"{page}/edit")
    for way in ("edit", "rotate-secret"):
        assert admin.get(f"{page}/{way}").status_code == 409
    for way in ("edit", "rotate-secret", "remove"):
        answer = send(admin, f"{page}/{way}", confirm_name="set", client_secret="n")
        assert answer.status_code == 409
    assert SECRET not in admin.get(LIST).text + shown


def test_what_people_authorize_is_no_login_of_this_server(admin, send, app):
    with app.app_context():
        draft = Draft(kind="authorization_code", url="https://mcp.example/", auth_method="none")
        row_id = connections.create("mcp", draft, b"k" * 32, by=OPERATOR).id
        db.session.commit()
    page = f"{LIST}{row_id}"

    assert "mcp.example" in texts(admin.get(LIST).text)
    shown = admin.get(page).text
    assert "https://mcp.example/" in texts(shown)
    assert ways_to_act(shown) == {f"{page}/discover", f"{page}/delete"}
    for way in ("edit", "rotate-secret", "test", "remove"):
        assert send(admin, f"{page}/{way}", confirm_name="mcp").status_code == 409


def test_who_did_not_sign_in_lately_gives_no_secrets(make, admin, csrf, clock):
    page, token = make(), csrf(admin)
    clock.advance(301)

    for way in (NEW, f"{page}/rotate-secret"):
        for answer in (admin.get(way), admin.post(way, data={"csrf_token": token})):
            assert answer.status_code == 303
            assert answer.location.startswith("/login?")


def test_hostile_words_of_an_operator_stay_words(make, viewer):
    plain = make(name="plain", description="words", client_id="words")
    hostile = make(name="other", description="".join(HOSTILE)[:200], client_id="".join(HOSTILE))

    assert shape(viewer.get(hostile).text) == shape(viewer.get(plain).text)


def test_each_address_is_open_to_its_role_and_those_above(anybody, app):
    """C-40, C-42, X-48, X-50."""
    routes = addresses(f"{LIST}none")
    assert wrongly_reached(*anybody, routes) == []
    assert unlisted(app, "connections", routes) == set()


def test_looking_and_forging_change_nothing(make, admin, app):
    """C-20, C-21, X-46."""
    routes = addresses(make())
    assert harmful(app, admin, "GET", gets(routes)) == []
    assert harmful(app, admin, "POST", posts(routes), 400) == []


def addresses(page):
    """Return every address of the pages with the role that it needs."""
    return (
        ("GET", LIST, "viewer"),
        ("GET", NEW, "admin"),
        ("GET", page, "viewer"),
        *(("GET", f"{page}/{way}", "admin") for way in ("edit", "rotate-secret")),
        ("POST", NEW, "admin"),
        *(
            ("POST", f"{page}/{way}", "admin")
            for way in ("edit", "rotate-secret", "test", "remove")
        ),
    )
