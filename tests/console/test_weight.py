"""What a page of many rows costs: bytes on the way, and statements to the database."""

import gzip
import re

import pytest
from sqlalchemy import event

from app.domain.audit_tags import Tag
from app.extensions import db

ROWS = 100
HEAVY = 50 * 1024
LISTS = ("clients/", "registrations/", "audit/")
LIGHT = (
    "",
    "initial-access-tokens/",
    "initial-access-tokens/new",
    "policies/",
    "simulator/",
    "statement-issuers/",
    "scopes/",
    "resources/",
    "connections/",
    "webhooks/",
    "acquire/",
    "clean-up/",
    "system/",
    "gate/",
    "clients/new?kind=web",
)


@pytest.fixture
def crowded(register, record, app):
    """Make more of everything than a page shows, with names and redirects as apps have them."""
    for number in range(ROWS + 5):
        register(
            client_name=f"Notes reader {number}",
            redirect_uris=["http://127.0.0.1:33418/", f"https://reader.example/redirect/{number}"],
            scope="tools openid offline_access",
        )
        record(Tag.CODE_ISSUED)


def statements(app, browser, address):
    """Return how many statements a page sends to the database, and its rows."""
    sent = []

    def note(_connection, _cursor, statement, *_unused):
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        page = browser.get(address).text
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(sent), len(re.findall('class="row-link', page))


def test_no_list_asks_the_database_more_often_for_more_rows(viewer, app, crowded):
    for path in LISTS:
        few, again, many = (
            statements(app, viewer, f"/admin/{path}?size={size}") for size in (25, 25, 100)
        )

        assert (few[1], again[1], many[1]) == (25, 25, ROWS), path
        assert again[0] == many[0], path


def test_a_page_is_light_as_it_is_and_one_of_a_hundred_rows_is_when_packed(admin, crowded):
    for path in LISTS:
        usual = admin.get(f"/admin/{path}").data
        longest = admin.get(f"/admin/{path}?size={ROWS}").data

        assert len(usual) < HEAVY, path
        assert len(gzip.compress(longest)) < HEAVY, path


def test_every_other_page_of_the_menu_is_light(admin, crowded):
    sizes = {path: len(admin.get(f"/admin/{path}").data) for path in LIGHT}

    assert {path: size for path, size in sizes.items() if size >= HEAVY} == {}
