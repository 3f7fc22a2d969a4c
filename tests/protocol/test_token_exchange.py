"""Token exchange: what a resource gets for a token that a person gave for it (RFC 8693)."""

from dataclasses import replace

import pytest

from app.domain import allowed_clients, clients, grant_types, grants, resources, users
from app.domain.audit import SERVER
from app.domain.tokens import TYPE_URN
from app.extensions import db
from app.protocol.token_exchange import TYPES
from tests.protocol import machines
from tests.protocol.forgeries import forged
from tests.protocol.machines import RESOURCE, SCOPES, assert_refused
from tests.protocol.test_hot_path import loaded_objects
from tests.protocol.test_jwt import verified

BEHIND, FARTHER = "https://behind.example/mcp", "https://farther.example/mcp"
GRANTS = [grant_types.EXCHANGE, grant_types.CLIENT]
JWT = TYPES[1]
INACTIVE = {"active": False}


@pytest.fixture
def act(app):
    """Return a function that runs a verb of the domain and commits."""

    def run(verb, *subject, **more):
        with app.app_context():
            verb(*subject, by=SERVER, **more)
            db.session.commit()

    return run


@pytest.fixture
def behind(app, client, act):
    """Return the service behind the resource, which itself may exchange one step farther."""
    act(resources.create, BEHIND, "Behind", ["mcp:read"])
    act(resources.create, FARTHER, "Farther", SCOPES.split())
    named = {"introspects": (BEHIND,), "resources": (BEHIND, FARTHER)}
    return machines.create(app, client, client_name="Behind", grant_types=GRANTS, **named)


@pytest.fixture
def middle(app, client, behind):
    """Return the client that stands for the resource and may call the service behind it."""
    named = {"introspects": (RESOURCE,), "resources": (RESOURCE, BEHIND)}
    return machines.create(app, client, client_name="Middle", grant_types=GRANTS, **named)


@pytest.fixture
def token(confidential, person):
    """Return the access token that a person gave to an app for the resource."""
    return person.tokens(confidential)["access_token"]


def exchange(machine, token, **changes):
    """Exchange a token for one for the service behind."""
    wanted = {
        "grant_type": grant_types.EXCHANGE,
        "subject_token": token,
        "subject_token_type": TYPE_URN,
        "resource": BEHIND,
    }
    return machine.post("/token", **wanted | changes)


def got(response):
    """Return the access token of an answer."""
    assert response.status_code == 200, response.text
    return response.get_json()["access_token"]


def own(machine, **changes):
    """Return a token that a client got for itself."""
    return got(machine.post("/token", grant_type=grant_types.CLIENT, **changes))


def test_the_new_token_names_the_person_and_who_acts_and_ends_with_the_old_one(
    client, clock, middle, confidential, person, token, audited
):
    clock.advance(300)
    response = exchange(middle, token, requested_token_type=JWT)

    answer = response.get_json()
    new = verified(client, answer.pop("access_token"))[1]
    old = verified(client, token)[1]
    assert answer == {
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "mcp:read",
        "issued_token_type": TYPE_URN,
    }
    assert new.pop("jti") != old["jti"]
    assert new.pop("derived_from") == [old.pop("jti")]
    assert new == old | {
        "client_id": middle.client_id,
        "aud": BEHIND,
        "scope": "mcp:read",
        "iat": clock.now,
        "act": {"sub": middle.client_id},
    }
    [event] = audited("token.exchanged")
    assert (event.actor_id, event.subject) == (middle.client_id, old["grant_id"])
    assert event.detail["resources"] == [BEHIND]


def test_an_exchange_loads_no_object(middle, token):
    """House law 10"""
    got(exchange(middle, token))

    with loaded_objects() as found:
        middle.introspect(got(exchange(middle, token)))
    assert found == []


def test_introspection_shows_the_whole_way_that_a_token_came(middle, behind, person, token):
    first = got(exchange(middle, token))
    second = got(exchange(behind, first, resource=FARTHER))

    way = {"sub": behind.client_id, "act": {"sub": middle.client_id}}
    seen = behind.introspect(second).get_json()
    assert (seen["active"], seen["sub"], seen["act"]) == (True, person.user_id, way)
    assert behind.introspect(first).get_json()["act"] == way["act"]


def test_a_pairwise_subject_is_passed_on_as_it_is(
    client, register, middle, behind, person, resource_server
):
    """N-204: nobody on the way learns by which ``sub`` other apps know the person."""
    tokens = person.tokens(register(client_name="Apart", subject_type="pairwise"))
    known = resource_server.introspect(tokens["access_token"]).get_json()["sub"]
    assert known != person.user_id

    first = got(exchange(middle, tokens["access_token"]))
    second = got(exchange(behind, first, resource=FARTHER))

    assert [verified(client, each)[1]["sub"] for each in (first, second)] == [known, known]


def test_a_token_is_passed_on_four_times_at_most(middle, token):
    for _ in range(4):
        token = got(exchange(middle, token, resource=RESOURCE))

    assert_refused(exchange(middle, token, resource=RESOURCE), "invalid_request")


def test_the_client_may_prove_itself_by_a_token_of_its_own_as_well(client, middle, token):
    proof = {"actor_token": own(middle, resource=RESOURCE), "actor_token_type": TYPE_URN}

    new = verified(client, got(exchange(middle, token, **proof)))[1]
    assert new["act"] == {"sub": middle.client_id}


REFUSED = [
    ("no subject", {"subject_token": None}, "invalid_request"),
    ("no type", {"subject_token_type": None}, "invalid_request"),
    (
        "an ID token",
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        "invalid_request",
    ),
    ("another type", {"subject_token_type": "access_token"}, "invalid_request"),
    (
        "a refresh token wanted",
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        "invalid_request",
    ),
    ("an actor without type", {"actor_token": "x"}, "invalid_request"),
    ("a type without actor", {"actor_token_type": TYPE_URN}, "invalid_request"),
    ("no actor", {"actor_token": "x", "actor_token_type": TYPE_URN}, "invalid_request"),
    ("an audience", {"audience": "behind"}, "invalid_target"),
    ("a resource of others", {"resource": FARTHER}, "invalid_target"),
    ("two, one of others", {"resource": [BEHIND, FARTHER]}, "invalid_target"),
    ("an unknown resource", {"resource": "https://unknown.example"}, "invalid_target"),
    ("more than was given", {"scope": "mcp:read admin"}, "invalid_scope"),
    ("nothing the resource takes", {"scope": "mcp:write"}, "invalid_scope"),
    ("who the person is", {"scope": "openid"}, "invalid_scope"),
    ("staying", {"scope": "offline_access"}, "invalid_scope"),
]


def test_what_is_not_in_order_is_refused_by_the_error_of_the_standard(middle, token, subtests):
    for name, changes, error in REFUSED:
        with subtests.test(name):
            assert_refused(exchange(middle, token, **changes), error)


def test_only_a_living_token_that_a_person_gave_for_the_own_resource_is_taken(
    app, client, confidential, middle, behind, relying, person, token, subtests
):
    """A confused deputy would pass on what was never meant for it."""
    identified = person.tokens(relying, scope=f"openid {SCOPES}", resource=None)
    subjects = {
        "for this server": person.tokens(confidential, resource=None)["access_token"],
        "a refresh token": person.tokens(confidential)["refresh_token"],
        "an ID token": identified["id_token"],
        "of a client for itself": own(confidential, resource=RESOURCE),
        "its own": own(middle, resource=RESOURCE),
    }
    for name, subject in subjects.items():
        with subtests.test(name):
            assert_refused(exchange(middle, subject), "invalid_request")
    with subtests.test("for another resource"):
        assert_refused(exchange(behind, token), "invalid_request")
    with subtests.test("an actor that is a person"):
        proof = {"actor_token": token, "actor_token_type": TYPE_URN}
        assert_refused(exchange(middle, token, **proof), "invalid_request")
    with subtests.test("an actor that is another client"):
        proof = {"actor_token": own(behind, resource=BEHIND), "actor_token_type": JWT}
        assert_refused(exchange(middle, token, **proof), "invalid_request")
    for name, subject in forged(token, client.get("/.well-known/jwks.json").get_json()):
        with subtests.test(name):
            assert_refused(exchange(middle, subject), "invalid_request")


def test_only_a_client_that_operators_let_may_exchange(
    app, client, register, public, middle, resource_server, token, record
):
    """Whoever registers itself for the grant does not get it, and nobody without a proof."""
    asking = register(
        client_name="Asking",
        token_endpoint_auth_method="client_secret_basic",
        grant_types=["authorization_code", grant_types.EXCHANGE],
    )
    assert record(asking).grant_types == {"authorization_code"}
    for machine in (asking, public, resource_server):
        assert_refused(exchange(machine, token), "unauthorized_client")
    assert_refused(exchange(replace(middle, secret="wrong"), token), "invalid_client")
    assert_refused(exchange(replace(middle, method="none"), token), "invalid_client")


def test_without_named_resources_a_client_reaches_what_the_person_allowed(
    app, client, middle, token
):
    free = machines.create(app, client, grant_types=GRANTS, introspects=(RESOURCE,))

    assert_refused(exchange(free, token), "invalid_target")
    narrower = exchange(free, token, resource=None, scope="mcp:read")
    assert verified(client, got(narrower))[1]["aud"] == RESOURCE
    assert narrower.get_json()["scope"] == "mcp:read"


def stopped(machine, verb=clients.suspend):
    """Return a verb that stops a client, or lets it go on."""
    return lambda by: verb(clients.get(machine.client_id), "a reason", by=by)


def test_what_was_exchanged_ends_with_what_it_came_from(
    act, clock, confidential, middle, behind, person, subtests
):
    """X-53"""
    app_id, person_id = confidential.client_id, person.user_id
    endings = {
        "the app ends its grant": lambda by: grants.revoke_of_client(app_id, "revoked", by=by),
        "the person removes it": lambda by: allowed_clients.end(person_id, app_id, by=by),
        "operators end its tokens": lambda by: clients.revoke_tokens(clients.get(app_id), by=by),
        "who passed it on is stopped": stopped(middle),
        "and goes on": stopped(middle, clients.resume),
        "the app is stopped": stopped(confidential),
        "and lives again": stopped(confidential, clients.resume),
        "the person is disabled": lambda by: users.disable(users.get(person_id), by=by),
    }
    for name, verb in endings.items():
        clock.advance(1)  # tokens of the second in which others were ended are dead with them
        if name.startswith("and "):
            act(verb)
            continue
        with subtests.test(name):
            first = got(exchange(middle, person.tokens(confidential)["access_token"]))
            second = got(exchange(behind, first, resource=FARTHER))
            assert behind.introspect(second).get_json()["active"] is True

            act(verb)

            assert behind.introspect(first).get_json() == INACTIVE
            assert behind.introspect(second).get_json() == INACTIVE
            assert_refused(exchange(behind, first), "invalid_request")


def test_a_token_that_is_ended_on_its_own_takes_what_came_of_it_along(
    confidential, middle, behind, token
):
    """RFC 7009 section 2: whoever a token was issued to ends it, and nobody else's."""
    for owner, ended in ((middle, 1), (confidential, 0)):
        way = [token, got(exchange(middle, token))]
        way.append(got(exchange(behind, way[1], resource=FARTHER)))
        assert behind.introspect(way[2]).get_json()["active"] is True
        assert_refused(behind.revoke(way[ended]), "invalid_grant")

        assert owner.revoke(way[ended]).status_code == 200

        assert behind.introspect(way[2]).get_json() == INACTIVE
        assert_refused(exchange(behind, way[1], resource=FARTHER), "invalid_request")
        assert confidential.introspect(token).get_json()["active"] is bool(ended)
