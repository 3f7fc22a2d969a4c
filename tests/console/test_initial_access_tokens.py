"""Initial access tokens, as operators make, read and revoke them."""

import json
import shlex

import pytest

from app.domain import registration_tokens
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.domain.registration_tokens import InitialAccessToken
from app.extensions import db
from tests.conftest import ISSUER
from tests.console.markup import HOSTILE, controls, read, shape, texts
from tests.console.matrix import (
    gets,
    harmful,
    posts,
    rows,
    unlisted,
    ways_to_act,
    wrongly_reached,
)

LIST = "/admin/initial-access-tokens/"
STATIC = "a static token of the settings"
ROUTES = (
    ("GET", LIST, "viewer"),
    ("GET", f"{LIST}new", "admin"),
    ("POST", f"{LIST}new", "admin"),
    ("POST", f"{LIST}revoke/unknown", "admin"),
)


@pytest.fixture
def make(app):
    """Return a function that makes a token; gives its identifier and its value."""

    def create(name="Pipeline", **limits):
        with app.app_context():
            row, value = registration_tokens.create(name, by=SERVER, **limits)
            db.session.commit()
            return row.id, value

    return create


@pytest.fixture
def token(app):
    """Return a function that reads a token."""

    def find(token_id):
        with app.app_context():
            return registration_tokens.get(token_id)

    return find


def row_with(page, name):
    """Return the text of the table row about a token."""
    found = [row for row in page.split("<tr>") if name in row]
    assert len(found) == 1
    return texts(found[0])


def test_the_list_shows_uses_expiry_last_use_and_who_made_a_token(viewer, make, client, clock):
    _, value = make("Pipeline", uses=5, expires_at=clock.now + 86400)
    client.post(
        "/register",
        json={"redirect_uris": ["https://client.example/cb"]},
        headers={"Authorization": f"Bearer {value}"},
    )

    said = row_with(viewer.get(LIST).text, "Pipeline")

    assert "Active 4 left used 1 time" in said
    assert "gatewright" in said
    assert "never" not in said


def test_each_token_says_why_it_can_or_cannot_be_used(viewer, make, app, clock):
    make("Usable")
    make("Ended", expires_at=clock.now - 1)
    spent, _ = make("Empty", uses=1)
    revoked, _ = make("Withdrawn")
    with app.app_context():
        registration_tokens.redeem(spent, by=SERVER)
        registration_tokens.revoke(revoked, by=SERVER)
        db.session.commit()

    page = viewer.get(LIST).text

    words = {"Usable": "Active any number left", "Ended": "Expired", "Empty": "Used up 0 left"}
    for name, said in (words | {"Withdrawn": "Revoked"}).items():
        assert f"{name} {said}" in row_with(page, name)


@pytest.mark.parametrize("overrides", [{"registration_token": STATIC}])
def test_the_token_of_the_settings_is_listed_without_its_value(admin):
    page = admin.get(LIST).text

    assert "The token of the settings" in texts(page)
    assert STATIC not in page
    assert ways_to_act(page) == set()


def test_an_admin_makes_a_token_and_sees_it_once(admin, csrf, app, clock, happened):
    form = {"csrf_token": csrf(admin), "name": "Team Rosebud", "uses": "3", "lifetime": "7"}

    answer = admin.post(f"{LIST}new", data=form)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    [copied] = controls(answer.text, "button", **{"data-copied": "Initial access token copied"})
    value = copied["data-copy"]
    assert value.startswith("iat_")
    with app.app_context():
        row = db.session.get(InitialAccessToken, registration_tokens.check(value, ""))
        assert (row.name, row.uses_left, row.created_by) == ("Team Rosebud", 3, "admin@example.org")
        assert row.expires_at == clock.now + 7 * 86400
    event = happened(Tag.INITIAL_TOKEN_CREATED)[0]
    assert event.actor_name == "admin@example.org"
    assert value not in json.dumps(event.detail)
    assert value not in admin.get(LIST).text


def test_a_token_may_live_for_ever_and_register_without_limit(admin, csrf, app):
    form = {"csrf_token": csrf(admin), "name": "Open", "uses": "", "lifetime": "never"}

    admin.post(f"{LIST}new", data=form)

    with app.app_context():
        [row] = registration_tokens.find_all()
        assert (row.uses_left, row.expires_at) == (None, None)


@pytest.mark.parametrize(
    "change, field",
    [
        ({"name": ""}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"name": "turn\u202ened"}, "name"),
        ({"uses": "0"}, "uses"),
        ({"uses": "1000001"}, "uses"),
        ({"uses": "-1"}, "uses"),
        ({"uses": "many"}, "uses"),
        ({"uses": "\u0661"}, "uses"),
        ({"lifetime": "2"}, "lifetime"),
        ({"lifetime": ""}, "lifetime"),
    ],
)
def test_a_token_that_cannot_be_is_refused_beside_its_field(admin, csrf, app, change, field):
    before = rows(app)
    form = {"csrf_token": csrf(admin), "name": "New", "uses": "1", "lifetime": "1"} | change

    answer = admin.post(f"{LIST}new", data=form)

    assert answer.status_code == 422
    assert controls(answer.text, "span", id=f"e-{field}")
    assert rows(app) == before


def test_the_command_on_the_page_holds_the_token_and_registers_a_client(admin, csrf, client):
    form = {"csrf_token": csrf(admin), "name": "New", "uses": "1", "lifetime": "1"}
    page = admin.post(f"{LIST}new", data=form).text
    [copied] = controls(page, "button", **{"data-copied": "Command copied"})

    words = shlex.split(copied["data-copy"])

    assert words[:3] == ["curl", "-sS", f"{ISSUER}/register"]
    headers = dict(words[at + 1].split(": ") for at, word in enumerate(words) if word == "-H")
    answer = client.post("/register", data=words[words.index("-d") + 1], headers=headers)
    assert answer.status_code == 201
    assert client.post("/register", data=words[-1], headers=headers).status_code == 401


def test_an_admin_revokes_a_token_and_the_clients_it_made_stay(admin, csrf, make, token, client):
    token_id, value = make()
    bearer = {"Authorization": f"Bearer {value}"}
    body = {"redirect_uris": ["https://client.example/cb"]}
    made = client.post("/register", json=body, headers=bearer).json

    answer = admin.post(f"{LIST}revoke/{token_id}", data={"csrf_token": csrf(admin)})

    assert (answer.status_code, answer.location) == (303, LIST)
    assert token(token_id).revoked_at is not None
    assert client.post("/register", json=body, headers=bearer).status_code == 401
    assert "The token is revoked" in texts(admin.get(LIST).text)
    assert admin.get(f"/admin/clients/{made['client_id']}").status_code == 200


@pytest.mark.parametrize("token_id", ["unknown", "%00", "a" * 3000])
def test_a_token_that_is_not_there_is_not_found(admin, csrf, token_id):
    answer = admin.post(f"{LIST}revoke/{token_id}", data={"csrf_token": csrf(admin)})

    assert answer.status_code == 404


def test_a_hostile_name_adds_no_element_and_no_attribute(admin, make, app):
    """C-32, C-33."""
    token_id, _ = make("plain")
    plain = shape(admin.get(LIST).text)

    for name in HOSTILE:
        with app.app_context():
            registration_tokens.get(token_id).name = name
            db.session.commit()
        page = admin.get(LIST).text
        assert shape(page) == plain
        assert name in texts(page)


def test_a_viewer_sees_tokens_without_values_and_nothing_to_press(viewer, make, token):
    """X-47."""
    token_id, value = make()

    page = viewer.get(LIST).text

    assert value not in page
    assert token(token_id).token_digest not in page
    assert ways_to_act(page) == set()
    assert [found for _, found in read(page).elements if found.get("href") == f"{LIST}new"] == []


def test_each_address_is_open_to_its_role_and_those_above(anybody):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []


def test_every_address_has_a_role(app):
    """C-40."""
    assert unlisted(app, "initial_access_tokens", ROUTES) == set()


def test_nothing_is_changed_without_the_token_of_the_page(admin, app, make):
    """C-20."""
    token_id, _ = make()
    forms = [*posts(ROUTES), f"{LIST}revoke/{token_id}"]
    sent = {"name": "New", "uses": "1", "lifetime": "1"}

    assert harmful(app, admin, "POST", forms, 400, data=sent) == []


def test_looking_changes_nothing(admin, app, make):
    """C-21, X-46."""
    token_id, _ = make()

    assert harmful(app, admin, "GET", gets(ROUTES)) == []
    assert harmful(app, admin, "GET", [f"{LIST}revoke/{token_id}"], 405) == []
