"""Sign-in, sign-out and the cookie of a browser."""

import pytest

from app.domain import users
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.machines import FORM, form
from tests.protocol.persons import find_form

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


def test_a_failure_within_a_request_is_said_where_it_was_tried(public, person):
    page = person.open(public.asking())
    failed = person.sign_in(page, password="wrong password")
    again = person.open(failed.location)

    assert "The e-mail address or the password is wrong." in again.text
    assert find_form(again, "/login").fields["username"] == person.email
    assert person.sign_in(again).location.startswith("/authorize?")
