"""UserInfo: who may ask about a person, and what is told (security.md section 2.8)."""

import pytest

from app.domain import contact_details, profiles, users
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.machines import RESOURCE, assert_refused, send

ALL = "openid profile email address phone"
INVALID = 'Bearer realm="gatewright", error="invalid_token"'


@pytest.fixture
def ada(app, person):
    """Return somebody with a name."""
    with app.app_context():
        profiles.rename(users.find(person.user_id), "Ada Lovelace", by=SERVER)
        db.session.commit()
    return person


def token_of(someone, machine, **changes):
    """Return an access token for this server itself."""
    return someone.tokens(machine, **({"resource": None, "scope": ALL} | changes))["access_token"]


def ask(client, token, **options):
    """Ask with a token in the header."""
    return client.get("/userinfo", headers={"Authorization": f"Bearer {token}"}, **options)


def test_each_scope_tells_its_claims_and_nothing_is_made_up(client, ada, relying):
    """Section 7, scopes profile, email, address, phone and all: for who gave neither of these."""
    names = {"name": "Ada Lovelace", "preferred_username": ada.email}
    mail = {"email": ada.email, "email_verified": False}
    told = {
        scope: ask(client, token_of(ada, relying, scope=f"openid {scope}".strip())).get_json()
        for scope in ("", "profile", "email", "address phone", ALL)
    }

    assert {claims.pop("sub") for claims in told.values()} == {ada.user_id}
    assert list(told.values()) == [{}, names, mail, {}, names | mail]


def test_address_and_phone_are_told_to_who_may_read_them(app, client, ada, relying):
    """Section 7, scopes address and phone; OpenID Connect Core sections 5.1 and 5.1.1."""
    told = contact_details.Details("+4930123456", True, "Ada Lovelace\n1 Main Street")
    with app.app_context():
        contact_details.change(ada.user_id, told, by=SERVER)
        db.session.commit()
    postal = {"address": {"formatted": told.address}}
    phone = {"phone_number": told.phone_number, "phone_number_verified": True}
    rows = {"address": postal, "phone": phone, "address phone": postal | phone, "email": {}}

    for scope, claims in rows.items():
        page = ada.consent_page(relying, resource=None, scope=f"openid {scope}", prompt="consent")
        assert ("Read your telephone number" in page.text) is ("phone" in scope)
        assert ("Read your postal address" in page.text) is ("address" in scope)
        said = ask(client, token_of(ada, relying, scope=f"openid {scope}")).get_json()
        names = {"sub", *claims, *(("email", "email_verified") if scope == "email" else ())}
        assert (said.keys(), claims.items() <= said.items()) == (names, True)


def test_somebody_without_a_name_has_no_claim_of_it(client, person, relying):
    assert "name" not in ask(client, token_of(person, relying)).get_json()


def test_the_token_comes_by_header_or_form_and_the_answer_is_not_kept(client, ada, relying):
    """Section 7: GET and POST, header and body; the scheme in any case (N-135)."""
    token = token_of(ada, relying)
    header = {"Authorization": f"bearer {token}"}
    answers = [
        client.get("/userinfo", headers=header),
        client.post("/userinfo", headers=header),
        send(client, "/userinfo", {"access_token": token}),
        send(client, "/userinfo", {"unknown": "x"}, header),
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.get_json()["sub"] for answer in answers} == {ada.user_id}
    for answer in answers:
        assert answer.mimetype == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_without_a_token_nothing_is_said_about_one(client):
    """N-135"""
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "\u00e9"}):
        answer = client.get("/userinfo", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gatewright"'


def test_a_token_that_does_not_count_is_invalid(client, app, ada, relying, confidential, clock):
    """N-074, N-135"""
    tokens = ada.tokens(relying, resource=None, scope=f"{ALL} offline_access")
    good, other = tokens["access_token"], token_of(ada, relying, resource=RESOURCE)
    for wrong in ("", "x", f"{good}A", tokens["id_token"], tokens["refresh_token"], other):
        answer = ask(client, wrong)
        assert_refused(answer, "invalid_token", 401)
        assert answer.headers["WWW-Authenticate"] == INVALID

    assert ask(client, good).status_code == 200
    relying.revoke(good)
    assert_refused(ask(client, good), "invalid_token", 401)
    late = token_of(ada, relying)
    clock.advance(900)
    assert_refused(ask(client, late), "invalid_token", 401)


def test_a_disabled_person_is_not_told_about(client, app, ada, relying):
    token = token_of(ada, relying)
    with app.app_context():
        users.disable(users.find(ada.user_id), by=SERVER)
        db.session.commit()

    assert_refused(ask(client, token), "invalid_token", 401)


def test_a_token_without_the_scope_is_told_which_one_it_lacks(client, ada, relying, confidential):
    """N-135: a client's own token never has it."""
    own = confidential.post("/token", grant_type="client_credentials").get_json()["access_token"]
    for token in (token_of(ada, relying, scope="email mcp:read"), own):
        answer = ask(client, token)
        assert_refused(answer, "insufficient_scope", 403)
        assert 'error="insufficient_scope", scope="openid"' in answer.headers["WWW-Authenticate"]


def test_a_token_comes_once_and_never_in_the_query(client, ada, relying):
    """N-135"""
    token = token_of(ada, relying)
    header = {"Authorization": f"Bearer {token}"}

    assert_refused(client.get(f"/userinfo?access_token={token}"), "invalid_request")
    assert_refused(ask(client, token, query_string={"access_token": token}), "invalid_request")
    twice = send(client, "/userinfo", {"access_token": token}, header)
    assert_refused(twice, "invalid_request")
