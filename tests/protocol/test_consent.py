"""The question that is put to a person, and the one answer it takes."""

import pytest

from app.domain import clients
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol.machines import FORM, LOOPBACK, REDIRECT, RESOURCE, SCOPES, form
from tests.protocol.persons import answer_of, find_form


@pytest.fixture
def page(clock, person, public):
    """Return the consent page of a signed-in person."""
    return person.consent_page(public)


def assert_stale(response):
    """Demand that nothing was given: a page of ours and no redirect."""
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "go back to the app and start again" in response.text


def test_the_page_says_who_asks_for_what_and_where_it_leads(page, person):
    """N-042"""
    for words in ("Example Client", "client.example", person.email, RESOURCE, "Notes"):
        assert words in page.text
    for words in ("Read your notes", "Change your notes", "at most 90 days", "Approved"):
        assert words in page.text
    assert 'name="decision" value="deny"' in page.text


def test_a_client_that_nobody_vouches_for_by_name_cannot_write_on_the_page(register, person):
    """X-30"""
    hostile = register(client_name="<b onclick=x>{{7*7}}</b>")
    text = person.consent_page(hostile).text

    assert "<b onclick" not in text
    assert "&lt;b onclick" in text
    assert "{{7*7}}" in text


@pytest.mark.parametrize(
    "redirect_uri,source",
    [
        (REDIRECT, "https://client.example"),
        (LOOPBACK, "http://127.0.0.1:49152"),
        ("http://localhost/cb", "http://localhost"),
        ("http://[::1]:7/cb", "http:"),
        ("com.example.app:/cb", "com.example.app:"),
        ("cursor://anysphere.cursor/cb", "cursor:"),
    ],
)
def test_the_form_may_end_at_the_redirect_uri(register, person, redirect_uri, source):
    """N-043"""
    machine = register(redirect_uris=[redirect_uri])
    policy = person.consent_page(machine).headers["Content-Security-Policy"]

    assert f"form-action 'self' {source};" in policy


def test_allowing_is_recorded(page, person, public, audited):
    answer = answer_of(person.decide(page))

    assert answer["code"].startswith("ac_")
    (given,) = audited("consent.given")
    assert (given.subject, given.client_id) == (person.user_id, public.client_id)
    assert (given.detail["scopes"], given.detail["resources"]) == (SCOPES.split(), [RESOURCE])


def test_denying_tells_the_client(page, person, audited):
    """N-033, N-041"""
    answer = answer_of(person.decide(page, "deny"))

    assert answer.pop("error_description")
    assert answer == {"error": "access_denied", "state": "a state", "iss": ISSUER}
    assert len(audited("consent.denied")) == 1
    assert audited("code.issued") == []


@pytest.mark.parametrize("first", ["allow", "deny"])
def test_an_answer_counts_once(page, person, first):
    """N-041: replayed by the back button or by somebody who recorded the form."""
    answer_of(person.decide(page, first))

    assert_stale(person.decide(page, "allow"))
    assert_stale(person.decide(page, "deny"))


def test_the_page_of_one_browser_cannot_be_answered_in_another(page, person, public, enrol):
    """X-60, N-041: neither by the same person nor by somebody else."""
    stolen = find_form(page, "/consent")
    for other in (person.elsewhere(), enrol("eve@people.example")):
        own = find_form(other.consent_page(public), "/consent")
        fields = own.fields | {"ticket": stolen.fields["ticket"], "decision": "allow"}
        assert_stale(other.http.post(stolen.action, data=form(fields), content_type=FORM))

    assert answer_of(person.decide(page))["code"]


def test_a_ticket_does_not_outlive_the_session_it_was_made_in(page, person, public):
    """X-60: the same person signs in again at the same browser."""
    stolen = find_form(page, "/consent").fields["ticket"]
    again = person.sign_in(person.open(public.asking(prompt="login")))
    fresh = person.open(again.location)

    assert_stale(person.submit(fresh, "/consent", ticket=stolen, decision="allow"))


CHANGES = [
    {"scope": "mcp:read"},
    {"scope": "mcp:write mcp:read"},
    {"state": "other"},
    {"state": None},
    {"resource": None},
    {"code_challenge": "a" * 43},
    {"redirect_uri": None},
    {"nonce": "n"},
    {"unknown": "x"},
]


def test_a_ticket_answers_only_the_request_it_was_shown_for(page, person, public, subtests):
    """N-041: whatever is changed in the address of the form."""
    fields = find_form(page, "/consent").fields | {"decision": "allow"}
    for change in CHANGES:
        with subtests.test(str(change)):
            query = public.asking(**change).partition("?")[2]
            response = person.http.post(f"/consent?{query}", data=form(fields), content_type=FORM)
            assert_stale(response)

    assert answer_of(person.decide(page))["code"]


def test_two_tabs_are_two_questions(person, public):
    """N-041: tickets cannot be swapped, and each is answered for itself."""
    one = person.consent_page(public, state="one")
    two = person.consent_page(public, state="two")
    swapped = find_form(two, "/consent").fields["ticket"]
    assert_stale(person.submit(one, "/consent", ticket=swapped, decision="allow"))

    assert answer_of(person.decide(two, "deny"))["state"] == "two"
    assert answer_of(person.decide(one))["state"] == "one"


GARBAGE = [None, "", ".", "..", "1.a.b", "x.y.z", "\u00e9.\u00e9.\u00e9", "a" * 50_000, "\0"]


def test_a_ticket_of_somebody_elses_making_is_refused(page, person, subtests):
    for ticket in GARBAGE:
        with subtests.test(repr(ticket)[:20]):
            assert_stale(person.decide(page, ticket=ticket))

    assert answer_of(person.decide(page))["code"]


def test_a_question_is_open_for_half_an_hour(page, person, clock):
    for _ in range(2):
        clock.advance(900)
        person.open("/login")
    clock.advance(1)

    assert_stale(person.decide(page))


@pytest.mark.parametrize("decision", [None, "", "ALLOW", "yes", "allow deny"])
def test_only_allow_and_deny_are_answers(page, person, decision):
    """And no other word uses the ticket up."""
    response = person.submit(page, "/consent", decision=decision)
    assert response.status_code == 400
    assert "Location" not in response.headers

    assert answer_of(person.decide(page))["code"]


def test_an_answer_after_signing_out_is_no_answer(page, person):
    person.submit(page, "/logout")
    response = person.decide(page)

    assert response.status_code == 400
    assert "Location" not in response.headers


def test_an_answer_by_get_or_without_the_token_of_the_form_changes_nothing(page, person, audited):
    """X-46"""
    found = find_form(page, "/consent")
    fields = found.fields | {"decision": "allow"}

    assert person.open(f"{found.action}&{form(fields)}").status_code == 405
    assert person.decide(page, csrf_token=None).status_code == 400
    crossed = {"Sec-Fetch-Site": "cross-site"}
    assert person.http.post(found.action, data=fields, headers=crossed).status_code == 403
    assert audited("consent.given") == []


def test_what_was_narrowed_meanwhile_is_asked_again(app, page, person, public):
    """What is given is what was shown, never more and never less."""
    with app.app_context():
        clients.edit(
            clients.get(public.client_id), by=SERVER, scopes=["mcp:read"], redirect_uris=()
        )
        db.session.commit()

    assert_stale(person.decide(page))


def test_a_client_that_was_suspended_meanwhile_gets_nothing(app, page, person, public):
    with app.app_context():
        clients.suspend(clients.get(public.client_id), "", by=SERVER)
        db.session.commit()

    response = person.decide(page)
    assert (response.status_code, response.location) == (400, None)
