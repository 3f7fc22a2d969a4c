"""Metadata of this server: where it is found, what it says, and that it is true."""

import base64
import json
from dataclasses import replace

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from app.domain import key_rotation, scopes
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol import registrants, signers
from tests.protocol.registrants import OPERATOR, Operator, post
from tests.protocol.test_client_corpus import hollow
from tests.protocol.vendors import key_set

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks.json"
TENANT = "/tenant/one"
TENANT_ISSUER = ISSUER + TENANT
at_a_path = pytest.mark.parametrize("overrides", [{"issuer": TENANT_ISSUER}], ids=["tenant"])


@pytest.fixture
def operator(app):
    return Operator(app)


@pytest.fixture
def document(client):
    """Return the metadata."""
    return client.get(OAUTH).get_json()


def endpoints(document):
    """Return the URLs in the metadata by their names."""
    return {
        name: value
        for name, value in document.items()
        if name.endswith(("_endpoint", "_uri")) and isinstance(value, str)
    }


@pytest.mark.parametrize("path", [OAUTH, OPENID])
def test_the_metadata_is_what_two_validators_accept(client, path):
    """N-145."""
    response = client.get(path)
    document = response.get_json()

    assert (response.status_code, response.content_type) == (200, "application/json")
    AuthorizationServerMetadata(document).validate()
    OpenIDProviderMetadata(document).validate()
    assert document["issuer"] == ISSUER
    assert hollow(document) == []
    assert "Set-Cookie" not in response.headers


def test_the_metadata_say_how_people_sign_in(client):
    """N-145: what OpenID Connect clients read."""
    said = client.get(OPENID).get_json()

    assert said["userinfo_endpoint"] == f"{ISSUER}/userinfo"
    assert said["response_modes_supported"] == ["query", "form_post"]
    for kind in ("id_token", "userinfo"):
        assert said[f"{kind}_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert {"openid", "profile", "email", "address", "phone"} < set(said["scopes_supported"])
    assert {"sub", "at_hash", "amr", "name", "email", "email_verified"} < set(
        said["claims_supported"]
    )
    assert said["claims_parameter_supported"] is True
    assert said["subject_types_supported"] == ["public", "pairwise"]
    assert set(said["prompt_values_supported"]) == {"none", "login", "consent", "select_account"}


def test_both_documents_say_the_same(client):
    assert client.get(OAUTH).data == client.get(OPENID).data


def test_what_typescript_clients_insist_on_is_there(document):
    """Their schemas refuse the whole document otherwise."""
    strings = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    lists = (
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_methods_supported",
        "grant_types_supported",
        "scopes_supported",
    )
    assert all(isinstance(document[name], str) for name in strings)
    assert all(each and isinstance(each, str) for name in lists for each in document[name])
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "none" in document["token_endpoint_auth_methods_supported"]
    assert document["response_types_supported"] == ["code"]


def test_every_address_is_one_of_the_issuer_and_answers(client, document):
    """N-145, X-75."""
    found = endpoints(document)
    statuses = {
        name: {
            client.open(url.removeprefix(ISSUER), method=way).status_code for way in ("GET", "POST")
        }
        for name, url in found.items()
    }

    assert all(url.startswith(f"{ISSUER}/") for url in found.values())
    assert {name for name, seen in statuses.items() if 404 in seen} == set()


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
@at_a_path
def test_an_issuer_with_a_path_is_found_in_both_forms(client, name):
    """N-145: inserted (RFC 8414 section 3.1) and appended (OpenID Connect Discovery)."""
    inserted = client.get(f"/.well-known/{name}{TENANT}")
    appended = client.get(f"{TENANT}/.well-known/{name}")
    document = inserted.get_json()

    assert inserted.status_code == appended.status_code == 200
    assert inserted.data == appended.data
    assert document["issuer"] == TENANT_ISSUER
    assert all(url.startswith(f"{TENANT_ISSUER}/") for url in endpoints(document).values())


@pytest.mark.parametrize(
    "path",
    [
        OAUTH,
        OPENID,
        f"{OAUTH}/tenant",
        f"{OAUTH}{TENANT}/two",
        f"{OAUTH}{TENANT}/",
        f"{OAUTH}//tenant/one",
        f"{OAUTH}/tenant/two",
        f"{OAUTH}/TENANT/one",
        f"{TENANT}{OAUTH}{TENANT}",
        f"{TENANT}{OAUTH}/x",
        "/register",
        "/tenant",
        "/tenant/oneself/register",
        "/authorize",
        "/",
    ],
)
@at_a_path
def test_nothing_of_an_issuer_with_a_path_is_found_elsewhere(client, path):
    """N-145: the document is only where its issuer says."""
    response = client.get(path)

    assert (response.status_code, response.content_type) == (404, "application/json")
    assert response.get_json()["error"] == "not_found"


@at_a_path
def test_a_client_registers_and_is_managed_under_the_path_of_the_issuer(client):
    answer = client.post(f"{TENANT}/register", json=registrants.BODY).get_json()
    where = answer["registration_client_uri"]
    read = client.get(
        where.removeprefix(ISSUER), headers=registrants.bearer(answer["registration_access_token"])
    )

    assert where == f"{TENANT_ISSUER}/clients/{answer['client_id']}"
    assert read.status_code == 200
    assert client.get(f"{TENANT}{JWKS}").status_code == 200


def test_everything_else_that_is_well_known_is_not_found_as_json(client):
    """Clients try many names; a page would be taken for a document."""
    for name in (
        "",
        "x",
        "oauth-protected-resource",
        "oauth-protected-resource/mcp",
        "openid-federation",
        "oauth-authorization-server/other",
        "oauth-authorization-server/",
        "openid-configuration/tenant/one",
        "jwks.json/x",
        "change-password",
        "../register",
        "%00",
        "a" * 3000,
    ):
        response = client.get(f"/.well-known/{name}")

        assert (response.status_code, response.content_type) == (404, "application/json"), name
        assert response.get_json()["error"] == "not_found"


@pytest.mark.parametrize("path", [OAUTH, OPENID, JWKS])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_documents_are_only_read(client, path, method):
    response = client.open(path, method=method)

    assert (response.status_code, response.get_json()["error"]) == (405, "invalid_request")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("path, seconds", [(OAUTH, 300), (OPENID, 300), (JWKS, 3600)])
def test_a_document_may_be_kept_and_asked_for_again_cheaply(client, path, seconds):
    """N-142, N-145."""
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    head = client.head(path)

    assert first.headers["Cache-Control"] == f"public, max-age={seconds}"
    assert "Pragma" not in first.headers
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert (head.status_code, head.data) == (200, b"")
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_any_web_page_may_read_the_documents(client):
    for path in (OAUTH, OPENID, JWKS, "/.well-known/x"):
        response = client.get(path, headers={"Origin": "https://app.example"})

        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_switch_of_the_mode_changes_document_and_behaviour(client, operator):
    """N-146."""
    seen = {}
    for mode in ("open", "token", "closed"):
        operator.switch_mode(mode)
        response = client.get(OAUTH)
        advertised = response.get_json().get("registration_endpoint")
        seen[mode] = (advertised, post(client).status_code, response.headers["ETag"])

    endpoint = f"{ISSUER}/register"
    assert [each[:2] for each in seen.values()] == [
        (endpoint, 201),
        (endpoint, 401),
        (None, 403),
    ]
    assert seen["open"][2] == seen["token"][2] != seen["closed"][2]


def test_a_scope_of_the_catalogue_is_advertised_while_it_is_there(app, client):
    """N-146."""
    before = client.get(OAUTH).get_json()["scopes_supported"]
    with app.app_context():
        scopes.create("mcp:admin", "Change the rules", by=OPERATOR)
        scopes.remove("mcp:read", by=OPERATOR)
        db.session.commit()
    after = client.get(OAUTH).get_json()["scopes_supported"]

    assert set(before) ^ set(after) == {"mcp:admin", "mcp:read"}
    assert post(client, scope="mcp:admin mcp:read").get_json()["scope"] == "mcp:admin"


def test_every_advertised_authentication_method_works_and_no_other_registers(client, document):
    """N-145: each is tried at the token endpoint."""
    for method in document["token_endpoint_auth_methods_supported"]:
        keys = key_set("ES256") if method == "private_key_jwt" else None
        one = registrants.register(
            client, client_name=method, token_endpoint_auth_method=method, jwks=keys
        )
        machine = signers.signer_of(one.machine) if method.endswith("_jwt") else one.machine
        proven = machine.refresh("rt_none")

        assert (proven.status_code, proven.get_json()["error"]) == (400, "access_denied"), method
    assert "tls_client_auth" not in document["token_endpoint_auth_methods_supported"]
    assert post(client, token_endpoint_auth_method="tls_client_auth").status_code == 400


def test_introspection_is_open_to_exactly_the_advertised_methods(
    app, client, document, public, confidential, posting
):
    """N-145."""
    signer = signers.register(app, client, client_name="Signer")
    sharing = replace(signers.share(app, client, client_name="Sharing"), method="client_secret_jwt")
    advertised = set(document["introspection_endpoint_auth_methods_supported"])
    working = {
        machine.method
        for machine in (public, confidential, posting, signer, sharing)
        if machine.introspect("x").status_code == 200
    }
    assert advertised == working


def test_exactly_the_advertised_grants_exist(document, confidential):
    """N-145: an unadvertised grant is unsupported, an advertised one only lacks its values."""
    errors = {}
    for grant in (
        *document["grant_types_supported"],
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ):
        errors[grant] = confidential.post("/token", grant_type=grant).get_json().get("error")

    unsupported = {grant for grant, error in errors.items() if error == "unsupported_grant_type"}
    assert set(errors) - unsupported == set(document["grant_types_supported"])


def test_the_keys_are_public_labelled_and_distinct(app, client):
    """N-142."""
    with app.app_context():
        sealing_key = app.extensions["gatewright.keys"]["signing keys"]
        key_rotation.rotate(sealing_key, by=SERVER, early=True)
        db.session.commit()
    keys = client.get(JWKS).get_json()["keys"]

    assert len({key["kid"] for key in keys}) == len(keys) == 6
    for key in keys:
        kind = ("EC", {"crv", "x", "y"}) if key["alg"] == "ES256" else ("RSA", {"n", "e"})
        assert (key["kty"], key.keys() - {"kty", "kid", "use", "alg"}) == kind
        assert key["use"] == "sig"


def test_a_token_signed_before_a_rotation_is_active_after_it(
    app, client, confidential, resource_server
):
    """N-143: the new key signs, the old one still verifies, both are published."""
    before = confidential.post("/token", grant_type="client_credentials").get_json()
    tag = client.get(JWKS).headers["ETag"]
    with app.app_context():
        sealing_key = app.extensions["gatewright.keys"]["signing keys"]
        key_rotation.rotate(sealing_key, by=SERVER, early=True)
        db.session.commit()
    after = confidential.post("/token", grant_type="client_credentials").get_json()

    assert client.get(JWKS).headers["ETag"] != tag
    for answer in (before, after):
        answered = confidential.introspect(answer["access_token"]).get_json()
        assert answered["active"] is True
    assert kid(before["access_token"]) != kid(after["access_token"])


def kid(token):
    """Return the key identifier in the header of a token."""
    header = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
