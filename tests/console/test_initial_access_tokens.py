"""Initial access tokens, as operators read and revoke them."""

import pytest

from app.console import pages
from app.domain import registration_tokens
from app.domain.audit import SERVER
from app.domain.obligations import Obligations, Terms
from app.extensions import db
from tests.console.initial_tokens import LIST, PLAIN
from tests.console.markup import HOSTILE, controls, neighbour, read, row_names, shape, texts
from tests.console.matrix import gets, harmful, posts, unlisted, ways_to_act, wrongly_reached

STATIC = "a static token of the settings"
ROUTES = (
    ("GET", LIST, "viewer"),
    ("GET", f"{LIST}unknown", "viewer"),
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


def names(page):
    """Return what the clients on a page are called."""
    return [name.partition("> ")[2] for name in row_names(page)]


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

    assert "Usable 4 left used 1 time" in said
    assert "gatewright" in said
    assert "never" not in said


def test_each_token_says_why_it_can_or_cannot_be_used(viewer, make, app, clock):
    make("Open")
    make("Ended", expires_at=clock.now - 1)
    spent, _ = make("Empty", uses=1)
    revoked, _ = make("Withdrawn")
    with app.app_context():
        registration_tokens.redeem(spent, by=SERVER)
        registration_tokens.revoke(revoked, by=SERVER)
        db.session.commit()

    page = viewer.get(LIST).text

    words = {"Open": "Usable any number left", "Ended": "Expired", "Empty": "Used up 0 left"}
    for name, said in (words | {"Withdrawn": "Revoked"}).items():
        assert f"{name} {said}" in row_with(page, name)


@pytest.mark.parametrize("overrides", [{"registration_token": STATIC}])
def test_the_token_of_the_settings_is_listed_without_its_value(admin):
    page = admin.get(LIST).text

    assert "The token of the settings" in texts(page)
    assert STATIC not in page
    assert ways_to_act(page) == set()


def test_the_page_of_a_token_says_all_about_it_and_leads_to_its_clients(
    viewer, make, client, clock, monkeypatch
):
    monkeypatch.setattr(pages, "PAGE_SIZES", (2, 50))
    token_id, value = make(
        "Pipeline",
        uses=5,
        expires_at=clock.now + 86400,
        purpose="The nightly build",
        networks=["127.0.0.0/8"],
        terms=Terms("admit", Obligations(("a", "b"), None, 60)),
    )
    other, _ = make("Other")
    for number in range(4):
        body = {"client_name": f"App {number}", "redirect_uris": ["https://client.example/cb"]}
        headers = {"Authorization": f"Bearer {value}"} if number else {}
        assert client.post("/register", json=body, headers=headers).status_code == 201

    page = viewer.get(f"{LIST}{token_id}").text

    said = texts(page)
    for words in (
        "Usable",
        "Purpose The nightly build",
        "Owner not said",
        "Uses left 2",
        "Used 3 times",
        "Only from 127.0.0.0/8",
        "Who decides Admit what no rule decides",
        "Bounds only the scopes a b tokens live 60 s",
        "3, deleted ones not counted",
    ):
        assert words in said
    assert value not in page
    older = viewer.get(neighbour(page, "next")).text
    assert names(page) + names(older) == ["App 3", "App 2", "App 1"]
    assert names(viewer.get(neighbour(older, "prev")).text) == names(page)
    assert f'href="{LIST}{token_id}"' in viewer.get(LIST).text
    assert "anywhere" in texts(viewer.get(f"{LIST}{other}").text)
    [made] = controls(page, "a", **{"class": "row-link"})[:1]
    assert f'href="{LIST}{token_id}"' in viewer.get(made["href"]).text


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


@pytest.mark.parametrize("token_id", ["unknown", "%00", "static", "a" * 3000])
def test_a_token_that_is_not_there_is_not_found(admin, send, token_id):
    assert send(admin, f"{LIST}revoke/{token_id}").status_code == 404
    assert admin.get(f"{LIST}{token_id}").status_code == 404


def test_a_hostile_name_adds_no_element_and_no_attribute(admin, make, app):
    """C-32, C-33."""
    token_id, _ = make("plain")
    paths = (LIST, f"{LIST}{token_id}")
    with app.app_context():
        registration_tokens.get(token_id).owner = "plain"
        db.session.commit()
    plain = [shape(admin.get(path).text) for path in paths]

    for name in HOSTILE:
        with app.app_context():
            row = registration_tokens.get(token_id)
            row.name = row.owner = row.purpose = name
            db.session.commit()
        shown = [admin.get(path).text for path in paths]
        assert [shape(page) for page in shown] == plain
        assert all(name in texts(page) for page in shown)


def test_a_viewer_sees_tokens_without_values_and_nothing_to_press(viewer, make, token):
    """X-47."""
    token_id, value = make()

    page = viewer.get(LIST).text

    for shown in (page, viewer.get(f"{LIST}{token_id}").text):
        assert value not in shown
        assert token(token_id).token_digest not in shown
        assert ways_to_act(shown) == set()
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

    assert harmful(app, admin, "POST", forms, 400, data=PLAIN) == []


def test_looking_changes_nothing(admin, app, make):
    """C-21, X-46."""
    token_id, _ = make()

    paths = [path.replace("unknown", token_id) for path in gets(ROUTES)]

    assert harmful(app, admin, "GET", paths) == []
    assert harmful(app, admin, "GET", [f"{LIST}revoke/{token_id}"], 405) == []
