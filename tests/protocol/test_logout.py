"""RP-initiated logout: who is signed out by whom, and where the browser goes (N-203)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from joserfc.jws import extract_compact
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.domain import clients, key_rotation, sessions, signing_keys
from app.domain.audit import SERVER
from app.domain.grants import Grant
from app.domain.sessions import Session
from app.domain.signing_keys import SigningKey
from app.extensions import db
from app.protocol.logout_request import CONTRADICTION, UNREGISTERED
from tests.conftest import Clock
from tests.protocol import devices
from tests.protocol.machines import Machine, form, send
from tests.protocol.persons import Person
from tests.protocol.vendors import KEYS, jws

COOKIE, HOST = "__Host-gatewright", "gatewright.example"
BACK = "https://client.example/bye?from=here"
RETURNED = f"{BACK}&state=a%20state%26"


@pytest.fixture
def leaving(register: Callable[..., Machine]) -> Machine:
    """Return an active client that signs people in, and out."""
    return register(
        client_name="Leaving",
        scope="openid offline_access",
        post_logout_redirect_uris=[BACK, f"{BACK}/other"],
    )


def id_token(person: Person, client: Machine, scope: str = "openid") -> str:
    """Return an ID token that a client gets for somebody, signed in on the way if need be."""
    token: str = person.tokens(client, scope=scope, resource=None)["id_token"]
    return token


def said(token: str) -> dict[str, Any]:
    """Return the claims of an ID token."""
    claims: dict[str, Any] = json.loads(extract_compact(token.encode()).payload)
    return claims


def wish(person: Person, **asked: Any) -> TestResponse:
    """Send a browser with the wish of an app; None leaves a parameter out."""
    return person.open(f"/logout?{form({'state': 'a state&'} | asked)}")


def end_all(person: Person) -> None:
    """End all sessions of a person, as operators do."""
    with person.app.app_context():
        sessions.end_others(person.user_id, None, by=SERVER)
        db.session.commit()


def is_signed_in(person: Person) -> bool:
    """Tell whether the browser of a person is signed in."""
    return person.open("/account/").status_code == 200


def test_an_app_signs_out_by_its_id_token_without_a_question_and_gets_the_browser_back(
    person: Person, leaving: Machine, audited: Callable[..., list[Any]]
) -> None:
    """X-66: the session is gone on the server, and the browser has another cookie."""
    hint = id_token(person, leaving)
    cookie = person.http.get_cookie(COOKIE, HOST).value

    back = wish(person, id_token_hint=hint, post_logout_redirect_uri=BACK)

    assert (back.status_code, back.location) == (303, RETURNED)
    assert person.http.get_cookie(COOKIE, HOST).value != cookie
    person.http.set_cookie(COOKIE, cookie, domain=HOST)
    assert not is_signed_in(person)
    event = audited("user.signed_out")[0]
    assert (event.subject, event.client_id) == (person.user_id, leaving.client_id)
    again = wish(person, id_token_hint=hint, post_logout_redirect_uri=BACK, state=None)
    assert again.location == BACK, "who is signed out already goes on at once"


def test_nothing_but_an_id_token_of_this_session_signs_out_without_a_question(
    subtests: Any,
    app: Flask,
    person: Person,
    approver: Person,
    leaving: Machine,
) -> None:
    """Anybody can send a browser here: the person is asked, and nothing ends before the answer."""
    elsewhere = id_token(person.elsewhere(), leaving)
    left = id_token(person, leaving)
    person.submit(person.open("/"), "/logout")
    own = id_token(person, leaving)
    access = person.tokens(leaving, scope="openid", resource=None)["access_token"]
    head, body, signature = own.split(".")
    hints = {
        "none": None,
        "not a token": "x.y.z",
        "another session of the same person": elsewhere,
        "an earlier session of this browser": left,
        "somebody else": id_token(approver, leaving),
        "an access token": access,
        "a changed claim": f"{head}.{body[:-4]}AAAA.{signature}",
        "without a signature": f"{head}.{body}.",
        "another key": forged(own),
        "another issuer": signed(app, said(own) | {"iss": "https://evil.example"}),
        "a session that never was": signed(app, said(own) | {"sid": "x"}),
        "no session": signed(app, {k: v for k, v in said(own).items() if k != "sid"}),
    }
    assert forged(own).startswith(f"{head}.{body}.")
    for name, hint in hints.items():
        with subtests.test(name):
            page = wish(person, id_token_hint=hint)
            assert (page.status_code, "Sign out?" in page.text) == (200, True)
            assert is_signed_in(person)

    answered = person.submit(wish(person, id_token_hint=elsewhere), "/logout")
    assert "You are signed out" in answered.text
    assert not is_signed_in(person)


def test_a_browser_that_fetches_ahead_signs_nobody_out(person: Person, leaving: Machine) -> None:
    """C-21: nobody has come here yet, so whoever comes is asked."""
    hint = id_token(person, leaving)
    page = f"/logout?id_token_hint={hint}"

    assert person.http.head(page).status_code == 200
    for purpose in ("prefetch", "prefetch;prerender"):
        ahead = person.open(page, headers={"Sec-Purpose": purpose})
        assert "Sign out?" in ahead.text
    assert is_signed_in(person)


def test_an_id_token_counts_when_it_and_its_key_are_long_out_of_use(
    app: Flask, person: Person, leaving: Machine, clock: Clock
) -> None:
    """N-203: expired is allowed, and a key that has left the JWKS is still known to be ours."""
    hint = id_token(person, leaving)
    kid = extract_compact(hint.encode()).headers()["kid"]
    with app.app_context():
        key_rotation.rotate(signing_key(app), by=SERVER, early=True)
        gone = clock.now - signing_keys.KEPT_SECONDS - 1
        db.session.execute(update(SigningKey).where(SigningKey.kid == kid).values(retired_at=gone))
        db.session.commit()
    clock.advance(901)

    assert kid not in person.open("/.well-known/jwks.json").text
    back = wish(person, id_token_hint=hint, post_logout_redirect_uri=BACK)
    assert (back.location, is_signed_in(person)) == (RETURNED, False)


def test_a_compromised_key_vouches_for_nobody(app: Flask, person: Person, leaving: Machine) -> None:
    hint = id_token(person, leaving)
    with app.app_context():
        key_rotation.replace_compromised(signing_key(app), by=SERVER)
        db.session.commit()

    page = wish(person, id_token_hint=hint, post_logout_redirect_uri=BACK)
    assert page.status_code == 400
    assert is_signed_in(person)


def test_a_browser_goes_nowhere_that_the_app_has_not_registered_for_this(
    subtests: Any, app: Flask, person: Person, leaving: Machine, relying: Machine, public: Machine
) -> None:
    """N-203: byte for byte, of this client, and only of one that is known and active."""
    hint, other = id_token(person, leaving), id_token(person, relying)
    with app.app_context():
        clients.suspend(clients.get(public.client_id), "away", by=SERVER)
        db.session.commit()
    proven = {"id_token_hint": hint, "post_logout_redirect_uri": BACK}
    wrong = [
        *(
            proven | {"post_logout_redirect_uri": uri}
            for uri in (
                "https://client.example/bye",
                f"{BACK}#",
                f"{BACK}#x",
                f"{BACK}/",
                f"{BACK}/other/",
                f"{BACK}&state=x",
                BACK.upper(),
                BACK.replace("https", "http"),
                BACK.replace("client.example", "client.example@evil.example"),
                f" {BACK}",
                leaving.redirect_uri,
                "//evil.example/bye",
                "/",
                "javascript:alert(1)",
                "https://evil.example/",
            )
        ),
        {"post_logout_redirect_uri": BACK},
        {"post_logout_redirect_uri": BACK, "id_token_hint": "x.y.z"},
        {"post_logout_redirect_uri": BACK, "client_id": "unknown"},
        {"post_logout_redirect_uri": BACK, "client_id": public.client_id},
        proven | {"id_token_hint": other},
        proven | {"client_id": relying.client_id},
        {"id_token_hint": hint, "client_id": relying.client_id},
    ]
    for asked in wrong:
        with subtests.test(str(asked)[:80]):
            page = wish(person, **asked)
            assert (page.status_code, page.location) == (400, None)
            assert any(fault in page.text for fault in (UNREGISTERED, CONTRADICTION))
            assert is_signed_in(person)

    page = person.submit(wish(person, **wrong[0]), "/logout")
    assert (page.status_code, page.location) == (400, None)
    assert "You are signed out" in page.text
    for asked in wrong:
        page = wish(person, **asked)
        assert (page.status_code, page.location) == (400, None)


def test_an_app_that_only_names_itself_gets_the_browser_back_by_a_click(
    person: Person, leaving: Machine
) -> None:
    """Anybody can name an app: the person presses a button, signed in or not."""
    asked = {"client_id": leaving.client_id, "post_logout_redirect_uri": BACK}
    signed_out = wish(person, **asked)
    assert f'href="{RETURNED.replace("&", "&amp;")}"' in signed_out.text
    person.sign_in()

    page = wish(person, **asked)

    assert "form-action 'self' https://client.example;" in page.headers["Content-Security-Policy"]
    assert is_signed_in(person)
    assert person.submit(page, "/logout").location == RETURNED
    assert not is_signed_in(person)


def test_an_app_posts_its_wish_and_no_other_site_signs_anybody_out(
    person: Person, leaving: Machine
) -> None:
    """X-46, X-66: without the token of our own forms nothing ends by POST."""
    hint = id_token(person, leaving)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for asked in ({}, {"next": "/"}, {"client_id": leaving.client_id}):
        answer = send(person.http, "/logout", asked, foreign)
        assert answer.status_code == 303
        assert "Sign out?" in person.open(answer.location).text
        assert is_signed_in(person)
    wrong = send(person.http, "/logout", {"csrf_token": "x", "id_token_hint": hint}, foreign)
    assert wrong.status_code == 403
    own = send(person.http, "/logout", {"csrf_token": "x"})
    assert own.status_code == 400
    twice = send(person.http, "/logout", {"state": ["a", "b"]}, foreign)
    assert twice.status_code == 400
    assert is_signed_in(person)

    posted = {"id_token_hint": hint, "post_logout_redirect_uri": BACK, "state": "a state&"}
    answer = send(person.http, "/logout", posted, foreign)
    assert is_signed_in(person)
    assert person.open(answer.location).location == RETURNED
    assert not is_signed_in(person)
    long = send(person.http, "/logout", {"logout_hint": "x" * 8000}, foreign)
    assert long.status_code == 400


def test_who_was_signed_out_elsewhere_may_still_press_the_button(person: Person) -> None:
    person.sign_in()
    page = person.open("/")
    end_all(person)

    assert "You are signed out" in person.submit(page, "/logout").text
    without_cookie = send(person.elsewhere().http, "/logout", {"csrf_token": "x"})
    assert without_cookie.headers.getlist("Set-Cookie") == []


def test_a_session_has_one_name_for_each_app_and_keeps_it_while_the_person_stays(
    person: Person, leaving: Machine, relying: Machine
) -> None:
    """The names open nothing, and two apps cannot compare theirs."""
    tokens = person.tokens(leaving, scope="openid offline_access", resource=None)
    first, other = said(tokens["id_token"]), said(id_token(person, relying))
    refreshed = leaving.refresh(tokens["refresh_token"]).get_json()
    person.sign_in(person.open("/login?again=1"))
    again = id_token(person, leaving)

    assert first["sid"] == said(refreshed["id_token"])["sid"] == said(again)["sid"]
    assert first["sid"] != other["sid"]
    with person.app.app_context():
        row = db.session.scalars(select(Session)).one()
        assert first["sid"] not in (row.id, row.cookie_digest)
    assert wish(person, id_token_hint=tokens["id_token"]).status_code == 200
    assert not is_signed_in(person)
    assert said(id_token(person, leaving))["sid"] != first["sid"]


def test_what_signs_a_person_in_ends_with_the_session_and_what_acts_for_them_stays(
    app: Flask, person: Person, leaving: Machine, public: Machine
) -> None:
    """N-096: a grant with offline_access stays, as one that signs nobody in does."""
    kept = [
        person.tokens(leaving, scope="openid offline_access", resource=None),
        person.tokens(public),
    ]
    id_token(person, leaving)
    with app.app_context():
        user_id, session_id = db.session.execute(select(Session.user_id, Session.id)).one()
        sessions.end_one(user_id, session_id, by=SERVER)
        db.session.commit()
        found = db.session.scalars(select(Grant).order_by(Grant.id)).all()
        reasons = [row.revoked_reason for row in found]

    assert reasons == [None, None, "session ended"]
    for machine, tokens in zip((leaving, public), kept, strict=True):
        assert machine.refresh(tokens["refresh_token"]).status_code == 200


def test_a_device_is_not_signed_out_with_the_browser_that_let_it_in(
    person: Person, register: Callable[..., Machine]
) -> None:
    """A television goes on when the telephone is put away, so its ID token has no sid."""
    television = register(**devices.METADATA)
    asked = devices.let_in(person, television, scope="openid")
    tokens = devices.poll(television, asked).get_json()

    assert "sid" not in said(tokens["id_token"])
    person.submit(person.open("/"), "/logout")
    with person.app.app_context():
        assert db.session.scalars(select(Grant.revoked_at)).one() is None


def signing_key(app: Flask) -> bytes:
    """Return the key that seals signing keys."""
    key: bytes = app.extensions["gatewright.keys"]["signing keys"]
    return key


def signed(app: Flask, claims: dict[str, Any]) -> str:
    """Return claims signed by a key of ours, as no endpoint would."""
    with app.app_context():
        keys = signing_keys.load(signing_key(app))
        return signing_keys.sign(keys, "JWT", claims, "RS256")


def forged(token: str) -> str:
    """Return a token of ours, byte for byte, with the signature of somebody else."""
    first, body = (signing_keys.decode(each.encode()) for each in token.split(".")[:2])
    return jws(first, body, KEYS["RS256"], "RS256")
