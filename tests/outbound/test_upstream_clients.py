"""What this server is at an upstream: which way it takes there, and how it describes itself."""

from dataclasses import replace

import pytest

from app.domain import client_metadata, document_rules
from app.domain.client_metadata import MetadataRules
from app.outbound import upstream_clients
from app.outbound.upstream_clients import (
    NO_METHOD,
    NO_WAY,
    SECRET_METHODS,
    Client,
    Way,
    document_url,
    how,
    own_document,
)
from tests.outbound.upstreams import BY_KEY, PROFILE, metadata

OWN = document_url("https://gatewright.example/tenant")
GIVEN = Client("by-hand", "client_secret_post", "s3cret")
DOCUMENTS = {"client_id_metadata_document_supported": True}


def test_a_client_that_was_given_comes_before_our_document_and_that_before_registration():
    both = metadata(**DOCUMENTS)

    assert how(both, PROFILE, given=GIVEN, own_url=OWN) == Way("given", GIVEN)
    assert how(both, PROFILE, own_url=OWN) == Way("document", Client(OWN, "none"))
    assert how(metadata(), PROFILE, own_url=OWN) == Way("registration")


@pytest.mark.parametrize(
    "own_url",
    [
        "",
        "http://127.0.0.1:8000/.well-known/client-metadata.json",
        "https://gatewright.example",
        "https://gatewright.example/a/../b",
    ],
)
def test_a_document_that_no_server_may_fetch_is_not_offered(own_url):
    assert how(metadata(**DOCUMENTS), PROFILE, own_url=own_url).kind == "registration"


@pytest.mark.parametrize(
    "profile, listed, kind",
    [
        (PROFILE, ("none",), "document"),
        (PROFILE, (), "document"),
        (PROFILE, ("client_secret_basic", "private_key_jwt"), "registration"),
        (BY_KEY, ("private_key_jwt",), "document"),
        (BY_KEY, ("none", "client_secret_basic"), "registration"),
    ],
)
def test_our_document_is_for_servers_that_take_the_way_of_authentication_in_it(
    profile, listed, kind
):
    server = metadata(**DOCUMENTS, token_endpoint_auth_methods_supported=listed)

    assert how(server, profile, own_url=OWN).kind == kind


def test_where_nothing_is_possible_the_operator_is_told_to_enter_a_client():
    closed = metadata(registration_endpoint="")
    strange = metadata(token_endpoint_auth_methods_supported=("tls_client_auth",))

    assert how(closed, PROFILE, own_url=OWN) == Way("impossible", sentence=NO_WAY)
    assert how(strange, PROFILE, own_url=OWN) == Way("impossible", sentence=NO_METHOD)
    assert how(closed, PROFILE, given=GIVEN).kind == "given"


@pytest.mark.parametrize(
    "listed, method, by_key",
    [
        ((), "client_secret_basic", "client_secret_basic"),
        (("none", *SECRET_METHODS), "client_secret_basic", "client_secret_basic"),
        (("none", "client_secret_post"), "client_secret_post", "client_secret_post"),
        (("none", "private_key_jwt"), "none", "private_key_jwt"),
        (("private_key_jwt", "client_secret_jwt"), None, "private_key_jwt"),
    ],
)
def test_the_best_way_of_authentication_that_both_can_do_is_chosen(listed, method, by_key):
    server = metadata(token_endpoint_auth_methods_supported=listed)

    assert upstream_clients.auth_method(server, PROFILE) == method
    assert upstream_clients.auth_method(server, BY_KEY) == by_key


@pytest.mark.parametrize(
    "redirect_uri, kind",
    [
        ("https://gatewright.example/cb", "web"),
        ("http://127.0.0.1:8000/cb", "native"),
        ("http://localhost:8000/cb", "native"),
    ],
)
def test_the_application_type_follows_the_redirect_uri(redirect_uri, kind):
    profile = replace(PROFILE, redirect_uri=redirect_uri)
    found = upstream_clients.client_metadata(profile, "none")

    assert (found["application_type"], found["redirect_uris"]) == (kind, [redirect_uri])


@pytest.mark.parametrize("profile, method", [(PROFILE, "none"), (BY_KEY, "private_key_jwt")])
def test_our_document_is_one_that_this_server_would_accept_from_others(profile, method):
    document = own_document("https://gatewright.example/tenant", profile)
    read = document_rules.read(OWN, document, MetadataRules())

    assert document["client_id"] == OWN
    assert document_rules.is_url(OWN)
    assert read["token_endpoint_auth_method"] == method
    assert read.get("jwks_uri") == (profile.jwks_uri or None)
    assert {name: document[name] for name in read} == read


def test_nothing_empty_is_said_and_keys_only_by_a_client_that_signs():
    plain = upstream_clients.client_metadata(replace(PROFILE, contacts=()), "none")
    held_back = upstream_clients.client_metadata(BY_KEY, "client_secret_basic", ["a", "b"])

    assert all(plain.values())
    assert plain.keys() & {"contacts", "scope", "jwks_uri"} == set()
    assert held_back["scope"] == "a b"
    assert "jwks_uri" not in held_back
    assert client_metadata.parse(plain) == plain
