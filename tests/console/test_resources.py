"""The catalogue of resources, as operators keep it."""

import pytest

from app.domain import resources, scopes
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.extensions import db
from tests.conftest import ISSUER
from tests.console.markup import HOSTILE, controls, shape, texts
from tests.console.matrix import (
    gets,
    harmful,
    posts,
    rows,
    unlisted,
    ways_to_act,
    wrongly_reached,
)

LIST = "/admin/resources/"
URI = "https://mcp.example/mcp"
ROUTES = (
    ("GET", LIST, "viewer"),
    ("GET", f"{LIST}new", "admin"),
    ("POST", f"{LIST}new", "admin"),
    ("GET", f"{LIST}edit?uri={URI}", "admin"),
    ("POST", f"{LIST}edit?uri={URI}", "admin"),
    ("POST", f"{LIST}delete?uri={URI}", "admin"),
)


@pytest.fixture
def catalogue(app):
    """Describe two scopes and a resource that offers one of them."""
    with app.app_context():
        scopes.create("tools", "Use tools", by=SERVER)
        scopes.create("write", "Change things", by=SERVER)
        resources.create(URI, "Tool server", ["tools"], by=SERVER, access_token_seconds=120)
        db.session.commit()


@pytest.fixture
def resource(app):
    """Return a function that reads one resource."""

    def find(uri=URI):
        with app.app_context():
            return resources.find(uri)

    return find


def form(csrf, browser, **fields):
    """Return the form of a resource as a browser sends it."""
    filled = {"uri": "https://new.example/", "name": "New", "scopes": ["tools"]}
    return {"csrf_token": csrf(browser), **filled, "access_token_seconds": ""} | fields


def test_the_list_shows_what_tokens_can_be_issued_for(viewer, catalogue):
    said = texts(viewer.get(LIST).text)

    for words in ("Tool server", URI, "tools", "120 seconds", "Default resource", ISSUER):
        assert words in said


def test_the_default_resource_is_listed_once_it_is_described_like_any_other(
    admin, csrf, catalogue, resource
):
    assert f"{LIST}new?uri=" in admin.get(LIST).text

    admin.post(f"{LIST}new", data=form(csrf, admin, uri=ISSUER, name="Here"))

    assert resource(ISSUER).name == "Here"
    page = admin.get(LIST).text
    assert "Default resource" not in texts(page)
    assert f"{LIST}new?uri=" not in page


def test_an_admin_adds_a_resource(admin, csrf, catalogue, resource, happened):
    sent = form(csrf, admin, access_token_seconds="300", scopes=["tools", "write"])

    answer = admin.post(f"{LIST}new", data=sent)

    assert (answer.status_code, answer.location) == (303, LIST)
    made = resource("https://new.example/")
    assert (made.name, made.scopes, made.access_token_seconds) == ("New", ["tools", "write"], 300)
    event = happened(Tag.RESOURCE_CREATED)[0]
    assert (event.subject, event.actor_name) == ("https://new.example/", "admin@example.org")


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "change, field",
    [
        ({"uri": ""}, "uri"),
        ({"uri": "mcp"}, "uri"),
        ({"uri": "http://["}, "uri"),
        ({"uri": "ftp://mcp.example/"}, "uri"),
        ({"uri": "https://mcp.example/#part"}, "uri"),
        ({"uri": "https://mcp.example/\0"}, "uri"),
        ({"uri": "https://mcp.example/" + "a" * 2048}, "uri"),
        ({"uri": URI}, "uri"),
        ({"name": ""}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"name": "turn\u202ened"}, "name"),
        ({"access_token_seconds": "29"}, "access_token_seconds"),
        ({"access_token_seconds": "86401"}, "access_token_seconds"),
        ({"access_token_seconds": "9" * 40}, "access_token_seconds"),
        ({"access_token_seconds": "-60"}, "access_token_seconds"),
        ({"access_token_seconds": "\u0663\u0660\u0660"}, "access_token_seconds"),
        ({"access_token_seconds": "soon"}, "access_token_seconds"),
    ],
)
def test_a_resource_that_cannot_be_is_refused_beside_its_field(admin, csrf, app, change, field):
    before = rows(app)

    answer = admin.post(f"{LIST}new", data=form(csrf, admin, **change))

    assert answer.status_code == 422
    assert controls(answer.text, "span", id=f"e-{field}")
    assert rows(app) == before


def test_two_who_add_the_same_resource_at_once_get_one_resource_and_one_sentence(
    admin, csrf, catalogue, monkeypatch
):
    sent = form(csrf, admin, uri=URI)
    monkeypatch.setattr(resources, "find", lambda _uri: None)

    answer = admin.post(f"{LIST}new", data=sent)

    assert answer.status_code == 422
    assert "exists already" in texts(answer.text)


def test_a_scope_that_is_not_in_the_catalogue_is_not_offered_for_a_resource(
    admin, csrf, catalogue, resource
):
    admin.post(f"{LIST}new", data=form(csrf, admin, scopes=["tools", "made-up"]))

    assert resource("https://new.example/").scopes == ["tools"]


def test_an_admin_changes_name_scopes_and_lifetime_but_not_the_uri(
    admin, csrf, catalogue, resource
):
    page = admin.get(f"{LIST}edit?uri={URI}").text
    assert controls(page, name="scopes", value="tools", checked=None)
    assert not controls(page, name="scopes", value="write", checked=None)

    sent = form(csrf, admin, uri=URI, name="Other", scopes=["write"])
    answer = admin.post(f"{LIST}edit", data=sent)

    assert answer.status_code == 303
    changed = resource()
    assert (changed.name, changed.scopes, changed.access_token_seconds) == (
        "Other",
        ["write"],
        None,
    )


@pytest.mark.parametrize("typed", ["", "Tool server", f"{URI}/"])
def test_a_resource_is_not_deleted_unless_its_uri_is_typed(admin, csrf, catalogue, resource, typed):
    sent = {"csrf_token": csrf(admin), "uri": URI, "confirm_name": typed}

    assert admin.post(f"{LIST}delete", data=sent).status_code == 303
    assert resource() is not None
    assert "nothing was deleted" in texts(admin.get(LIST).text)


def test_a_resource_is_deleted_once_its_uri_was_typed(admin, csrf, catalogue, resource):
    assert "at most 120 seconds" in texts(admin.get(f"{LIST}edit?uri={URI}").text)

    sent = {"csrf_token": csrf(admin), "uri": URI, "confirm_name": URI}
    answer = admin.post(f"{LIST}delete", data=sent)

    assert answer.status_code == 303
    assert resource() is None


@pytest.mark.parametrize(
    "uri, status",
    [("", 400), ("http://[", 400), ("%00", 400), ("a" * 5000, 400), ("https://un.known/", 404)],
)
def test_a_resource_that_is_not_there_is_refused(admin, uri, status):
    assert admin.get(f"{LIST}edit?uri={uri}").status_code == status


def test_a_hostile_name_adds_no_element_and_no_attribute(admin, app, catalogue):
    """C-32, C-33."""
    pages = (LIST, f"{LIST}edit?uri={URI}", "/admin/scopes/")
    plain = [shape(admin.get(page).text) for page in pages]

    for name in HOSTILE:
        with app.app_context():
            resources.update(URI, by=SERVER, name=name, allowed=["tools"], access_token_seconds=120)
            db.session.commit()
        answers = [admin.get(page).text for page in pages]
        assert [shape(page) for page in answers] == plain
        assert all(name in texts(page) for page in answers)


def test_a_viewer_sees_the_catalogue_and_nothing_to_press(viewer, catalogue):
    page = viewer.get(LIST).text

    assert ways_to_act(page) == set()
    assert f"{LIST}new" not in page
    assert f"{LIST}edit" not in page


def test_each_address_is_open_to_its_role_and_those_above(anybody):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []


def test_every_address_has_a_role(app):
    """C-40."""
    assert unlisted(app, "resources", ROUTES) == set()


def test_nothing_is_changed_without_the_token_of_the_page(admin, app, catalogue):
    """C-20."""
    sent = {"uri": URI, "confirm_name": URI}

    assert harmful(app, admin, "POST", posts(ROUTES), 400, data=sent) == []


def test_looking_changes_nothing(admin, app, catalogue):
    """C-21, X-46."""
    assert harmful(app, admin, "GET", gets(ROUTES)) == []
