"""ID tokens beside access tokens: at the code, at each refresh, and what else is in them."""

import json

import pytest
from joserfc.jws import extract_compact

from app.domain import profiles, users
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.machines import SCOPES

STAY = f"openid offline_access {SCOPES}"


def said(answer):
    """Return the claims of the ID token of an answer."""
    return json.loads(extract_compact(answer["id_token"].encode()).payload)


def test_a_refresh_tells_again_who_signed_in(clock, person, relying):
    """OpenID Connect Core section 12.2: the same person, issuer, client and moment; no nonce."""
    tokens = person.tokens(relying, scope=STAY, nonce="n")
    clock.advance(60)
    renewed = relying.refresh(tokens["refresh_token"]).get_json()
    before, after = said(tokens), said(renewed)

    assert before.pop("nonce") == "n"
    assert after["at_hash"] != before.pop("at_hash")
    assert after == before | {
        "at_hash": after["at_hash"],
        "iat": clock.now,
        "exp": clock.now + 900,
    }
    narrowed = relying.refresh(renewed["refresh_token"], scope="mcp:read").get_json()
    assert "id_token" not in narrowed


@pytest.mark.parametrize(
    "scope, refreshes",
    [("openid", False), ("openid email", False), (STAY, True), ("mcp:read", True), (None, True)],
)
def test_who_signs_people_in_gets_a_refresh_token_for_a_scope_of_its_own(
    person, relying, scope, refreshes
):
    """N-096: clients that do not ask for openid keep theirs."""
    tokens = person.tokens(relying, scope=scope)

    assert ("refresh_token" in tokens) is refreshes
    assert ("id_token" in tokens) is ("openid" in (scope or ""))


def test_the_consent_says_how_long_the_access_lasts(person, relying):
    """N-096"""
    short, stay = (person.consent_page(relying, scope=scope).text for scope in ("openid", STAY))

    assert ("About 15 minutes" in short, "About 15 minutes" in stay) == (True, False)


def test_claims_come_where_they_were_asked_for(app, client, person, relying):
    """Section 7, claims essential: or not, what is not known is left out."""
    with app.app_context():
        profiles.rename(users.find(person.user_id), "Ada Lovelace", by=SERVER)
        db.session.commit()
    wanted = (
        '{"id_token": {"name": {"essential": true}, "phone_number": {"essential": true}},'
        ' "userinfo": {"email": null, "birthdate": {"value": "x"}}, "other": 1}'
    )
    scope = {"scope": "openid offline_access", "resource": None, "claims": wanted}
    page = person.consent_page(relying, **scope)
    assert "Read your e-mail address" in page.text
    assert "Read your name" in page.text
    tokens = relying.redeem(person.allow(relying, **scope)["code"]).get_json()

    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert said(tokens)["name"] == "Ada Lovelace"
    assert "email" not in said(tokens)
    assert client.get("/userinfo", headers=header).get_json() == {
        "sub": person.user_id,
        "email": person.email,
    }
    renewed = relying.refresh(tokens["refresh_token"]).get_json()
    assert said(renewed)["name"] == "Ada Lovelace"


def test_nobody_is_told_claims_that_the_client_may_not_have(person, register):
    """Single claims are within the ceiling like the scopes that they belong to."""
    client = register(client_name="Modest", scope="openid mcp:read")
    claims = '{"id_token": {"email": {"essential": true}}}'
    page = person.consent_page(client, scope="openid", claims=claims)

    assert "Read your e-mail address" not in page.text
    tokens = person.tokens(client, scope="openid", claims=claims)
    assert "email" not in said(tokens)


def test_without_openid_nothing_is_told_however_it_is_asked(client, person, relying):
    claims = '{"userinfo": {"email": null}}'
    page = person.consent_page(relying, scope="mcp:read", claims=claims)

    assert "Read your e-mail address" not in page.text
