"""Introspection: who may ask about which token (security.md section 2.8)."""

import pytest

from app.domain import clients, users
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol.forgeries import forged
from tests.protocol.machines import RESOURCE, SCOPES, assert_refused, send

INACTIVE = {"active": False}


@pytest.fixture
def tokens(clock, person, confidential):
    return person.tokens(confidential)


def test_a_resource_server_learns_about_a_token_for_it(
    clock, resource_server, tokens, person, confidential
):
    response = resource_server.introspect(tokens["access_token"])

    answer = response.get_json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert answer.pop("jti")
    assert answer == {
        "active": True,
        "token_type": "Bearer",
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": person.user_id,
        "client_id": confidential.client_id,
        "scope": SCOPES,
        "iat": clock.now,
        "exp": clock.now + 900,
    }


def test_a_client_learns_about_its_own_tokens(clock, confidential, tokens, person):
    """N-122"""
    assert confidential.introspect(tokens["access_token"]).get_json()["active"] is True
    assert confidential.introspect(tokens["refresh_token"]).get_json() == {
        "active": True,
        "client_id": confidential.client_id,
        "sub": person.user_id,
        "scope": SCOPES,
        "exp": clock.now + 30 * 86400,
        "iss": ISSUER,
    }


def test_nobody_else_learns_anything(posting, resource_server, confidential, tokens, person):
    """N-121, N-122: nor does a resource server about tokens of others and refresh tokens."""
    elsewhere = person.tokens(confidential, resource=None)
    for caller, token in (
        (posting, tokens["access_token"]),
        (posting, tokens["refresh_token"]),
        (resource_server, tokens["refresh_token"]),
        (resource_server, elsewhere["access_token"]),
    ):
        response = caller.introspect(token)
        assert (response.status_code, response.get_json()) == (200, INACTIVE)


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "nonsense", "\u00e9"])
def test_a_wrong_hint_still_finds_the_token(confidential, tokens, hint):
    """N-123"""
    for kind in ("access_token", "refresh_token"):
        answer = confidential.introspect(tokens[kind], token_type_hint=hint)
        assert answer.get_json()["active"] is True


def test_what_is_not_a_live_token_is_inactive_and_nothing_more(
    client, confidential, tokens, subtests
):
    """N-073, N-121, promise 5"""
    jwks = client.get("/.well-known/jwks.json").get_json()
    for name, token in forged(tokens["access_token"], jwks):
        with subtests.test(name):
            response = confidential.introspect(token)
            assert (response.status_code, response.get_json()) == (200, INACTIVE)


@pytest.mark.parametrize("seconds,active", [(899, True), (900, False)])
def test_an_expired_access_token_is_inactive(clock, confidential, tokens, seconds, active):
    """N-121"""
    clock.advance(seconds)

    assert confidential.introspect(tokens["access_token"]).get_json()["active"] is active


def test_a_spent_refresh_token_is_inactive(confidential, tokens):
    renewed = confidential.refresh(tokens["refresh_token"]).get_json()

    assert confidential.introspect(tokens["refresh_token"]).get_json() == INACTIVE
    assert confidential.introspect(renewed["refresh_token"]).get_json()["active"] is True


def test_tokens_of_a_disabled_user_are_inactive_at_once(app, resource_server, tokens, person):
    """N-121, X-53"""
    with app.app_context():
        users.disable(users.find(person.user_id), by=SERVER)
        db.session.commit()

    assert resource_server.introspect(tokens["access_token"]).get_json() == INACTIVE


def test_tokens_that_an_operator_revoked_are_inactive_at_once(app, resource_server, tokens, person):
    with app.app_context():
        claims = resource_server.introspect(tokens["access_token"]).get_json()
        clients.revoke_tokens(clients.get(claims["client_id"]), by=SERVER)
        db.session.commit()

    assert resource_server.introspect(tokens["access_token"]).get_json() == INACTIVE


def test_only_an_authenticated_client_may_ask(public, tokens, confidential):
    """N-120"""
    token = {"token": tokens["access_token"]}
    assert_refused(public.introspect(tokens["access_token"]), "invalid_client")
    assert_refused(send(public.http, "/introspect", token), "invalid_client")
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert_refused(send(public.http, "/introspect", token, bearer), "invalid_client")
    assert public.http.get("/introspect", query_string=token).status_code == 405


@pytest.mark.parametrize("token", [None, ""])
def test_a_missing_token_is_refused(confidential, token):
    """N-120"""
    assert_refused(confidential.post("/introspect", token=token), "invalid_request")


LIMITED = {"rate_limit_enabled": True, "introspection_rate_limit": "3 per minute"}


@pytest.mark.parametrize("overrides", [LIMITED])
def test_scanning_is_limited_for_each_caller(clock, confidential, posting, tokens):
    """N-124: and asking about live tokens costs nothing."""
    for _ in range(3):
        assert confidential.introspect("guess").get_json() == INACTIVE
    limited = confidential.introspect("guess")

    assert_refused(limited, "temporarily_unavailable", 429)
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    assert posting.introspect("guess").get_json() == INACTIVE
    assert confidential.introspect(tokens["access_token"]).get_json()["active"] is True
    clock.advance(61)
    assert confidential.introspect("guess").get_json() == INACTIVE
