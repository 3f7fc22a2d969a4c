"""The catalogue of scopes, as operators keep it."""

import pytest

from app.domain import resources, scopes
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.extensions import db
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

LIST = "/admin/scopes/"
ROUTES = (
    ("GET", LIST, "viewer"),
    ("GET", f"{LIST}new", "admin"),
    ("POST", f"{LIST}new", "admin"),
    ("GET", f"{LIST}edit?name=tools", "admin"),
    ("POST", f"{LIST}edit?name=tools", "admin"),
    ("POST", f"{LIST}delete?name=other", "admin"),
)


@pytest.fixture
def catalogue(app):
    """Describe a scope that one resource offers."""
    with app.app_context():
        scopes.create("tools", "Use tools", by=SERVER, risk="medium")
        resources.create("https://one.example/", "Resource One", ["tools"], by=SERVER)
        db.session.commit()


@pytest.fixture
def scope(app):
    """Return a function that reads one scope."""

    def find(name):
        with app.app_context():
            return scopes.find(name)

    return find


def test_the_list_shows_words_risk_default_and_who_offers_a_scope(viewer, catalogue):
    said = texts(viewer.get(LIST).text)

    for words in ("tools", "Use tools", "Some risk", "when asked for", "Resource One"):
        assert words in said


def test_an_admin_adds_a_scope(admin, csrf, scope, happened):
    form = {
        "csrf_token": csrf(admin),
        "name": "files:write",
        "description": "Change your files",
        "risk": "high",
        "is_default": "on",
        "four_eyes": "on",
    }

    answer = admin.post(f"{LIST}new", data=form)

    assert (answer.status_code, answer.location) == (303, LIST)
    made = scope("files:write")
    assert scopes.facts(made) == {
        "description": "Change your files",
        "risk": "high",
        "is_default": True,
        "four_eyes": True,
    }
    event = happened(Tag.SCOPE_CREATED)[0]
    assert (event.subject, event.actor_name) == ("files:write", "admin@example.org")
    assert "The scope is in the catalogue." in (said := texts(admin.get(LIST).text))
    assert "needs two people" in said


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "change, field",
    [
        ({"name": ""}, "name"),
        ({"name": "two words"}, "name"),
        ({"name": 'quo"te'}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"name": "tools"}, "name"),
        ({"description": ""}, "description"),
        ({"description": "  "}, "description"),
        ({"description": "a" * 501}, "description"),
        ({"description": "turn\u202ened"}, "description"),
        ({"description": "nul\0"}, "description"),
        ({"risk": "none"}, "risk"),
    ],
)
def test_a_scope_that_cannot_be_is_refused_beside_its_field(admin, csrf, app, change, field):
    before = rows(app)
    form = {"csrf_token": csrf(admin), "name": "new", "description": "New", "risk": "low"} | change

    answer = admin.post(f"{LIST}new", data=form)

    assert answer.status_code == 422
    assert controls(answer.text, "span", id=f"e-{field}")
    assert rows(app) == before


def test_two_who_add_the_same_scope_at_once_get_one_scope_and_one_sentence(
    admin, csrf, catalogue, monkeypatch
):
    token = csrf(admin)
    monkeypatch.setattr(scopes, "find", lambda _name: None)

    form = {"csrf_token": token, "name": "tools", "description": "Again", "risk": "low"}
    answer = admin.post(f"{LIST}new", data=form)

    assert answer.status_code == 422
    assert "exists already" in texts(answer.text)


def test_what_was_typed_is_there_again_beside_the_fault(admin, csrf):
    form = {"csrf_token": csrf(admin), "name": "two words", "description": "Mine", "risk": "high"}

    page = admin.post(f"{LIST}new", data=form).text

    assert controls(page, name="name", value="two words")
    assert controls(page, "option", value="high", selected=None)
    assert "Mine" in texts(page)


def test_an_admin_changes_all_but_the_name(admin, csrf, catalogue, scope, happened):
    form = {"csrf_token": csrf(admin), "name": "tools", "description": "Other", "risk": "low"}
    form["four_eyes"] = "on"

    answer = admin.post(f"{LIST}edit", data=form)

    assert answer.status_code == 303
    changed = scope("tools")
    assert (changed.description, changed.risk, changed.is_default) == ("Other", "low", False)
    assert changed.four_eyes
    assert happened(Tag.SCOPE_UPDATED)[0].detail["after"]["four_eyes"]
    assert controls(admin.get(f"{LIST}edit?name=tools").text, name="four_eyes", checked=None)


def test_the_page_of_a_scope_says_what_deleting_it_does(admin, catalogue):
    said = texts(admin.get(f"{LIST}edit?name=tools").text)

    assert "one resource stops offering it: Resource One" in said
    assert "Tokens that hold it keep it until they end" in said


@pytest.mark.parametrize("typed", ["", "tool", "TOOLS"])
def test_a_scope_is_not_deleted_unless_its_name_is_typed(admin, csrf, catalogue, scope, typed):
    form = {"csrf_token": csrf(admin), "name": "tools", "confirm_name": typed}

    answer = admin.post(f"{LIST}delete", data=form)

    assert answer.status_code == 303
    assert scope("tools") is not None
    assert "nothing was deleted" in texts(admin.get(LIST).text)


def test_a_scope_is_deleted_once_its_name_was_typed(admin, csrf, catalogue, scope, happened):
    form = {"csrf_token": csrf(admin), "name": "tools", "confirm_name": "tools"}

    answer = admin.post(f"{LIST}delete", data=form)

    assert answer.status_code == 303
    assert scope("tools") is None
    assert happened(Tag.SCOPE_DELETED)[0].subject == "tools"


def test_a_scope_of_the_protocol_cannot_be_deleted(admin, csrf, scope, happened):
    """N-145: the metadata never lists no scope at all."""
    form = {"csrf_token": csrf(admin), "name": "openid", "confirm_name": "openid"}

    page = admin.get(f"{LIST}edit?name=openid").text
    answer = admin.post(f"{LIST}delete", data=form)

    assert "Delete scope" not in page
    assert answer.status_code == 409
    assert scope("openid") is not None
    assert happened(Tag.SCOPE_DELETED) == []


@pytest.mark.parametrize("name", ["", "unknown", "%00", "a" * 5000])
def test_a_scope_that_is_not_there_is_not_found(admin, name):
    assert admin.get(f"{LIST}edit?name={name}").status_code == 404


def test_hostile_words_add_no_element_and_no_attribute(admin, app, catalogue):
    """C-32, C-33."""
    pages = (LIST, f"{LIST}edit?name=tools")
    plain = [shape(admin.get(page).text) for page in pages]

    for words in HOSTILE:
        with app.app_context():
            values = {"description": words, "risk": "medium", "is_default": False}
            scopes.update("tools", by=SERVER, four_eyes=False, **values)
            db.session.commit()
        answers = [admin.get(page).text for page in pages]
        assert [shape(page) for page in answers] == plain
        assert all(words in texts(page) for page in answers)


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
    assert unlisted(app, "scopes", ROUTES) == set()


def test_nothing_is_changed_without_the_token_of_the_page(admin, app, catalogue):
    """C-20."""
    sent = {"name": "tools", "confirm_name": "tools"}

    assert harmful(app, admin, "POST", posts(ROUTES), 400, data=sent) == []


def test_looking_changes_nothing(admin, app, catalogue):
    """C-21, X-46."""
    for method in ("GET", "HEAD"):
        assert harmful(app, admin, method, gets(ROUTES)) == []
