"""The first page: numbers that lead to what they count, and what to do on a new server."""

import re

from app.domain import audit, clients, registration_tokens, software
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.domain.decisions import approve
from app.extensions import db
from tests.console.markup import read, texts
from tests.console.matrix import harmful, wrongly_shown

OVERVIEW = "/admin/"


def numbers(page):
    """Return the number and the address behind each label of the page."""
    tile = r'<a class="tile[^"]*" href="([^"]*)"><strong>(\d+)</strong><span>([^<]*)'
    tiles = re.findall(tile, page)
    lines = re.findall(r'<li><a href="([^"]*)">([^<]*)</a><strong[^>]*>(\d+)</strong>', page)
    found = {label: (int(number), url) for url, number, label in tiles}
    found |= {label: (int(number), url) for url, label, number in lines}
    return {label: (number, url.replace("&amp;", "&")) for label, (number, url) in found.items()}


def let_in(app, name):
    """Approve software by its name."""
    with app.app_context():
        for row in software.find_page("pending", size=100):
            if row.name == name:
                approve(row.id, row.revision, by=SERVER, allowed=["openid"])
        db.session.commit()


def test_numbers_count_and_lead_to_what_they_count(viewer, register, app, clock):
    for name in ("One", "Two", "Three"):
        register(client_name=name)
    stopped = register(client_name="Stopped")
    let_in(app, "One")
    let_in(app, "Stopped")
    with app.app_context():
        clients.suspend(clients.get(stopped["client_id"]), "test", by=SERVER)
        registration_tokens.create("used up", by=SERVER, uses=0)
        registration_tokens.create("ends soon", by=SERVER, expires_at=clock.now + 86400)
        registration_tokens.create("ends late", by=SERVER, expires_at=clock.now + 30 * 86400)
        registration_tokens.create("ended", by=SERVER, expires_at=clock.now - 1)
        revoked, _ = registration_tokens.create("revoked", by=SERVER, uses=0)
        registration_tokens.revoke(revoked.id, by=SERVER)
        db.session.commit()

    found = numbers(viewer.get(OVERVIEW).text)

    assert found["waiting for a decision"] == (2, "/admin/registrations/")
    assert found["active clients"] == (1, "/admin/clients/?standing=active")
    assert found["suspended clients"] == (1, "/admin/clients/?standing=suspended")
    assert found["initial access tokens used up or ending within 7 days"] == (
        2,
        "/admin/initial-access-tokens/",
    )
    for _number, url in found.values():
        assert viewer.get(url).status_code == 200


def test_what_was_turned_away_is_counted_by_kind_for_a_day(client, sign_in, clock):
    def refuse():
        answer = client.post("/register", json={"redirect_uris": ["http://a.example/"]})
        assert answer.status_code == 400

    refuse()
    clock.advance(86400 + 60)
    refuse()
    refuse()
    assert client.post("/token", data={"grant_type": "none"}).status_code == 401
    viewer = sign_in("viewer")

    found = numbers(viewer.get(OVERVIEW).text)

    assert found["Registrations refused"][0] == 2
    assert found["Requests refused"][0] == 1
    assert found["Codes replayed"][0] == 0
    listed = viewer.get(found["Registrations refused"][1]).text
    assert listed.count('class="row-link"') == 2


def test_tokens_of_the_last_day_are_counted(viewer, app, clock):
    with app.app_context():
        for tag in (Tag.TOKEN_ISSUED, Tag.TOKEN_ISSUED, Tag.TOKEN_REFRESHED):
            audit.record(tag, "grant", by=SERVER)
        db.session.commit()

    found = numbers(viewer.get(OVERVIEW).text)

    assert (found["Issued"][0], found["Refreshed"][0]) == (2, 1)


def test_what_happened_lately_is_listed_newest_first(viewer, register):
    register(client_name="One")
    register(client_name="Two")

    listed = viewer.get(OVERVIEW).text.partition('class="table events"')[2]

    assert listed.index("Two") < listed.index("One")
    assert listed.count('class="row-link"') <= 10


def test_the_checklist_is_there_until_the_first_token(admin, register, app):
    new = texts(admin.get(OVERVIEW).text)
    register(client_name="One")
    let_in(app, "One")
    half = texts(admin.get(OVERVIEW).text)
    with app.app_context():
        audit.record(Tag.TOKEN_ISSUED, "grant", by=SERVER)
        db.session.commit()
    used = texts(admin.get(OVERVIEW).text)

    assert "0 of 5 done" in new
    assert "2 of 5 done" in half
    assert "First steps" not in used


def test_a_hostile_name_is_text_in_what_happened_lately(viewer, register):
    """X-30, C-32: the overview gets no element or attribute from a stranger."""
    register(client_name="Plain")
    plain = viewer.get(OVERVIEW).text
    name = '<img src=x onerror=alert(1)>" hx-get="/admin" hx-trigger="load'
    register(client_name=name)
    hostile = viewer.get(OVERVIEW).text

    assert elements_with_handlers(hostile) == elements_with_handlers(plain)
    assert name in texts(hostile, squeeze=False)


def elements_with_handlers(page):
    """Return the kinds of elements and attributes of a page."""
    return {(tag, name) for tag, attributes in read(page).elements for name in (*attributes, "")}


def test_the_overview_is_for_operators(client, member):
    """C-40: default deny."""
    assert wrongly_shown(client, member, [OVERVIEW]) == []


def test_reading_the_overview_changes_nothing(viewer, register, app):
    """C-21: no page writes because it was read."""
    register()

    assert harmful(app, viewer, "GET", [OVERVIEW]) == []
