"""`gatewright client create`: active at once, and only what the catalogue has."""

import json

import pytest

from app.domain import grant_types
from tests.cli.conftest import ON_ONE_DATABASE
from tests.protocol.vendors import key_set

pytestmark = pytest.mark.usefixtures("catalogue")

RESOURCE = "https://api.example/mcp"
MACHINE = ("client", "create", "--name", "Robot", "--grant", "client_credentials")
PERSON = ("client", "create", "--name", "App", "--redirect-uri", "https://app.example/cb")


def token(client, created, **parameters):
    """Ask for a token with client_credentials."""
    return client.post(
        "/token",
        data={"grant_type": "client_credentials", **parameters},
        auth=(created["client_id"], created["client_secret"]),
    )


def test_a_client_by_hand_gets_a_token_at_once(said, client):
    created = said(*MACHINE, "--scope", "tool:read tool:write", "--resource", RESOURCE)

    answer = token(client, created, scope="tool:read", resource=RESOURCE)

    assert created["client_secret_expires_at"] == 0
    assert created["scope"] == "tool:read tool:write"
    assert answer.status_code == 200
    assert answer.json["scope"] == "tool:read"


def test_a_client_cannot_go_beyond_the_scopes_and_resources_it_was_created_with(said, client):
    said("resource", "create", "https://other.example", "--name", "Other", "--scope", "tool:read")
    created = said(*MACHINE, "--scope", "tool:read", "--resource", RESOURCE)

    assert token(client, created, scope="tool:write", resource=RESOURCE).json["error"] == (
        "invalid_scope"
    )
    assert token(client, created, resource="https://other.example").json["error"] == (
        "invalid_target"
    )


def test_a_client_by_hand_may_have_pairwise_subjects_where_it_has_a_sector(said, refusal):
    """N-164, N-204"""
    pairwise = ("--subject-type", "pairwise")
    assert said(*PERSON, *pairwise)["subject_type"] == "pairwise"

    device = ("--redirect-uri", "http://127.0.0.1/cb")
    inside = ("--sector-identifier-uri", "https://10.0.0.1/sector.json")
    assert refusal(*PERSON, *pairwise, *device) == "invalid_client_metadata"
    assert refusal(*PERSON, *inside) == "invalid_client_metadata"


def test_a_client_by_hand_may_have_codes_and_the_device_grant(said):
    """Unlike one that registers itself; and people sign in with either."""
    kept = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]
    grants = [word for grant in kept for word in ("--grant", grant)]
    created = said(*PERSON, *grants, "--scope", "openid")
    alone = said("client", "create", "--name", "TV", *grants[2:], "--scope", "openid")

    assert created["grant_types"] == kept
    assert (created["scope"], alone["scope"]) == ("openid", "openid")


def test_only_a_client_that_proves_itself_may_act_for_people_unasked(said, refusal):
    """And it gets no scope that nobody has named."""
    grants = [word for grant in grant_types.BY_HAND for word in ("--grant", grant)]
    created = said("client", "create", "--name", "Agent", *grants, "--scope", "tool:read")
    public = refusal("client", "create", "--name", "Agent", *grants, "--auth-method", "none")

    assert created["grant_types"] == [*grant_types.BY_HAND]
    assert created["scope"] == "tool:read"
    assert public == "invalid_client_metadata"


def test_a_client_of_people_gets_its_grants_and_no_registration_access_token(said):
    created = said(*PERSON, "--auth-method", "none")

    assert created["grant_types"] == ["authorization_code", "refresh_token"]
    assert created["redirect_uris"] == ["https://app.example/cb"]
    assert not created.keys() & {
        "client_secret",
        "registration_access_token",
        "registration_client_uri",
    }


def test_a_client_that_signs_has_keys_and_no_secret(said, run, tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set("ES256")))
    signing = (*MACHINE, "--auth-method", "private_key_jwt")

    assert run(*signing).exit_code != 0
    by_value, by_uri = (
        said(*signing, "--jwks", str(file)),
        said(*signing, "--jwks-uri", "https://robot.example/jwks.json"),
    )

    assert by_value["jwks"] == key_set("ES256")
    assert by_uri["jwks_uri"] == "https://robot.example/jwks.json"
    assert "client_secret" not in by_value | by_uri


def test_repeated_options_and_several_scopes_in_one_are_all_taken(said):
    created = said(
        *(*PERSON, "--redirect-uri", "http://127.0.0.1/cb"),
        *("--grant", "authorization_code", "--grant", "refresh_token"),
        *("--scope", "tool:read tool:write", "--scope", "openid"),
    )

    assert created["redirect_uris"] == ["https://app.example/cb", "http://127.0.0.1/cb"]
    assert created["scope"].split() == ["tool:read", "tool:write", "openid"]


def test_without_scope_a_machine_gets_none_and_people_the_defaults(said):
    machine, person = said(*MACHINE), said(*PERSON)

    assert "scope" not in machine
    assert person["scope"].split() == ["offline_access", "openid"]


def test_a_resource_server_may_introspect_the_tokens_of_its_resource(said, client):
    """Product.md section 7: --introspects makes a confidential client a resource server."""
    caller = said(*MACHINE, "--scope", "tool:read")
    server = said("client", "create", "--name", "API", "--introspects", RESOURCE)
    issued = token(client, caller, resource=RESOURCE).json["access_token"]

    asked = client.post(
        "/introspect",
        data={"token": issued},
        auth=(server["client_id"], server["client_secret"]),
    )

    assert asked.json["active"] is True
    assert said("client", "show", server["client_id"])["introspects"] == [RESOURCE]


def test_the_issuer_itself_is_a_resource_without_being_in_the_catalogue(said):
    created = said(*MACHINE, "--resource", "https://gatewright.example")

    assert said("client", "show", created["client_id"])["allowed_resources"] == [
        "https://gatewright.example"
    ]


@pytest.mark.parametrize(
    "words, error",
    [
        pytest.param([*MACHINE, "--scope", "tool:reed"], "invalid_scope", id="unknown scope"),
        pytest.param(
            [*MACHINE, "--scope", "tool:read nope"], "invalid_scope", id="one unknown scope"
        ),
        pytest.param(
            [*MACHINE, "--resource", "https://no.example"], "invalid_target", id="unknown resource"
        ),
        pytest.param([*MACHINE, "--resource", "nonsense"], "invalid_target", id="not a resource"),
        pytest.param(
            [*MACHINE, "--introspects", "https://no.example"],
            "invalid_target",
            id="introspects an unknown resource",
        ),
        pytest.param(
            [*PERSON, "--auth-method", "none", "--introspects", RESOURCE],
            "invalid_client_metadata",
            id="public and introspects",
        ),
        pytest.param(
            [*MACHINE, "--auth-method", "none"], "invalid_client_metadata", id="public machine"
        ),
        pytest.param(
            ["client", "create", "--name", "A", "--grant", "authorization_code"],
            "invalid_redirect_uri",
            id="no redirect URI",
        ),
        pytest.param(
            ["client", "create", "--name", "A", "--redirect-uri", "http://app.example/cb"],
            "invalid_redirect_uri",
            id="http redirect URI",
        ),
        pytest.param(
            ["client", "create", "--name", "A", "--redirect-uri", "\udcff\x1b[2J"],
            "invalid_redirect_uri",
            id="redirect URI of raw bytes",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(refusal, said, words, error):
    assert refusal(*words) == error

    assert said("client", "list") == []


def test_the_refusal_names_the_scope_that_is_missing(run):
    assert "scope: tool:reed" in run(*MACHINE, "--scope", "tool:reed").stderr


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["client", "create"], id="no name"),
        pytest.param([*MACHINE, "--grant", "password"], id="unknown grant"),
        pytest.param([*MACHINE, "--auth-method", "tls_client_auth"], id="unknown method"),
        pytest.param([*MACHINE, "--resource", "https://a.example/\udcff"], id="raw bytes"),
        pytest.param(["client", "create", "--name", "a\nb"], id="name of two lines"),
        pytest.param(["client", "create", "--name", "x" * 101], id="name too long"),
    ],
)
def test_wrong_usage_ends_with_two(run, words):
    result = run(*words)

    assert result.exit_code == 2
    assert "Error:" in result.stderr


def test_a_client_by_hand_is_told_of_sign_outs_and_gets_people_back(said):
    where = ("--post-logout-redirect-uri", "https://app.example/bye")
    told = "--backchannel-logout-uri"
    created = said(*PERSON, "--scope", "openid", *where, told, "https://app.example/told")

    assert created["post_logout_redirect_uris"] == ["https://app.example/bye"]
    assert created["backchannel_logout_uri"] == "https://app.example/told"
