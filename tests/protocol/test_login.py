"""Sign-in, sign-out and the cookie of a browser."""

import pytest
import sqlalchemy as sa

from app.domain import users
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol.machines import FORM, form
from tests.protocol.persons import PASSWORD, find_form

COOKIE = "__Host-gatewright"


def cookie(person):
    """Return the value of the browser's cookie."""
    kept = person.http.get_cookie(COOKIE, domain="gatewright.example")
    return None if kept is None else kept.value


def is_signed_in(person):
    """Tell whether the browser's cookie stands for somebody."""
    return person.open("/login").status_code == 303


def with_cookie(person, value):
    """Return another browser of nobody in particular that presents a cookie."""
    other = person.elsewhere()
    other.http.set_cookie(COOKIE, value, domain="gatewright.example", secure=True)
    return other


def test_a_person_signs_in_with_email_and_password(person, audited):
    response = person.sign_in()

    assert (response.status_code, response.location) == (303, "/")
    assert is_signed_in(person)
    assert [event.subject for event in audited("user.signed_in")] == [person.user_id]


@pytest.mark.parametrize("spelling", ["ADA@People.Example", " ada@people.example "])
def test_the_email_has_no_case(person, spelling):
    assert person.sign_in(username=spelling).status_code == 303


def test_the_cookie_is_bound_to_this_host_and_hidden_from_scripts(person):
    """X-68: before and after sign-in."""
    for response in (person.open("/login"), person.sign_in()):
        (header,) = response.headers.getlist("Set-Cookie")
        parts = header.split("; ")
        assert parts[0].startswith(f"{COOKIE}=")
        assert set(parts[1:]) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


@pytest.mark.parametrize("overrides", [{"issuer": "http://127.0.0.1:8000"}])
def test_without_https_the_cookie_has_its_plain_name(client):
    header = client.get("/login", base_url="http://127.0.0.1:8000").headers["Set-Cookie"]

    assert header.startswith("gatewright=")
    assert "Secure" not in header


def test_signing_in_gives_a_new_cookie_and_the_old_one_stays_anonymous(person):
    """X-66: a cookie that somebody planted before sign-in is worth nothing after it."""
    person.open("/login")
    planted = cookie(person)
    person.sign_in()

    assert cookie(person) != planted
    assert not is_signed_in(with_cookie(person, planted))


def test_signing_out_ends_the_session_on_the_server(person):
    """X-66"""
    person.sign_in()
    kept = cookie(person)
    response = person.submit(person.open("/"), "/logout") if has_logout(person) else out(person)

    assert response.status_code == 200
    assert not is_signed_in(person)
    assert not is_signed_in(with_cookie(person, kept))


def has_logout(person):
    return 'action="/logout"' in person.open("/").text


def out(person):
    """Sign out with the CSRF token of another form of this session."""
    token = find_form(person.open("/setup"), "/setup").fields["csrf_token"]
    return person.http.post("/logout", data=form({"csrf_token": token}), content_type=FORM)


def test_signing_in_again_ends_the_session_before(person, public):
    """X-66: as somebody else would, at the same browser."""
    person.sign_in()
    first = cookie(person)
    page = person.open(public.asking(prompt="login"))
    person.sign_in(page)

    assert is_signed_in(person)
    assert not is_signed_in(with_cookie(person, first))


@pytest.mark.parametrize("change", ["disable", "change_role"])
def test_sessions_end_with_the_account_and_with_its_role(app, person, change):
    """X-53, X-66"""
    person.sign_in()
    with app.app_context():
        user = users.find(person.user_id)
        if change == "disable":
            users.disable(user, by=SERVER)
        else:
            users.change_role(user, "viewer", by=SERVER)
        db.session.commit()

    assert not is_signed_in(person)


@pytest.mark.parametrize("seconds,alive", [(1799, True), (1800, False)])
def test_an_unused_session_ends(person, clock, seconds, alive):
    person.sign_in()
    clock.advance(seconds)

    assert is_signed_in(person) is alive


def test_a_session_ends_after_twelve_hours_of_use(person, clock):
    person.sign_in()
    for _ in range(11):
        for _ in range(3):
            clock.advance(1200)
            assert is_signed_in(person)
    clock.advance(1200)
    assert is_signed_in(person)
    clock.advance(1200)
    assert is_signed_in(person)
    clock.advance(1200)

    assert not is_signed_in(person)


FORGED = [
    "s_",
    "s_" + "a" * 43,
    "eyJ1c2VyX2lkIjoidS0xIn0.aaaa.bbbb",
    "\u00e9",
    "a" * 4000,
    "..",
    "",
]


def test_a_forged_cookie_is_nobody(person, subtests):
    """X-68"""
    for value in FORGED:
        with subtests.test(value[:20]):
            assert with_cookie(person, value).open("/login").status_code == 200


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


def test_a_failure_within_a_request_is_said_where_it_was_tried(public, person):
    page = person.open(public.asking())
    failed = person.sign_in(page, password="wrong password")
    again = person.open(failed.location)

    assert "The e-mail address or the password is wrong." in again.text
    assert find_form(again, "/login").fields["username"] == person.email
    assert person.sign_in(again).location.startswith("/authorize?")


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
