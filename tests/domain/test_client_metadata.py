import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import client_metadata, errors, json_objects
from app.domain.client_metadata import MetadataRules, parse
from tests.corpora.client_registrations import REGISTRATIONS, ClientRegistration
from tests.corpora.hostile_keys import EC_KEY, OKP_KEY, RSA_KEY
from tests.corpora.hostile_registrations import HOSTILE, OVERSIZED
from tests.corpora.registration_rows import good
from tests.corpora.tolerated_registrations import TOLERATED

KNOWN = [
    *client_metadata.RULES,
    "redirect_uris",
    "grant_types",
    "response_types",
    "token_endpoint_auth_method",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg",
    "software_statement",
    "client_name#de",
    "logo_uri#",
]
HINTS = st.sampled_from(
    ["authorization_code", "code", "none", "https://client.example/cb", "EC", "P-256", "native"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | HINTS
STRINGS = st.text(st.characters(codec=None), max_size=20)
NAMES = st.sampled_from(["keys", "kty", "crv", "n", "e", "x", "y", "kid", "alg"]) | STRINGS
JSON = st.recursive(
    SCALARS | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(KNOWN) | STRINGS, JSON, max_size=5)

REFUSALS = (
    errors.InvalidRedirectURI,
    errors.InvalidClientMetadata,
    errors.InvalidSoftwareStatement,
    errors.UnapprovedSoftwareStatement,
)


def bytes_of(body: dict[str, Any] | bytes) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def sent(body: dict[str, Any] | bytes) -> dict[str, object]:
    return parse(json_objects.read_body(bytes_of(body), "application/json"))


def test_a_hostile_registration_gets_exactly_its_error(subtests: pytest.Subtests) -> None:
    for row in HOSTILE + OVERSIZED:
        with subtests.test(row.name):
            with pytest.raises(errors.Refusal) as refusal:
                sent(row.body)
            assert refusal.value.error == row.error
            assert refusal.value.status_code == 400
            assert refusal.value.description


def test_a_hostile_registration_costs_what_a_harmless_one_of_its_size_does(
    subtests: pytest.Subtests,
) -> None:
    """Ten times as much at most, in processor time, both measured in turn."""
    for row in HOSTILE + OVERSIZED:
        with subtests.test(row.name):
            assert_costs_no_more_than_its_size(bytes_of(row.body))


def assert_costs_no_more_than_its_size(raw: bytes) -> None:
    """Compare a body with a harmless one of its size."""
    strings = ["abcd"] * (max(len(raw), 4096) // len('"abcd", '))
    harmless = bytes_of({"redirect_uris": ["https://client.example/cb"], "other": strings})

    costs = [(cost(raw), cost(harmless)) for _ in range(3)]

    assert min(ours for ours, _ in costs) < 10 * min(theirs for _, theirs in costs)


def cost(raw: bytes) -> float:
    """Return the seconds of processor time that reading a body takes."""
    before = time.process_time()
    with contextlib.suppress(errors.Refusal):
        parse(json_objects.read_body(raw, "application/json"))
    return time.process_time() - before


def test_a_harmless_oddity_is_accepted_without_its_excess(subtests: pytest.Subtests) -> None:
    for row in TOLERATED:
        with subtests.test(row.name):
            metadata = sent(row.body)
            assert metadata["redirect_uris"] == row.body["redirect_uris"]
            assert not metadata.keys() & set(row.dropped)


def test_a_real_client_keeps_what_it_registered(subtests: pytest.Subtests) -> None:
    for row in REGISTRATIONS:
        with subtests.test(row.client):
            assert_kept(row)


def assert_kept(row: ClientRegistration) -> None:
    """Register as a real client does, and compare."""
    metadata = sent(row.body)
    assert metadata["redirect_uris"] == row.body["redirect_uris"]
    for member in ("client_name", "client_uri", "software_id", "application_type"):
        assert metadata.get(member) == row.body.get(member)
    assert metadata["response_types"] == ["code"]
    assert metadata["token_endpoint_auth_method"] == (
        row.body.get("token_endpoint_auth_method") or "client_secret_basic"
    )
    assert all(value not in (None, "", []) for value in metadata.values())


def test_the_defaults_are_those_of_the_specification_and_a_refresh_token() -> None:
    assert parse({"redirect_uris": ["https://client.example/cb"]}) == {
        "redirect_uris": ["https://client.example/cb"],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }


def test_a_client_that_asks_for_the_code_grant_alone_gets_it_alone() -> None:
    metadata = parse(good(grant_types=["authorization_code"]))
    assert metadata["grant_types"] == ["authorization_code"]


def test_a_machine_client_needs_no_redirect_uri_and_has_no_response_type() -> None:
    body = {"grant_types": ["client_credentials"], "response_types": ["code"]}
    assert parse(body) == {
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["client_credentials"],
    }


def test_a_bad_redirect_uri_is_refused_even_when_no_grant_uses_it() -> None:
    body = {"grant_types": ["client_credentials"], "redirect_uris": ["javascript:alert(1)"]}
    with pytest.raises(errors.InvalidRedirectURI):
        parse(body)


def test_unsupported_grants_are_dropped_and_supported_ones_stay_in_order() -> None:
    asked = ["refresh_token", "implicit", "authorization_code", "refresh_token"]
    assert parse(good(grant_types=asked))["grant_types"] == ["refresh_token", "authorization_code"]


def test_duplicate_redirect_uris_collapse() -> None:
    uri, other = "https://client.example/cb", "https://client.example/CB"
    assert parse(good(redirect_uris=[uri, other, uri]))["redirect_uris"] == [uri, other]


def test_an_allowed_scheme_comes_from_the_rules() -> None:
    body = good(redirect_uris=["zed://oauth/callback"])
    with pytest.raises(errors.InvalidRedirectURI):
        parse(body)
    assert parse(body, MetadataRules(private_use_schemes=frozenset({"zed"})))


@pytest.mark.parametrize(
    "member, value, kept",
    [
        ("client_name", "  My \u00a0 Agent ", "My Agent"),
        ("client_name", "Cafe\u0301", "Caf\u00e9"),
        ("client_name", "\U0001f469\u200d\U0001f4bb Agent", "\U0001f469\U0001f4bb Agent"),
        ("client_name", "\u0645\u06cc\u200c\u0634\u0648\u062f", "\u0645\u06cc\u0634\u0648\u062f"),
        ("client_name", "\u1000\u103b\u103d\u1014\u103a\u102f\u1015\u103a", None),
        ("client_name", "a" * 100, None),
        ("client_name#ja-Jpan-JP", "\u30af\u30e9\u30a4\u30a2\u30f3\u30c8", None),
        ("client_uri", "https://client.example/about?x=1#team", None),
        ("logo_uri", "https://client.example/*.png", None),
        ("tos_uri#de", "https://client.example/agb", None),
        ("policy_uri", "https://client.example:8443", None),
        ("contacts", ["a@client.example", "", "a@client.example"], ["a@client.example"]),
        ("scope", " mcp:tools  mcp:read mcp:tools ", "mcp:tools mcp:read"),
        ("scope", " ".join(f"s{n}" for n in range(100)), None),
        ("software_id", "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d", None),
        ("software_version", "1.2.3-beta+4", None),
        ("application_type", "web", None),
        ("jwks_uri", "https://client.example/jwks.json", None),
        ("jwks", {"keys": [EC_KEY, RSA_KEY, OKP_KEY]}, None),
        ("jwks", {"keys": [{**EC_KEY, "kid": "1", "use": "sig", "alg": "ES256"}]}, None),
        ("jwks", {"keys": [{**EC_KEY, "x5c": ["x"], "y2": 1}], "x": 1}, {"keys": [EC_KEY]}),
    ],
)
def test_a_good_value_is_kept_in_its_normal_form(member: str, value: object, kept: object) -> None:
    assert parse(good(**{member: value}))[member] == (kept or value)


@pytest.mark.parametrize("empty", [None, "", []])
@pytest.mark.parametrize("member", [*client_metadata.RULES, "grant_types", "software_statement"])
def test_an_empty_value_counts_as_left_out(member: str, empty: object) -> None:
    body = {"redirect_uris": ["https://client.example/cb"]}
    assert parse({**body, member: empty}) == parse(body)


def test_a_client_that_signs_needs_keys() -> None:
    rules = MetadataRules(auth_methods=("private_key_jwt",))
    body = good(token_endpoint_auth_method="private_key_jwt")
    with pytest.raises(errors.InvalidClientMetadata):
        parse(body, rules)
    assert parse({**body, "jwks": {"keys": [EC_KEY]}}, rules)["jwks"] == {"keys": [EC_KEY]}


@pytest.mark.parametrize("document", [None, [], "x", 5, True, 1.5, [{}], float("nan")])
def test_a_document_that_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(errors.InvalidClientMetadata):
        parse(document)


@given(DOCUMENTS | JSON)
def test_no_json_raises_anything_but_a_refusal(document: object) -> None:
    if isinstance(document, dict):
        document.setdefault("redirect_uris", ["https://client.example/cb"])
    try:
        metadata = parse(document)
    except REFUSALS:
        return
    assert parse(metadata) == metadata
    assert all(value not in (None, "", []) for value in metadata.values())
    json.dumps(metadata, ensure_ascii=False).encode()


@given(st.text(st.characters(codec=None), max_size=40))
def test_an_accepted_name_is_one_visible_line_and_stays_as_it_is(name: str) -> None:
    try:
        kept = parse(good(client_name=name)).get("client_name")
    except errors.InvalidClientMetadata:
        return
    if kept is not None:
        assert str(kept).splitlines() == [kept]
        assert parse(good(client_name=kept))["client_name"] == kept
