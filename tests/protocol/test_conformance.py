"""Cases of the public conformance suites that no other file has (security.md section 7).

Where another file has one, the docstring of that test names it.
"""

import json

import pytest
from joserfc.jws import extract_compact

from app.domain import key_rotation
from app.domain.audit import SERVER
from app.domain.client_records import Client
from app.extensions import db
from tests.console.markup import controls, texts
from tests.protocol.forgeries import encode
from tests.protocol.machines import REDIRECT, assert_refused
from tests.protocol.persons import answer_of, find_form
from tests.protocol.registrants import post
from tests.protocol.verifiers import Verifier

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OPENID = {"scope": "openid", "resource": None}
PAGES = {
    "logo_uri": "https://registrant.example/logo.png",
    "policy_uri": "https://registrant.example/policy",
    "tos_uri": "https://registrant.example/terms",
}


@pytest.fixture
def tell(client):
    """Return a function that asks UserInfo with a token."""
    return lambda token: client.get("/userinfo", headers={"Authorization": f"Bearer {token}"})


def auth_time(answer):
    """Return when the person of a token answer signed in."""
    return json.loads(extract_compact(answer["id_token"].encode()).payload)["auth_time"]


@pytest.mark.parametrize("leaves", [False, True])
def test_a_code_used_again_after_thirty_seconds_ends_its_tokens(
    clock, person, relying, tell, leaves
):
    """Section 7, code reuse after 30 seconds; also when the person has signed out meanwhile."""
    code = person.code(relying, **OPENID)
    token = relying.redeem(code).get_json()["access_token"]
    assert tell(token).status_code == 200
    clock.advance(30)
    if leaves:
        person.submit(person.open("/"), "/logout")

    assert_refused(relying.redeem(code), "invalid_grant")
    assert_refused(tell(token), "invalid_token", 401)


@pytest.mark.parametrize("fragment", ["#fragment", "#", "?a=b#c"])
def test_a_redirect_uri_with_a_fragment_is_not_registered(app, client, fragment):
    """Section 7, registration with fragment."""
    refused = post(client, redirect_uris=[REDIRECT, f"{REDIRECT}{fragment}"])

    assert_refused(refused, "invalid_redirect_uri")
    with app.app_context():
        assert db.session.scalars(db.select(Client)).all() == []


def test_prompt_login_asks_somebody_who_is_signed_out_once(person, relying):
    """Section 7, prompt=login logged out."""
    page = person.open(relying.asking(**OPENID, prompt="login"))
    again = person.open(person.sign_in(page).location)

    assert answer_of(person.decide(again))["code"]


def test_an_age_of_one_second_demands_a_new_sign_in(clock, person, relying):
    """Section 7, max_age=1: the ID token tells of the new one."""
    first = auth_time(person.tokens(relying, **OPENID))
    clock.advance(2)
    page = person.open(relying.asking(**OPENID, max_age="1"))
    assert find_form(page, "/login").fields["password"] == ""

    again = person.open(person.sign_in(page).location)
    code = answer_of(person.decide(again))["code"]
    assert auth_time(relying.redeem(code).get_json()) == first + 2


def test_an_age_of_ten_thousand_seconds_is_young_enough(clock, person, relying):
    """Section 7, max_age=10000: the ID token tells of the first sign-in."""
    first = auth_time(person.tokens(relying, **OPENID))
    clock.advance(2)

    code = answer_of(person.open(relying.asking(**OPENID, max_age="10000")))["code"]
    assert auth_time(relying.redeem(code).get_json()) == first


def test_an_unknown_parameter_changes_nothing(person, relying):
    """Section 7, unknown parameter."""
    code = person.code(relying, **OPENID, extra="foobar")

    answer = relying.redeem(code, extra="foobar")
    assert (answer.status_code, answer.get_json()["scope"]) == (200, "openid")


def test_an_unsigned_request_object_is_refused(person, relying):
    """Section 7, request object unsigned: nothing of it is taken."""
    said = json.dumps(relying.wanted(**OPENID, state="another")).encode()
    unsigned = encode(b'{"alg":"none"}') + f".{encode(said)}."
    answer = person.open(relying.asking(**OPENID, request=unsigned))

    assert (answer.status_code, answer.location) == (400, None)
    assert "invalid_request_object" in answer.text


def test_id_tokens_are_verified_while_the_keys_rotate_again_and_again(
    app, client, person, register
):
    """Section 7, key rotation op-initiated: for who fetches again for an unknown key."""
    options = {"scope": "openid offline_access", "id_token_signed_response_alg": "ES256"}
    machine, seen = register(client_name="Rotated", **options), set()
    tokens = person.tokens(machine, scope=options["scope"])
    verifier = Verifier(client, refetches=True)
    for _ in range(4):
        assert verifier.accepts(tokens["id_token"])
        seen.add(extract_compact(tokens["id_token"].encode()).headers()["kid"])
        with app.app_context():
            sealing_key = app.extensions["gatewright.keys"]["signing keys"]
            key_rotation.rotate(sealing_key, by=SERVER, early=True)
            db.session.commit()
        tokens = machine.refresh(tokens["refresh_token"]).get_json()

    assert len(seen) == 4


def test_registered_pages_are_echoed_and_linked_and_nothing_of_them_is_loaded(
    client, person, register
):
    """Section 7, registration with logo, policy and terms; N-197: people's browsers load none.

    X-32: links give nothing away, and lead only where the app is known.
    """
    assert PAGES.items() <= post(client, **PAGES).get_json().items()

    own = {"redirect_uris": ["https://registrant.example/cb"]} | PAGES
    page = person.consent_page(register(client_name="Pictured", **own))
    assert find_form(page, "/consent")
    for name in ("policy_uri", "tos_uri"):
        (link,) = controls(page.text, "a", href=PAGES[name])
        assert (link["target"], link["rel"]) == ("_blank", "noopener noreferrer nofollow")
    assert "at registrant.example , in a new tab" in texts(page.text)
    elsewhere = person.consent_page(register(client_name="Elsewhere", **PAGES))
    assert "registrant.example" not in elsewhere.text
    assert PAGES["logo_uri"] not in page.text
    assert "img-src 'self';" in page.headers["Content-Security-Policy"]
