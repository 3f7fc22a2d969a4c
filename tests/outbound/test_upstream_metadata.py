"""What upstreams say of themselves: believed member by member, or not at all (N-218)."""

from dataclasses import asdict

import pytest

from app.outbound import upstream_metadata
from app.outbound.upstream_metadata import (
    LONGEST_LIST,
    LONGEST_TEXT,
    MALFORMED,
    MISSING,
    NO_ISSUER,
    NO_S256,
    OTHER_ISSUER,
    OTHER_RESOURCE,
    SLASH,
    UNPROTECTED,
    Fault,
    ResourceMetadata,
    covers,
)
from tests.outbound.sites import server_document

ISSUER = "https://login.example/tenant"
URL = "https://api.example/mcp"
LONG = "a" * LONGEST_TEXT


def is_https(url):
    """Stand in for what the way out allows."""
    return url.startswith("https://")


def read_server(changes, issuer=ISSUER, for_codes=True):
    """Read metadata that is in order but for some members."""
    members = server_document(ISSUER) | changes
    return upstream_metadata.read_server(members, issuer, is_https, for_codes=for_codes)


def read_resource(**changes):
    """Read metadata of a resource that is in order but for some members."""
    members = {"resource": URL, "authorization_servers": [ISSUER]} | changes
    return upstream_metadata.read_resource(members, URL, is_https)


def test_what_is_known_is_kept_and_everything_else_is_ignored():
    found = asdict(read_server({"jwks_uri": None, "revocation_endpoint": "", "x": [None]}))

    assert found == {
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.example/authorize",
        "token_endpoint": "https://login.example/token",
        "registration_endpoint": "https://login.example/register",
        "revocation_endpoint": "",
        "introspection_endpoint": "",
        "jwks_uri": "",
        "userinfo_endpoint": "",
        "end_session_endpoint": "",
        "scopes_supported": (),
        "response_types_supported": ("code",),
        "grant_types_supported": ("authorization_code", "refresh_token"),
        "token_endpoint_auth_methods_supported": ("none", "client_secret_basic"),
        "code_challenge_methods_supported": ("plain", "S256"),
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": False,
    }


@pytest.mark.parametrize(
    "named, sentence, shown",
    [
        (f"{ISSUER}/", SLASH, f"{ISSUER}/"),
        ("https://Login.example/tenant", OTHER_ISSUER, "https://Login.example/tenant"),
        ("https://login.example:443/tenant", OTHER_ISSUER, "https://login.example:443/tenant"),
        ("https://login.example/%74enant", OTHER_ISSUER, "https://login.example/%74enant"),
        ("https://login.example", OTHER_ISSUER, "https://login.example"),
        ("<script>" * 99, OTHER_ISSUER, ("<script>" * 99)[:200]),
        (None, NO_ISSUER, ""),
        ("", NO_ISSUER, ""),
        ([ISSUER], NO_ISSUER, ""),
    ],
)
def test_the_issuer_is_the_one_that_was_asked_for_byte_for_byte(named, sentence, shown):
    assert read_server({"issuer": named}) == Fault(sentence, ISSUER, shown)


def test_the_slash_is_seen_from_the_other_side_too():
    assert read_server({}, issuer=f"{ISSUER}/") == Fault(SLASH, f"{ISSUER}/", ISSUER)


@pytest.mark.parametrize(
    "changes, fault",
    [
        ({"code_challenge_methods_supported": ["plain"]}, Fault(NO_S256)),
        ({"code_challenge_methods_supported": ["s256"]}, Fault(NO_S256)),
        ({"code_challenge_methods_supported": None}, Fault(NO_S256)),
        ({"code_challenge_methods_supported": []}, Fault(NO_S256)),
        ({"token_endpoint": None}, Fault(MISSING, "token_endpoint")),
        ({"token_endpoint": ""}, Fault(MISSING, "token_endpoint")),
        ({"authorization_endpoint": None}, Fault(MISSING, "authorization_endpoint")),
    ],
)
def test_what_is_needed_for_codes_must_be_there(changes, fault):
    assert read_server(changes) == fault


def test_who_gets_tokens_for_itself_needs_the_token_endpoint_only():
    without = {"authorization_endpoint": None, "code_challenge_methods_supported": None}

    assert read_server(without, for_codes=False).token_endpoint == "https://login.example/token"
    assert read_server({"token_endpoint": None}, for_codes=False).sentence == MISSING
    assert read_server({"issuer": "https://x.example"}, for_codes=False).sentence == OTHER_ISSUER


@pytest.mark.parametrize("name", upstream_metadata.URLS)
@pytest.mark.parametrize("url", ["http://login.example/x", "javascript:alert(1)", "/x", " "])
def test_each_url_must_be_protected(name, url):
    assert read_server({name: url}) == Fault(UNPROTECTED, named=url)


@pytest.mark.parametrize(
    "name, value",
    [
        ("token_endpoint", ["https://login.example/token"]),
        ("token_endpoint", 0),
        ("jwks_uri", False),
        ("revocation_endpoint", {}),
        ("scopes_supported", "a b"),
        ("scopes_supported", {"a": 1}),
        ("scopes_supported", ["a", None]),
        ("scopes_supported", ["a", ""]),
        ("scopes_supported", [["a"]]),
        ("scopes_supported", ["a"] * (LONGEST_LIST + 1)),
        ("scopes_supported", [f"{LONG}a"]),
        ("code_challenge_methods_supported", "S256"),
        ("grant_types_supported", [1]),
        ("authorization_response_iss_parameter_supported", "true"),
        ("authorization_response_iss_parameter_supported", 1),
        ("client_id_metadata_document_supported", [True]),
    ],
)
def test_a_member_of_another_type_spoils_the_document(name, value):
    assert read_server({name: value}) == Fault(MALFORMED, named=name)


def test_long_lists_are_taken_up_to_the_limit():
    assert read_server({"scopes_supported": [LONG] * LONGEST_LIST}).scopes_supported[-1] == LONG


def test_a_resource_names_its_servers_and_scopes():
    assert read_resource(scopes_supported=["a", "b"], resource_name=None) == ResourceMetadata(
        URL, (ISSUER,), ("a", "b")
    )


@pytest.mark.parametrize(
    "changes, fault",
    [
        ({"resource": None}, Fault(OTHER_RESOURCE, URL)),
        ({"resource": [URL]}, Fault(OTHER_RESOURCE, URL)),
        ({"resource": f"{URL}/x"}, Fault(OTHER_RESOURCE, URL, f"{URL}/x")),
        ({"authorization_servers": None}, Fault(MISSING, "authorization_servers")),
        ({"authorization_servers": []}, Fault(MISSING, "authorization_servers")),
        ({"authorization_servers": ISSUER}, Fault(MALFORMED, named="authorization_servers")),
        ({"authorization_servers": [None]}, Fault(MALFORMED, named="authorization_servers")),
        (
            {"authorization_servers": [ISSUER, "http://login.example"]},
            Fault(UNPROTECTED, named="http://login.example"),
        ),
        ({"scopes_supported": "a"}, Fault(MALFORMED, named="scopes_supported")),
    ],
)
def test_a_resource_that_says_something_else_does_not_count(changes, fault):
    assert read_resource(**changes) == fault


@pytest.mark.parametrize(
    "resource, url, expected",
    [
        ("https://api.example/mcp", "https://api.example/mcp", True),
        ("https://api.example/mcp", "https://api.example/mcp/tools", True),
        ("https://api.example/mcp", "https://api.example/mcp/", True),
        ("https://api.example/mcp/", "https://api.example/mcp/tools", True),
        ("https://api.example", "https://api.example/", True),
        ("https://api.example/", "https://api.example", True),
        ("https://api.example", "https://api.example/mcp", True),
        ("https://api.example/", "https://api.example/mcp?a=b", True),
        ("https://api.example/mcp", "https://api.example/mcp?a=/b", True),
        ("https://api.example/mcp?a=b", "https://api.example/mcp?a=b", True),
        ("HTTPS://api.example/mcp", "https://api.example/mcp", False),
        ("https://API.example:443/mcp", "https://api.example/mcp", True),
        ("https://api.example/mcp/", "https://api.example/mcp", False),
        ("https://api.example/mc", "https://api.example/mcp", False),
        ("https://api.example/mcp2", "https://api.example/mcp", False),
        ("https://api.example/MCP", "https://api.example/mcp", False),
        ("https://api.example/mcp?a=b", "https://api.example/mcp", False),
        ("https://api.example/mcp?a=b", "https://api.example/mcp?a=bc", False),
        ("https://api.example/mcp#a", "https://api.example/mcp", False),
        ("https://api.example/mcp/..", "https://api.example/mcp", False),
        ("https://a@api.example/mcp", "https://api.example/mcp", False),
        ("http://api.example/mcp", "https://api.example/mcp", False),
        ("https://api.example:8443/mcp", "https://api.example/mcp", False),
        ("https://api.example.evil.example/mcp", "https://api.example/mcp", False),
        ("https://other.example/mcp", "https://api.example/mcp", False),
        ("api.example", "https://api.example", False),
        ("", "https://api.example", False),
    ],
)
def test_a_resource_covers_its_own_url_and_what_is_below_its_path(resource, url, expected):
    assert covers(resource, url) is expected
