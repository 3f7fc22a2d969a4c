import pytest

from app.domain import clients
from app.domain.audit import SERVER
from app.domain.client_records import Client
from app.extensions import db
from tests.protocol.machines import RESOURCE, SCOPES, assert_refused, send

DAY = 86400


@pytest.fixture
def tokens(clock, public, person):
    return person.tokens(public)


def active(machine, token):
    return machine.introspect(token).get_json()["active"]


def test_a_refresh_rotates_the_token(public, tokens):
    """N-090"""
    response = public.refresh(tokens["refresh_token"])

    renewed = response.get_json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert renewed.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert renewed["scope"] == SCOPES
    assert renewed["refresh_token"].startswith("rt_")
    assert not {renewed["refresh_token"], renewed["access_token"]} & set(tokens.values())


# What is wrong, the change to the refresh request, the error code.
REFUSED_REFRESHES = [
    ("token is missing", {"refresh_token": None}, "invalid_request"),
    ("token is unknown", {"refresh_token": "rt_" + "a" * 43}, "invalid_grant"),
    ("token is enormous", {"refresh_token": "rt_" + "a" * 50_000}, "invalid_grant"),
    ("N-093 wider scope", {"scope": f"{SCOPES} openid"}, "invalid_scope"),
    ("N-093 unknown scope", {"scope": "mcp:admin"}, "invalid_scope"),
    ("N-093 malformed scope", {"scope": 'mcp:"'}, "invalid_scope"),
    ("N-093 scope of two spaces", {"scope": "mcp:read  mcp:write"}, "invalid_scope"),
    ("unknown resource", {"resource": "https://nowhere.example"}, "invalid_target"),
    ("resource of this server", {"resource": "https://gatewright.example"}, "invalid_target"),
]


def test_a_refused_refresh_does_not_spend_the_token(public, tokens, subtests):
    for name, change, error in REFUSED_REFRESHES:
        with subtests.test(name):
            assert_refused(public.refresh(tokens["refresh_token"], **change), error)

    assert public.refresh(tokens["refresh_token"]).status_code == 200


def test_only_the_whole_refresh_token_counts(public, tokens, subtests):
    """N-073"""
    token = tokens["refresh_token"]
    for changed in (token[:-1], token + "a", token.swapcase(), token + " ", token[3:]):
        with subtests.test(changed):
            assert_refused(public.refresh(changed), "invalid_grant")

    assert public.refresh(token).status_code == 200


def test_a_narrower_scope_narrows_only_the_access_token(public, tokens):
    """N-093"""
    narrow = public.refresh(tokens["refresh_token"], scope="mcp:read").get_json()
    assert narrow["scope"] == "mcp:read"

    assert public.refresh(narrow["refresh_token"]).get_json()["scope"] == SCOPES


def test_the_granted_resource_may_be_named_again(public, tokens):
    assert public.refresh(tokens["refresh_token"], resource=RESOURCE).status_code == 200


def test_a_replay_within_the_grace_gets_the_same_successor(public, tokens, clock):
    """N-092 as product.md settles it"""
    first = public.refresh(tokens["refresh_token"]).get_json()
    clock.advance(9)
    again = public.refresh(tokens["refresh_token"]).get_json()

    assert again["refresh_token"] == first["refresh_token"]
    assert again["access_token"] != first["access_token"]
    assert public.refresh(first["refresh_token"]).status_code == 200


def test_a_replay_after_the_grace_ends_the_family(confidential, person, clock, audited):
    """N-091"""
    tokens = person.tokens(confidential)
    renewed = confidential.refresh(tokens["refresh_token"]).get_json()
    clock.advance(10)
    assert active(confidential, renewed["refresh_token"])

    assert_refused(confidential.refresh(tokens["refresh_token"]), "invalid_grant")

    assert_refused(confidential.refresh(renewed["refresh_token"]), "invalid_grant")
    for token in (tokens["access_token"], renewed["access_token"], renewed["refresh_token"]):
        assert not active(confidential, token)
    assert len(audited("token.replayed")) == 1


@pytest.mark.parametrize("overrides", [{"refresh_grace_seconds": 0}])
def test_without_a_grace_the_first_replay_ends_the_family(public, tokens):
    """N-091, N-092"""
    renewed = public.refresh(tokens["refresh_token"]).get_json()
    assert_refused(public.refresh(tokens["refresh_token"]), "invalid_grant")

    assert_refused(public.refresh(renewed["refresh_token"]), "invalid_grant")


@pytest.mark.parametrize("overrides", [{"refresh_grace_seconds": 0}])
def test_a_replay_by_an_earlier_clock_finds_no_grace_either(public, tokens, clock):
    """N-091: it read its clock, waited for the winner's lock, and the second changed."""
    renewed = public.refresh(tokens["refresh_token"]).get_json()
    clock.advance(-1)

    assert_refused(public.refresh(tokens["refresh_token"]), "invalid_grant")
    assert_refused(public.refresh(renewed["refresh_token"]), "invalid_grant")


def test_a_revocation_leaves_no_grace(public, tokens):
    """N-092, N-098"""
    renewed = public.refresh(tokens["refresh_token"]).get_json()
    assert public.revoke(renewed["refresh_token"]).status_code == 200

    assert_refused(public.refresh(tokens["refresh_token"]), "invalid_grant")
    assert_refused(public.refresh(renewed["refresh_token"]), "invalid_grant")


def test_another_client_cannot_refresh_and_ends_nothing(public, posting, tokens, clock):
    """N-094, X-52; section 7, refresh by other client: not even a replay is the thief's to make."""
    renewed = public.refresh(tokens["refresh_token"]).get_json()
    clock.advance(11)
    assert_refused(posting.refresh(tokens["refresh_token"]), "invalid_grant")
    assert_refused(posting.refresh(renewed["refresh_token"]), "invalid_grant")

    assert public.refresh(renewed["refresh_token"]).status_code == 200


def test_a_refresh_without_authentication_fails(confidential, person):
    """N-095, N-062"""
    token = person.tokens(confidential)["refresh_token"]
    bare = {"grant_type": "refresh_token", "refresh_token": token}
    for change in ({}, {"client_id": confidential.client_id}):
        assert_refused(send(confidential.http, "/token", bare | change), "invalid_client")

    assert confidential.refresh(token).status_code == 200


@pytest.mark.parametrize("seconds,status", [(30 * DAY - 1, 200), (30 * DAY, 400)])
def test_an_unused_refresh_token_dies_after_thirty_days(public, tokens, clock, seconds, status):
    """N-096"""
    clock.advance(seconds)

    assert public.refresh(tokens["refresh_token"]).status_code == status


def test_a_grant_ends_after_ninety_days_however_often_it_is_used(confidential, person, clock):
    """N-096"""
    tokens = person.tokens(confidential)
    for _ in range(3):
        clock.advance(29 * DAY)
        tokens = confidential.refresh(tokens["refresh_token"]).get_json()
    clock.advance(3 * DAY - 1)
    assert active(confidential, tokens["refresh_token"])
    clock.advance(1)

    assert not active(confidential, tokens["refresh_token"])
    assert_refused(confidential.refresh(tokens["refresh_token"]), "invalid_grant")


def test_a_client_that_dropped_the_grant_cannot_refresh(app, public, tokens):
    """N-070"""
    with app.app_context():
        client = db.session.get(Client, public.client_id)
        client.client_metadata = client.client_metadata | {"grant_types": ["authorization_code"]}
        clients.edit(client, by=SERVER, scopes=None, redirect_uris=())
        db.session.commit()

    assert_refused(public.refresh(tokens["refresh_token"]), "unauthorized_client")


def test_a_client_without_the_refresh_grant_gets_no_refresh_token(register, person):
    once = register(client_name="Once", grant_types=["authorization_code"])

    assert "refresh_token" not in person.tokens(once)
