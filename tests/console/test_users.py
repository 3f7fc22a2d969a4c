"""Users, as administrators find and read them, and who may reach their pages."""

import pytest

from app.console import pages
from app.domain import users
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.accounts import LIST
from tests.console.markup import HOSTILE, controls, neighbour, row_names, shape, texts
from tests.console.matrix import gets, harmful, posts, unlisted, ways_to_act, wrongly_reached

ROUTES = (
    ("GET", LIST, "admin"),
    ("GET", f"{LIST}new", "admin"),
    ("POST", f"{LIST}new", "admin"),
    ("GET", f"{LIST}unknown", "admin"),
    ("POST", f"{LIST}unknown/contact", "admin"),
    ("POST", f"{LIST}unknown/disable", "admin"),
    ("POST", f"{LIST}unknown/enable", "admin"),
    ("POST", f"{LIST}unknown/end-session", "admin"),
    ("POST", f"{LIST}unknown/end-sessions", "admin"),
    ("POST", f"{LIST}unknown/password-link", "admin"),
    ("POST", f"{LIST}unknown/reset-factor", "admin"),
    ("POST", f"{LIST}unknown/role", "admin"),
)


@pytest.fixture
def invited(app, people):
    """Make an account without a password next to those of all roles; return its identifier."""
    with app.app_context():
        user_id = users.invite("zoe@example.org", "viewer", by=SERVER).id
        users.disable(users.find(people["approver"]), by=SERVER)
        db.session.commit()
    return user_id


def found(browser, query=""):
    """Return the names in the list."""
    return [name.partition("> ")[2] for name in row_names(browser.get(f"{LIST}{query}").text)]


def test_everybody_is_listed_by_address_with_role_state_and_last_sign_in(admin, invited):
    said = texts(admin.get(LIST).text)

    assert found(admin) == [
        f"{name}@example.org" for name in ("admin", "approver", "member", "viewer", "zoe")
    ]
    assert "approver@example.org Approver Disabled never" in said
    assert "member@example.org Member May sign in never" in said
    assert "zoe@example.org Viewer No password yet never" in said
    assert "admin@example.org Admin May sign in 20" in said


@pytest.mark.parametrize(
    "query, names",
    [
        ("?q=ZO", ["zoe"]),
        ("?role=viewer", ["viewer", "zoe"]),
        ("?state=disabled", ["approver"]),
        ("?state=waiting", ["zoe"]),
        ("?state=enabled&role=approver", []),
        ("?q=%25", []),
        ("?role=root&state=odd", ["admin", "approver", "member", "viewer", "zoe"]),
    ],
)
def test_search_and_filters_narrow_the_list(admin, invited, query, names):
    assert found(admin, query) == [f"{name}@example.org" for name in names]


def test_the_list_is_walked_by_key_in_both_directions(admin, invited, monkeypatch):
    monkeypatch.setattr(pages, "PAGE_SIZES", (2, 50))
    first = admin.get(LIST).text
    second = admin.get(neighbour(first, "next")).text
    third = admin.get(neighbour(second, "next")).text

    walked = [row_names(page) for page in (first, second, third)]
    assert [len(page) for page in walked] == [2, 2, 1]
    assert len({name for page in walked for name in page}) == 5
    assert row_names(admin.get(neighbour(third, "prev")).text) == walked[1]


def test_htmx_gets_the_rows_alone(admin):
    by_htmx = admin.get(LIST, headers={"HX-Request": "true"}).text

    assert "<html" not in by_htmx
    assert "member@example.org" in by_htmx


def test_the_page_of_an_account_says_all_about_it(admin, member, people):
    page = admin.get(f"{LIST}{people['member']}").text

    said = texts(page)
    for words in (
        "What it is May sign in",
        "Role Member Uses apps; sees nothing of the console.",
        "Another browser 127.0.0.1",
    ):
        assert words in said
    assert f'href="/admin/audit/?subject={people["member"]}"' in page
    path = f"{LIST}{people['member']}"
    ways = {f"{path}/{way}" for way in ("contact", "role", "disable", "password-link")}
    assert ways_to_act(page) == ways | {f"{path}/end-session", f"{path}/end-sessions"}


def test_the_own_page_offers_neither_role_nor_disabling(admin, people):
    path = f"{LIST}{people['admin']}"

    assert ways_to_act(admin.get(path).text) == {
        *(f"{path}/{way}" for way in ("contact", "password-link", "end-session", "end-sessions")),
    }


@pytest.mark.parametrize("user_id", ["unknown", "%00", "a" * 3000])
def test_an_account_that_is_not_there_is_not_found(admin, user_id):
    assert admin.get(f"{LIST}{user_id}").status_code == 404


def test_only_administrators_have_the_entry_in_the_menu(admin, approver):
    assert controls(admin.get("/admin/").text, "a", href=LIST)
    assert not controls(approver.get("/admin/").text, "a", href=LIST)


def test_a_hostile_address_adds_no_element_and_no_attribute(app, admin, people):
    """C-32, C-33."""
    paths = (f"{LIST}?role=viewer", f"{LIST}{people['viewer']}")
    plain = [shape(admin.get(path).text) for path in paths]

    for name in HOSTILE:
        with app.app_context():
            users.get(people["viewer"]).email = name
            db.session.commit()
        shown = [admin.get(path).text for path in paths]
        assert [shape(page) for page in shown] == plain
        assert all(name in texts(page) for page in shown)


def test_each_address_is_open_to_its_role_and_those_above(anybody):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []


def test_every_address_has_a_role(app):
    """C-40."""
    assert unlisted(app, "users", ROUTES) == set()


def test_nothing_is_changed_without_the_token_of_the_page(admin, app, people):
    """C-20."""
    forms = [path.replace("unknown", people["member"]) for path in posts(ROUTES)]

    assert harmful(app, admin, "POST", forms, 400, data={"email": "new@example.org"}) == []


def test_looking_changes_nothing(admin, app, people):
    """C-21, X-46."""
    paths = [path.replace("unknown", people["member"]) for path in gets(ROUTES)]

    assert harmful(app, admin, "GET", paths) == []
    assert harmful(app, admin, "GET", [f"{LIST}{people['member']}/disable"], 405) == []
