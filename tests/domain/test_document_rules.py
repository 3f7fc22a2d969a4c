"""Rules of client ID metadata documents: which URLs name one, and what is read from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import client_documents, document_rules, errors
from app.domain.assertion_keys import of_metadata
from app.domain.client_metadata import MetadataRules, parse
from tests.domain.test_client_metadata import DOCUMENTS, JSON
from tests.protocol.documents import CHATGPT, CLAUDE_CODE, CODEX, SHAPES, VSCODE

URL = "https://app.example/oauth/client.json"


def read(**changes):
    """Return the metadata of a document with members changed; None leaves one out."""
    said = {"client_id": URL} | CODEX | changes
    return document_rules.read(
        URL, {name: value for name, value in said.items() if value is not None}, MetadataRules()
    )


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://app.example/c",
        "https://app.example:8443/client.json",
        "https://app.example/oauth/",
        "https://app.example/a%20b;v=1/~x",
        "https://claude.ai/oauth/claude-code-client-metadata",
        "https://chatgpt.com/oauth/codex/client.json",
        "https://xn--bcher-kva.example/client.json",
        "https://192.0.2.1/client.json",
    ],
)
def test_the_url_of_a_document_is_known(url):
    """The way out decides whether its host may be reached."""
    assert document_rules.is_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https",
        "https:",
        "https://",
        "https://app.example",
        "https://app.example/",
        "https://app.example//",
        "https://app.example//c",
        "https://app.example/c//d",
        "https://app.example/./c",
        "https://app.example/..",
        "https://app.example/a/%2E%2e/c",
        "https://app.example/a/%2e",
        "https://app.example/a%2f..%2fc",
        "https://app.example/..;x/c",
        "https://app.example/c?",
        "https://app.example/c?x=1",
        "https://app.example/c#",
        "https://app.example/c#x",
        "https://user@app.example/c",
        "https://:@app.example/c",
        "https://app.example:/c",
        "https://app.example:0/c",
        "https://app.example:65536/c",
        "https://app.example:https/c",
        "https://app.example\\c",
        "https://app.example/c d",
        "https://app.example/c%0a",
        "https://app.example/c%zz",
        "https://app.example/\u00e9",
        "https://b\u00fccher.example/c",
        "https://0x7f000001/c",
        "https://127.1/c",
        "https://[::ffff:127.0.0.1]/c",
        "https://app..example/c",
        "https:/app.example/c",
        "https:app.example/c",
        "HTTPS://app.example/c",
        "http://app.example/c",
        "//app.example/c",
        "urn:example:c",
        " https://app.example/c",
        "https://app.example/c\n",
        "https://app.example/c\0",
        "https://app.example/" + "x" * 2040,
    ],
)
def test_nothing_else_is_the_url_of_a_document(url):
    """N-190."""
    assert not document_rules.is_url(url)


@given(st.text(st.characters(codec=None), max_size=40))
def test_no_text_breaks_the_check_of_urls(text):
    assert document_rules.is_url(text) is False
    document_rules.is_url(f"https://{text}")


@pytest.mark.parametrize("document, redirect", SHAPES.values(), ids=SHAPES.keys())
def test_real_documents_become_public_clients(document, redirect):
    metadata = document_rules.read(URL, document | {"client_id": URL}, MetadataRules())

    assert metadata["token_endpoint_auth_method"] == "none"
    assert metadata["grant_types"] == ["authorization_code", "refresh_token"]
    assert metadata["redirect_uris"] == document["redirect_uris"]
    assert metadata["client_name"] == document["client_name"]
    assert parse(metadata) == metadata


METHODS = {
    "none": {"token_endpoint_auth_method": "none"},
    "nothing said": {"token_endpoint_auth_method": None},
    "a list as the method": {"token_endpoint_auth_method": ["private_key_jwt", "none"]},
    "a choice": {
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"],
    },
    "only a choice": {
        "token_endpoint_auth_method": None,
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
    },
}


@pytest.mark.parametrize("change", METHODS.values(), ids=METHODS.keys())
def test_a_client_that_can_go_without_authentication_does(change):
    assert read(**change)["token_endpoint_auth_method"] == "none"


KEYS_URI = "https://app.example/jwks.json"
SIGNING = {
    "said": {"token_endpoint_auth_method": "private_key_jwt"},
    "said among what does not exist": {
        "token_endpoint_auth_method": ["tls_client_auth", "private_key_jwt"]
    },
    "listed": {
        "token_endpoint_auth_method": None,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    },
}


@pytest.mark.parametrize("change", SIGNING.values(), ids=SIGNING.keys())
def test_a_client_that_cannot_go_without_authentication_has_to_sign(change):
    metadata = read(jwks_uri=KEYS_URI, **change)

    assert metadata["token_endpoint_auth_method"] == "private_key_jwt"
    assert "token_endpoint_auth_methods_supported" not in metadata


@pytest.mark.parametrize(
    "change, signs",
    [
        ({"jwks_uri": KEYS_URI}, True),
        ({"jwks_uri": KEYS_URI, "token_endpoint_auth_signing_alg": "RS256"}, True),
        ({"jwks_uri": KEYS_URI, "token_endpoint_auth_signing_alg": "HS256"}, False),
        ({}, False),
    ],
)
def test_a_client_that_may_sign_is_told_apart_by_being_able_to(change, signs):
    metadata = read(**METHODS["a choice"], **change)

    assert metadata["token_endpoint_auth_method"] == "none"
    assert ("token_endpoint_auth_methods_supported" in metadata) is signs
    assert (of_metadata(metadata) is not None) is signs
    assert parse(metadata) == metadata


REFUSED = {
    "another client_id": {"client_id": "https://app.example/oauth/client.jso"},
    "its host in capitals": {"client_id": URL.replace("app", "App")},
    "a slash more": {"client_id": f"{URL}/"},
    "no client_id": {"client_id": None},
    "a list of client_ids": {"client_id": [URL]},
    "no name": {"client_name": None},
    "an empty name": {"client_name": ""},
    "a secret": {"client_secret": ""},
    "when a secret ends": {"client_secret_expires_at": 0},
    "basic": {"token_endpoint_auth_method": "client_secret_basic"},
    "post": {"token_endpoint_auth_method": "client_secret_post"},
    "jwt": {"token_endpoint_auth_method": "client_secret_jwt"},
    "a secret although there is a choice": {
        "token_endpoint_auth_method": "client_secret_post",
        "token_endpoint_auth_methods_supported": ["none"],
    },
    "keys only": {"token_endpoint_auth_method": "private_key_jwt"},
    "a choice without none": {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    | {"token_endpoint_auth_method": None},
    "an empty list": {"token_endpoint_auth_method": ["private_key_jwt"]},
    "a number": {"token_endpoint_auth_method": 1},
    "client credentials": {"grant_types": ["client_credentials"]},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_a_document_is_refused(change):
    """N-191, N-192."""
    with pytest.raises(errors.InvalidClientMetadata):
        read(**change)


@pytest.mark.parametrize("document", [None, [], "x", 1, True, {}])
def test_what_is_no_document_is_refused(document):
    with pytest.raises(errors.InvalidClientMetadata):
        document_rules.read(URL, document, MetadataRules())


@given(DOCUMENTS, JSON, JSON)
def test_no_document_breaks_the_reader(document, method, listed):
    more = {
        "client_id": URL,
        "client_name": "x",
        "token_endpoint_auth_method": method,
        "token_endpoint_auth_methods_supported": listed,
    }
    try:
        metadata = document_rules.read(URL, document | more, MetadataRules())
    except errors.Refusal:
        return
    assert metadata["token_endpoint_auth_method"] in ("none", "private_key_jwt")


@pytest.mark.parametrize(
    "document, url, elsewhere",
    [
        (CHATGPT, "https://chatgpt.com/oauth/abc/client.json", False),
        (CLAUDE_CODE, "https://claude.ai/oauth/claude-code-client-metadata", False),
        (VSCODE, "https://vscode.dev/oauth/client-metadata.json", True),
        (CHATGPT, "https://chatgpt.com:8443/oauth/abc/client.json", True),
        ({"redirect_uris": ["com.example.app:/cb"]}, URL, False),
    ],
)
def test_redirects_to_another_web_host_are_noted(document, url, elsewhere):
    """N-193."""
    assert bool(document_rules.notes(url, document)) is elsewhere


@pytest.mark.parametrize(
    "max_age, seconds",
    [(None, 3600), (0, 300), (299, 300), (301, 301), (86400, 86400), (10**9, 86400)],
)
def test_freshness_is_held_within_bounds(max_age, seconds):
    """N-194."""
    assert client_documents.freshness(max_age) == seconds
