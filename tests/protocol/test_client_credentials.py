from app.domain.users import ROLES
from tests.conftest import ISSUER
from tests.protocol.machines import RESOURCE, SCOPES, assert_refused


def ask(machine, **changes):
    wanted = {"grant_type": "client_credentials", "resource": RESOURCE}
    return machine.post("/token", **(wanted | changes))


def claims_of(machine, token):
    return machine.introspect(token).get_json()


def test_a_confidential_client_gets_a_token_for_itself(confidential):
    """N-100, N-101"""
    response = ask(confidential, scope="mcp:read")

    tokens = response.get_json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert tokens["scope"] == "mcp:read"
    claims = claims_of(confidential, tokens["access_token"])
    assert (claims["sub"], claims["client_id"]) == (confidential.client_id,) * 2
    assert (claims["aud"], claims["active"]) == (RESOURCE, True)


def test_without_a_scope_everything_allowed_is_granted(confidential):
    """N-071: and the answer says so."""
    assert set(ask(confidential).get_json()["scope"].split()) == set(SCOPES.split())


def test_without_a_resource_the_token_is_for_the_default_resource(confidential):
    token = ask(confidential, resource=None).get_json()["access_token"]

    assert claims_of(confidential, token)["aud"] == ISSUER


def test_no_account_can_have_the_subject_of_a_client(confidential, enrol):
    """N-101"""
    people = [enrol(f"{role}@people.example", role) for role in ROLES]

    assert all(person.user_id.startswith("u-") for person in people)
    assert not confidential.client_id.startswith("u-")


# What is wrong, the change to the request, the error code.
REFUSALS = [
    ("N-102 unknown scope", {"scope": "mcp:admin"}, "invalid_scope"),
    ("N-102 one scope too many", {"scope": "mcp:read mcp:admin"}, "invalid_scope"),
    ("N-100 openid", {"scope": "openid"}, "invalid_scope"),
    ("N-100 openid among others", {"scope": "mcp:read openid"}, "invalid_scope"),
    ("offline_access", {"scope": "offline_access"}, "invalid_scope"),
    ("malformed scope", {"scope": 'a"b'}, "invalid_scope"),
    ("too many scopes", {"scope": " ".join(f"s{n}" for n in range(101))}, "invalid_scope"),
    ("unknown resource", {"resource": "https://nowhere.example/"}, "invalid_target"),
    ("resource with a fragment", {"resource": f"{RESOURCE}#a"}, "invalid_target"),
    ("relative resource", {"resource": "/mcp"}, "invalid_target"),
    ("resource that no parser reads", {"resource": "https://[::1"}, "invalid_target"),
    ("resource that is not ASCII", {"resource": "https://\u00e9.example"}, "invalid_target"),
]


def test_what_is_not_allowed_is_refused_and_never_narrowed(confidential, subtests):
    for name, change, error in REFUSALS:
        with subtests.test(name):
            assert_refused(ask(confidential, **change), error)


def test_a_client_that_is_not_registered_for_the_grant_is_refused(public, posting):
    """N-070, N-100"""
    assert_refused(ask(public), "unauthorized_client")
    assert_refused(ask(posting), "unauthorized_client")
