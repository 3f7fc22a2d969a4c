"""My apps: what each may do in plain words, and that removing one ends all of it at once."""

import pytest

from app.account import pages
from app.domain import allowed_clients
from app.extensions import db
from tests.console.markup import HOSTILE, controls, shape, texts
from tests.protocol.machines import REDIRECT, assert_refused
from tests.protocol.persons import find_form

APPS, REMOVE = "/account/", "/account/apps/remove"


def remove(person, machine):
    """Press the button of one app."""
    form = find_form(person.open(APPS), REMOVE).fields | {"client_id": machine.client_id}
    return person.http.post(REMOVE, data=form)


def names(page):
    """Return what the apps on a page are called."""
    return [texts(part.split("</h2>")[0]) for part in page.text.split('<h2 id="app-')[1:]]


def named(page):
    return [name.partition("> ")[2] for name in names(page)]


def test_who_is_not_signed_in_signs_in_first_and_comes_back(person):
    answer = person.open(APPS)

    assert (answer.status_code, answer.location) == (303, "/login?next=/account/")


def test_an_app_is_shown_in_plain_words_with_where_it_leads(person, public, clock):
    person.tokens(public)
    clock.advance(86400)
    person.sign_in()

    page = person.open(APPS)

    said = texts(page.text)
    for words in (
        "Example Client It may Read your notes Change your notes",
        "At Notes",
        "It sends you to client.example",
        "Since",
        "Last used",
    ):
        assert words in said
    assert "scope" not in said.lower()
    assert "token" not in said.lower()


def test_an_app_is_opened_and_read_about_where_it_is_known(person, register, client):
    """X-32, OpenID Connect Core section 4: with what was approved, not what came later."""
    pages = {"policy_uri": "https://client.example/privacy", "tos_uri": "https://evil.example/"}
    said = {"initiate_login_uri": "https://client.example/begin?a=b"} | pages
    machine = register(**said)
    register(client_name="Another", initiate_login_uri="https://evil.example/begin")
    again = {"initiate_login_uri": "https://client.example/other", "policy_uri": REDIRECT}
    person.tokens(register(**again))

    page = person.open(APPS).text

    (link,) = controls(page, "a", href=pages["policy_uri"])
    assert link["rel"] == "noopener noreferrer nofollow"
    (opened,) = controls(page, "a", **{"aria-label": "Open: Example Client"})
    assert opened["href"] == f"{said['initiate_login_uri']}&iss=https%3A%2F%2Fgatewright.example"
    assert "evil.example" not in page
    assert again["initiate_login_uri"] not in page
    assert machine.redirect_uri == REDIRECT


def test_a_removed_app_holds_nothing_any_more_and_asks_again(person, public, audited):
    tokens, code = person.tokens(public), person.code(public)

    answer = remove(person, public)

    assert (answer.status_code, answer.location) == (303, APPS)
    page = person.open(APPS)
    assert names(page) == []
    assert "The app is removed." in texts(page.text)
    assert_refused(public.refresh(tokens["refresh_token"]), "invalid_grant")
    assert_refused(public.redeem(code), "invalid_grant")
    assert "use your account?" in person.consent_page(public).text
    for tag in ("consent.revoked", "token.revoked"):
        events = audited(tag)
        assert {event.actor_id for event in events} == {person.user_id}
        assert {event.client_id for event in events} == {public.client_id}


def test_removing_one_app_leaves_the_others_and_other_people_alone(
    enrol, person, public, confidential
):
    other = enrol("bob@people.example")
    kept, theirs = person.tokens(confidential), other.tokens(public)
    person.tokens(public)

    remove(person, public)

    assert named(person.open(APPS)) == ["Confidential Client"]
    assert named(other.open(APPS)) == ["Example Client"]
    assert confidential.refresh(kept["refresh_token"]).status_code == 200
    assert public.refresh(theirs["refresh_token"]).status_code == 200


def test_nobody_removes_what_another_allowed(enrol, person, public):
    tokens = person.tokens(public)
    other = enrol("bob@people.example")
    other.sign_in()
    csrf = find_form(other.open(APPS), "/logout").fields["csrf_token"]

    answer = other.http.post(REMOVE, data={"csrf_token": csrf, "client_id": public.client_id})

    assert answer.status_code == 303
    assert public.refresh(tokens["refresh_token"]).status_code == 200


def test_many_apps_are_walked_by_name(person, register, monkeypatch):
    monkeypatch.setattr("app.account.own_apps.PAGE_SIZE", 2)
    for name in ("Delta", "alpha", "Alpha", "charlie", "Bravo"):
        person.code(register(client_name=name))

    found, path = [], APPS
    while path:
        page = person.open(path)
        found.append(named(page))
        path = next((link["href"] for link in controls(page.text, "a", rel="next")), None)

    assert [len(each) for each in found] == [2, 2, 1]
    assert [name.lower() for each in found for name in each] == [
        *("alpha", "alpha", "bravo", "charlie", "delta"),
    ]


def test_an_app_whose_consent_ends_meanwhile_is_left_out(person, public, monkeypatch):
    person.code(public)
    assert named(person.open(APPS)) == ["Example Client"]
    monkeypatch.setattr(allowed_clients, "newest_consents", lambda *_: {})

    page = person.open(APPS)

    assert "No app may act for you." in texts(page.text)


def test_apps_without_a_name_are_walked_too(person, register, monkeypatch):
    monkeypatch.setattr("app.account.own_apps.PAGE_SIZE", 1)
    for name in ("!", None, None):
        person.code(register(client_name=name))

    found, path = [], APPS
    while path:
        page = person.open(path)
        found += names(page)
        path = next((link["href"] for link in controls(page.text, "a", rel="next")), None)

    assert len(set(found)) == 3


@pytest.mark.parametrize("key", ["%00", "x", "a b c", " ", "a" * 9000])
def test_any_key_in_the_address_shows_a_page(person, public, key):
    person.code(public)

    assert person.open(f"{APPS}?after={key}").status_code == 200


def test_a_hostile_name_adds_no_element_and_no_attribute(app, person, public):
    """C-32, C-33."""
    person.code(public)
    plain = shape(person.open(APPS).text)

    for name in HOSTILE:
        with app.app_context():
            db.session.execute(db.text("UPDATE software SET name = :name"), {"name": name})
            db.session.commit()
        page = person.open(APPS).text
        assert shape(page) == plain
        assert name in texts(page)


def test_the_front_door_and_the_connections_lead_to_the_account(person):
    assert 'href="/account/"' not in person.open("/").text
    person.sign_in()

    assert 'href="/account/"' in person.open("/").text
    assert 'href="/account/"' in person.open("/connections/").text
    assert 'href="/connections/"' in person.open(APPS).text
    assert pages.PAGE_SIZE == 25
