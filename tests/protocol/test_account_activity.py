"""My activity: what somebody did and what happened to their account, in plain sentences."""

import pytest

from app.account.own_activity import SENTENCES
from app.domain import users
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import db
from tests.console.markup import HOSTILE, controls, shape, texts

ACTIVITY = "/account/activity"
OPERATOR = Actor("operator", "u-grace", "grace@people.example", "192.0.2.99", "request-1")


def told(page):
    """Return the sentences on a page, without when and where."""
    lines = page.text.split('<ul class="section discovery">')[1].split("</ul>")[0].split("<li>")[1:]
    return [texts(line.split("</span>\n")[0]) for line in lines]


def test_what_somebody_did_is_told_newest_first(person, public):
    person.tokens(public)
    person.submit(person.open("/account/"), "/account/apps/remove")

    page = person.open(ACTIVITY)

    assert told(page) == [
        "Example Client may not use your account any more.",
        "You let Example Client use your account.",
        "You signed in.",
        "Your account was made. (by the operators of this server)",
    ]
    assert "from 127.0.0.1" in texts(page.text)


def test_what_operators_did_is_told_without_who_and_where_they_were(app, person):
    with app.app_context():
        users.change_role(users.find(person.user_id), "viewer", by=OPERATOR)
        db.session.commit()
    person.sign_in()

    page = person.open(ACTIVITY)

    assert told(page)[1] == "You were given another role. (by the operators of this server)"
    for hidden in (OPERATOR.id, OPERATOR.name, OPERATOR.address):
        assert hidden not in page.text


def test_all_that_happens_to_an_account_has_its_sentence():
    """But which identity was used: that somebody signed in is told beside it."""
    about = {tag for tag in Tag if tag.startswith("user.")}

    assert about - set(SENTENCES) == {Tag.USER_IDENTITY_USED}


def test_nobody_reads_what_another_did_whatever_an_app_calls_itself(enrol, person, register):
    other = enrol("bob@people.example")
    named = register(client_name=person.user_id)
    other.tokens(named)
    other.submit(other.open("/account/"), "/account/apps/remove")
    person.sign_in()

    assert told(person.open(ACTIVITY)) == [
        "You signed in.",
        "Your account was made. (by the operators of this server)",
    ]


def test_the_past_is_walked_by_key(person, monkeypatch):
    monkeypatch.setattr("app.account.own_activity.PAGE_SIZE", 2)
    for _ in range(4):
        person.sign_in(person.open("/login?again=1"))

    found, path = [], ACTIVITY
    while path:
        page = person.open(path)
        found += told(page)
        path = next((link["href"] for link in controls(page.text, "a", rel="next")), None)

    assert len(found) == 5
    assert found[0] == "You signed in."


@pytest.mark.parametrize("key", ["%00", "x", "-1", "9" * 30, "0"])
def test_any_key_in_the_address_shows_a_page(person, key):
    person.sign_in()

    assert person.open(f"{ACTIVITY}?older={key}").status_code == 200


def test_a_hostile_name_adds_no_element_and_no_attribute(app, person, public):
    """C-32, C-33."""
    person.code(public)
    plain = shape(person.open(ACTIVITY).text)

    for name in HOSTILE:
        with app.app_context():
            db.session.execute(db.text("UPDATE software SET name = :name"), {"name": name})
            db.session.commit()
        page = person.open(ACTIVITY).text
        assert shape(page) == plain
        assert name in texts(page)
