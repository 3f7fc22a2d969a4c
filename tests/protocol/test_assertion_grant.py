"""The JWT bearer grant: an identity provider vouches for people at apps (RFC 7523, ID-JAG)."""

import pytest

from app.domain import (
    clients,
    consents,
    federated_identities,
    grant_types,
    identity_providers,
    software,
    users,
)
from app.domain.audit import SERVER
from app.domain.identity_assertions import (
    AUDIENCE,
    DATES,
    OTHER_CLIENT,
    PROFILE,
    SHAPE,
)
from app.extensions import db
from app.protocol.assertion_grant import UNKNOWN, UNTRUSTED
from tests.conftest import ISSUER as OURS
from tests.protocol import machines
from tests.protocol.assertions import assertion, bring
from tests.protocol.forgeries import forged
from tests.protocol.machines import RESOURCE, assert_refused
from tests.protocol.persons import answer_of
from tests.protocol.proofs import jkt, proving
from tests.protocol.providers import ISSUER, Provider
from tests.protocol.test_hot_path import loaded_objects
from tests.protocol.test_jwt import verified
from tests.protocol.vendors import STRANGER, key_set

INACTIVE = {"active": False}
GRANTS = [grant_types.ASSERTION, "authorization_code", "refresh_token"]
METADATA = "/.well-known/oauth-authorization-server"


@pytest.fixture
def overrides():
    return {"id_jag_enabled": True}


@pytest.fixture
def act(app):
    """Return a function that runs a verb of the domain and commits."""

    def run(verb, *subject, by=SERVER):
        with app.app_context():
            result = verb(*subject, by=by)
            db.session.commit()
            return result

    return run


@pytest.fixture
def provider(app):
    """Return a provider that may vouch for people."""
    return Provider(app).attach(title="Acme staff", vouches=True)


@pytest.fixture
def agent(app, client, provider):
    """Return a client that operators let act on the word of providers."""
    named = {"grant_types": GRANTS, "redirect_uris": [machines.REDIRECT], "client_name": "Agent"}
    return machines.create(app, client, **named)


def link(user_id, subject="pia-there", *, by):
    """Link somebody of the provider to an account."""
    federated_identities.link(
        user_id, issuer=ISSUER, subject=subject, provider="acme", made_account=False, by=by
    )


@pytest.fixture
def pia(act, person):
    """Return somebody whose account here is linked to the one at the provider."""
    act(link, person.user_id)
    return person


def got(response):
    """Return the access token of an answer."""
    assert response.status_code == 200, response.text
    return response.get_json()["access_token"]


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


def test_a_newcomer_gets_an_account_but_no_role_and_nobody_elses_account(
    app, client, agent, person, audited
):
    """The provider may give roles and link addresses; both wait for a sign-in."""
    draft = {"group_roles": "admin: Platform", "links_by_email": True, "vouches": True}
    with app.app_context():
        held = identity_providers.get("acme", {})
        for name, value in draft.items():
            setattr(held.row, name, value)
        db.session.commit()
    theirs = {"email": person.email, "email_verified": True}
    assert_refused(bring(agent, assertion(agent, **theirs)), "invalid_grant")
    new = {"email": "pia@example.org", "name": "Pia P.", "groups": ["Platform"]}
    token = verified(client, got(bring(agent, assertion(agent, **new))))[1]

    with app.app_context():
        user = users.find_by_email("pia@example.org")
        assert (user.id, user.role, user.name) == (token["sub"], "member", "Pia P.")
    assert "auth_time" not in token


def test_a_provider_that_makes_no_accounts_or_wants_another_domain_lets_nobody_in(
    app, agent, pia, audited
):
    for change in ({"makes_accounts": False}, {"allowed_domains": "elsewhere.example"}):
        with app.app_context():
            held = identity_providers.get("acme", {})
            for name, value in change.items():
                setattr(held.row, name, value)
            db.session.commit()
        new = assertion(agent, sub="new-there", email="new@example.org")
        assert_refused(bring(agent, new), "invalid_grant")
    assert audited("user.created")[1:] == []


def test_a_person_who_is_known_is_loaded_as_no_object(agent, pia):
    """House law 10"""
    got(bring(agent, assertion(agent)))

    with loaded_objects() as found:
        got(bring(agent, assertion(agent)))
    assert found == []


def test_one_consent_serves_until_more_is_wanted(agent, pia, audited):
    for scope in ("mcp:read", "mcp:read", "mcp:write", "mcp:read", "mcp:write"):
        got(bring(agent, assertion(agent, scope=scope)))

    assert [event.detail["scopes"] for event in audited("consent.vouched")] == [
        ["mcp:read"],
        ["mcp:read", "mcp:write"],
    ]


def late_consent(user_id, client_id, *, by):
    """Let an assertion be stored that came in the moment in which the person removed the client."""
    about = {"scopes": ["mcp:read"], "resources": [RESOURCE], "session_id": "", "redirect_uri": ""}
    consents.give(user_id=user_id, client_id=client_id, given_by="acme", by=by, **about)


def test_a_person_sees_the_client_removes_it_and_their_word_counts_more(act, agent, pia):
    """A new assertion does not bring back what the person ended; an authorization request does."""
    token = got(bring(agent, assertion(agent)))
    pia.sign_in()
    page = pia.open("/account/")
    assert "Your organisation, by Acme staff" in page.text
    assert "Your organisation let" in pia.open("/account/activity").text

    pia.submit(page, "/account/apps/remove")

    assert agent.introspect(token).get_json() == INACTIVE
    assert_refused(bring(agent, assertion(agent)), "invalid_grant")
    act(late_consent, pia.user_id, agent.client_id)
    assert_refused(bring(agent, assertion(agent)), "invalid_grant")
    assert answer_of(pia.decide(pia.consent_page(agent)))["code"]
    got(bring(agent, assertion(agent)))


def test_what_operators_end_has_ended_and_a_new_assertion_counts_again(
    act, clock, agent, pia, subtests
):
    """Operators have other means for good: the grant of the client, the switch, the account."""

    def found(verb, *more):
        return lambda by: verb(clients.get(agent.client_id), *more, by=by)

    pairs = {
        "tokens revoked": (found(clients.revoke_tokens), None),
        "client suspended": (found(clients.suspend, "x"), found(clients.resume, "x")),
        "person disabled": (
            lambda by: users.disable(users.get(pia.user_id), by=by),
            lambda by: users.enable(users.get(pia.user_id), by=by),
        ),
    }
    for name, (end, undo) in pairs.items():
        with subtests.test(name):
            clock.advance(1)
            token = got(bring(agent, assertion(agent)))
            assert agent.introspect(token).get_json()["active"] is True
            act(end)
            if undo is not None:
                assert bring(agent, assertion(agent)).status_code in (400, 401)
                act(undo)
            assert agent.introspect(token).get_json() == INACTIVE
            clock.advance(1)
            got(bring(agent, assertion(agent)))


def test_software_that_takes_no_newcomers_takes_none_by_assertions(app, act, agent, pia):
    with app.app_context():
        row = software.get(clients.get(agent.client_id).software_id)
        row.closed_at = 1
        clients.generations.bump("clients")
        db.session.commit()

    assert_refused(bring(agent, assertion(agent)), "invalid_grant")


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
