"""What strangers send to the sign-in page (security.md X-46, X-67, X-69, N-046)."""

import sqlalchemy as sa

from app.domain import users
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol.persons import PASSWORD, find_form
from tests.protocol.test_login import is_signed_in

ELSEWHERE = [
    "//attacker.example",
    "///attacker.example",
    "/\\attacker.example",
    "\\\\attacker.example",
    "https://attacker.example/",
    "https:attacker.example",
    "/\t/attacker.example",
    "/\n/attacker.example",
    "\x00//attacker.example",
    " //attacker.example",
    "javascript:alert(1)",
    "attacker.example",
    "/\u00e9",
    "",
]


def test_nobody_is_sent_elsewhere_after_signing_in(enrol, subtests):
    """X-67: neither by the form nor when signed in already."""
    for number, after in enumerate(ELSEWHERE):
        person = enrol(f"p{number}@people.example")
        with subtests.test(repr(after)):
            assert person.sign_in(next=after).location == "/"
            shown = person.open("/login", query_string={"next": after})
            assert (shown.status_code, shown.location) == (303, "/")


def test_a_path_of_this_server_is_where_the_person_goes(person):
    """X-67"""
    page = person.open("/login", query_string={"next": "/%09/x?a=b"})

    assert person.sign_in(page).location == "/%09/x?a=b"


def test_failures_read_alike_whoever_has_an_account(app, person, enrol, client):
    """X-69: wrong, unknown and disabled."""
    locked = enrol("locked@people.example")
    with app.app_context():
        users.disable(users.find(locked.user_id), by=SERVER)
        db.session.commit()
    answers = [
        person.elsewhere().sign_in(username="who@people.example", **change)
        for change in ({"password": "wrong password"}, {})
    ] + [person.elsewhere().sign_in(password="wrong password"), locked.sign_in()]

    texts = {answer.text.replace("who@", "ada@").replace("locked@", "ada@") for answer in answers}
    assert [answer.status_code for answer in answers] == [401] * 4
    assert len({without_tokens(text) for text in texts}) == 1
    assert PASSWORD not in "".join(texts)


def without_tokens(text):
    """Cut out what differs from page to page."""
    kept = text.split('name="csrf_token" value="')
    return kept[0] + "".join(part.partition('"')[2] for part in kept[1:]).partition("Request")[0]


ODD = [
    {"username": "a\0b"},
    {"username": "ada@people.example\0"},
    {"password": "\0"},
    {"password": "a" * 60_000},
    {"username": "a" * 60_000},
    {"username": "\U0001f600" * 255},
    {"username": None},
    {"password": None},
    {"username": "%00\u202e", "password": "\u00e9\U0001f600"},
    {"next": "\0"},
]


def test_odd_input_is_a_failed_sign_in_and_never_a_fault(person, subtests, clock):
    """Promise 5"""
    for change in ODD:
        with subtests.test(str(change)[:60]):
            clock.advance(3601)
            response = person.elsewhere().sign_in(**change)
            assert response.status_code == (303 if "next" in change else 401)


def test_a_form_without_the_token_of_this_session_is_refused(person):
    """X-46"""
    page, other = person.open("/login"), person.elsewhere()
    stolen = find_form(page, "/login").fields["csrf_token"]
    other.open("/login")

    assert person.submit(page, "/login", csrf_token=None).status_code == 400
    for token in (stolen, "x", ""):
        fields = {"csrf_token": token, "username": person.email, "password": PASSWORD}
        assert other.http.post("/login", data=fields).status_code == 400
    assert not is_signed_in(other)


def test_another_site_cannot_make_a_browser_sign_in_or_out(person):
    """X-46, X-66"""
    page = person.open("/login")
    fields = find_form(page, "/login").fields | {"username": person.email, "password": PASSWORD}
    for path in ("/login", "/logout", "/consent", "/waiting/approve"):
        response = person.http.post(path, data=fields, headers={"Sec-Fetch-Site": "cross-site"})
        assert (response.status_code, response.mimetype) == (403, "text/html")
    assert not is_signed_in(person)


def test_a_flood_of_anonymous_requests_leaves_no_rows(app, public, person):
    """N-046"""

    def rows():
        with app.app_context():
            names = sa.inspect(db.engine).get_table_names()
            count = "SELECT count(*) FROM "
            return {name: db.session.scalar(sa.text(count + name)) for name in names}

    before = rows()
    for number in range(50):
        browser = person.elsewhere()
        assert browser.open(public.asking(state=str(number))).status_code == 200

    assert rows() == before


def test_no_password_stands_in_an_address(person, public):
    """X-74"""
    page = person.open(public.asking())
    for response in (person.sign_in(page, password="canary-password"), person.sign_in(page)):
        assert "password" not in response.location
        assert response.location.startswith("/") or response.location.startswith(ISSUER)
