"""The JWT bearer grant: an identity provider vouches for people at apps (RFC 7523, ID-JAG)."""

import pytest

from app.domain import grant_types
from app.domain.identity_assertions import (
    AUDIENCE,
    DATES,
    OTHER_CLIENT,
    PROFILE,
    SHAPE,
)
from app.protocol.assertion_grant import UNKNOWN, UNTRUSTED
from tests.conftest import ISSUER as OURS
from tests.protocol import machines
from tests.protocol.assertions import act as act
from tests.protocol.assertions import agent as agent
from tests.protocol.assertions import assertion, bring, got
from tests.protocol.assertions import overrides as overrides
from tests.protocol.assertions import pia as pia
from tests.protocol.assertions import provider as provider
from tests.protocol.forgeries import forged
from tests.protocol.machines import RESOURCE, assert_refused
from tests.protocol.proofs import jkt, proving
from tests.protocol.providers import ISSUER, Provider
from tests.protocol.test_jwt import verified
from tests.protocol.vendors import STRANGER, key_set

METADATA = "/.well-known/oauth-authorization-server"


def test_a_client_gets_a_token_of_the_person_and_nothing_to_stay_with(
    client, clock, agent, pia, audited
):
    response = bring(agent, assertion(agent, auth_time=-60))

    answer = response.get_json()
    token = verified(client, answer.pop("access_token"))[1]
    assert answer == {"token_type": "Bearer", "expires_in": 900, "scope": "mcp:read"}
    assert (token["sub"], token["client_id"], token["aud"], token["scope"]) == (
        pia.user_id,
        agent.client_id,
        RESOURCE,
        "mcp:read",
    )
    assert token["auth_time"] == clock.now - 60
    [given] = audited("consent.vouched")
    assert (given.subject, given.actor_name) == (pia.user_id, "identity provider acme")
    [issued] = audited("token.issued")
    assert issued.actor_id == agent.client_id
    assert (issued.detail["grant_type"], issued.detail["vouched_by"]) == (
        grant_types.ASSERTION,
        "acme",
    )


FAR = 10**9
REFUSED = {
    SHAPE: [
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({"typ": "client-authentication+jwt"}, {}),
        ({"jwk": {}}, {}),
        ({"crit": ["x"]}, {}),
        ({"alg": "HS256"}, {}),
        ({}, {"iss": None}),
        ({}, {"iss": ["x"]}),
        ({}, {"aud": None}),
        ({}, {"client_id": None}),
        ({}, {"sub": None}),
        ({}, {"sub": ""}),
        ({}, {"sub": ["pia-there"]}),
        ({}, {"exp": None}),
        ({}, {"iat": None}),
        ({}, {"jti": None}),
        ({}, {"jti": ["x"]}),
        ({}, {"cnf": {"jkt": "x"}}),
        ({}, {"tenant": "other"}),
        ({}, {"scope": ["mcp:read"]}),
        ({}, {"scope": ""}),
        ({}, {"resource": [{}]}),
        ({}, {"resource": 1}),
    ],
    AUDIENCE: [
        ({}, {"aud": "https://other.example"}),
        ({}, {"aud": f"{OURS}/"}),
        ({}, {"aud": f"{OURS}/token"}),
        ({}, {"aud": [OURS, "https://other.example"]}),
        ({}, {"aud": {}}),
    ],
    OTHER_CLIENT: [({}, {"client_id": "other"})],
    DATES: [
        ({}, {"exp": -61}),
        ({}, {"exp": FAR}),
        ({}, {"exp": "never"}),
        ({}, {"exp": True}),
        ({}, {"iat": -7200}),
        ({}, {"iat": 86400}),
        ({}, {"nbf": 3600}),
    ],
    UNTRUSTED: [
        ({}, {"iss": "https://evil.example"}),
        ({}, {"iss": f"{ISSUER}/"}),
        ({}, {"iss": OURS}),
        ({"kid": "unknown"}, {}),
        ({"alg": "RS256"}, {}),
    ],
    UNKNOWN: [({}, {"sub": "nobody-there"}), ({}, {"sub": "Pia-There"})],
}


def test_an_assertion_that_does_not_hold_is_refused_and_nothing_is_made(
    agent, pia, audited, subtests
):
    """CVE-2026-114618 among them: one that was made for another server."""
    refused = [(sentence, *row) for sentence, rows in REFUSED.items() for row in rows]
    for sentence, header, changes in refused:
        with subtests.test(sentence[:30], header=header, changes=changes):
            answer = bring(agent, assertion(agent, header, **changes))
            assert_refused(answer, "invalid_grant")
            assert answer.get_json()["error_description"] == sentence
    assert_refused(bring(agent, assertion(agent, key=STRANGER)), "invalid_grant")
    for name, text in forged(assertion(agent), key_set("ES256")):
        with subtests.test(name):
            assert_refused(bring(agent, text), "invalid_grant")
    assert_refused(bring(agent, None), "invalid_request")
    assert audited("token.issued") + audited("consent.vouched") == []


BEYOND = [
    ({"resource": "https://unknown.example"}, {}, "invalid_target"),
    ({"resource": "not a resource"}, {}, "invalid_target"),
    ({}, {"resource": OURS}, "invalid_target"),
    ({"resource": None}, {"resource": RESOURCE}, "invalid_target"),
    ({}, {"scope": "mcp:write"}, "invalid_scope"),
    ({"scope": "admin"}, {}, "invalid_scope"),
    ({"scope": "openid offline_access"}, {}, "invalid_scope"),
]


def test_resource_and_scope_stay_within_the_assertion_and_the_ceilings(agent, pia, subtests):
    for said, asked, error in BEYOND:
        with subtests.test(said=said, asked=asked):
            assert_refused(bring(agent, assertion(agent, **said), **asked), error)
    wide = assertion(agent, scope="openid offline_access mcp:read mcp:write admin")
    assert bring(agent, wide).get_json()["scope"] == "mcp:read mcp:write"
    narrow = bring(agent, assertion(agent, scope="mcp:read mcp:write"), scope="mcp:write")
    assert narrow.get_json()["scope"] == "mcp:write"


def test_an_assertion_counts_once(agent, pia):
    text = assertion(agent, jti="once")
    got(bring(agent, text))

    assert_refused(bring(agent, text), "invalid_grant")
    assert_refused(bring(agent, assertion(agent, jti="once")), "invalid_grant")
    got(bring(agent, assertion(agent, jti="twice")))


def test_a_key_that_is_proven_binds_the_token_and_a_used_proof_uses_nothing_up(agent, pia):
    """RFC 9449"""
    used, brought = proving(), assertion(agent)
    assert_refused(bring(agent, "x", headers=used), "invalid_grant")
    got(bring(agent, assertion(agent), headers=used))

    assert_refused(bring(agent, brought, headers=used), "invalid_dpop_proof")

    answer = bring(agent, brought, headers=proving()).get_json()
    shown = agent.introspect(answer["access_token"]).get_json()
    assert (answer["token_type"], shown["cnf"]) == ("DPoP", {"jkt": jkt()})


def test_only_a_client_that_operators_let_may_bring_assertions(
    agent, pia, register, public, confidential, record
):
    asking = register(
        client_name="Asking",
        token_endpoint_auth_method="client_secret_basic",
        grant_types=["authorization_code", grant_types.ASSERTION],
    )

    assert record(asking).grant_types == {"authorization_code"}
    for machine in (asking, public, confidential):
        assert_refused(bring(machine, assertion(machine)), "unauthorized_client")


def test_without_the_switch_the_grant_does_not_exist(app, client, agent, pia):
    settings = app.extensions["gatewright.settings"]
    assert grant_types.ASSERTION in client.get(METADATA).get_json()["grant_types_supported"]
    assert client.get(METADATA).get_json()["authorization_grant_profiles_supported"] == [PROFILE]

    app.extensions["gatewright.settings"] = settings.model_copy(update={"id_jag_enabled": False})

    said = client.get(METADATA).get_json()
    assert grant_types.ASSERTION not in said["grant_types_supported"]
    assert "authorization_grant_profiles_supported" not in said
    assert_refused(bring(agent, assertion(agent)), "unsupported_grant_type")


@pytest.mark.parametrize("changes", [{"vouches": False}, {"enabled": False}])
def test_a_provider_vouches_only_if_operators_say_so(app, client, pia, changes):
    Provider(app).attach(**{"vouches": True} | changes)
    machine = machines.create(app, client, grant_types=[grant_types.ASSERTION])

    assert_refused(bring(machine, assertion(machine)), "invalid_grant")


def test_keys_are_kept_and_a_stranger_makes_nobody_ask(agent, pia, provider, clock):
    """What is fetched for one assertion serves the next; an unknown key asks once in a minute."""
    for _ in range(3):
        got(bring(agent, assertion(agent)))
    assert [url for url, _ in provider.asked].count(f"{ISSUER}/jwks") == 1

    for _ in range(3):
        bring(agent, assertion(agent, {"kid": "unknown"}))
    assert [url for url, _ in provider.asked].count(f"{ISSUER}/jwks") == 1
    clock.advance(61)
    for _ in range(3):
        bring(agent, assertion(agent, {"kid": "unknown"}))
    assert [url for url, _ in provider.asked].count(f"{ISSUER}/jwks") == 2

    before = len(provider.asked)
    bring(agent, assertion(agent, iss="https://evil.example"))
    bring(agent, assertion(agent, aud="https://other.example"))
    assert len(provider.asked) == before


def test_a_provider_that_cannot_be_asked_vouches_for_nobody(agent, pia, provider):
    provider.metadata = {"issuer": "https://evil.example"}

    assert_refused(bring(agent, assertion(agent)), "invalid_grant")
