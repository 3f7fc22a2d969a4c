"""Fingerprints: what ties registrations together, and the hash that a decision binds to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import client_metadata, fingerprints, skeletons
from tests.corpora.client_registrations import REGISTRATIONS
from tests.corpora.hostile_keys import EC_KEY, OKP_KEY

URIS = ["https://client.example/cb", "http://127.0.0.1:1111/cb", "com.example.app:/cb"]
BODY = {
    "client_name": "Example Client",
    "redirect_uris": URIS,
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
}


def mark(**changes):
    """Return the fingerprint of a registration; None leaves a member out."""
    body = {name: value for name, value in (BODY | changes).items() if value is not None}
    return fingerprints.of_metadata(client_metadata.parse(body))


SAME = {
    "another loopback port": {"redirect_uris": [URIS[0], "http://127.0.0.1:2222/cb", URIS[2]]},
    "no loopback port": {"redirect_uris": [URIS[0], "http://127.0.0.1/cb", URIS[2]]},
    "two ports of one loopback redirect": {"redirect_uris": [*URIS, "http://127.0.0.1:3/cb"]},
    "redirects in another order": {"redirect_uris": URIS[::-1]},
    "a redirect twice": {"redirect_uris": [*URIS, URIS[0]]},
    "grants in another order": {"grant_types": ["refresh_token", "authorization_code"]},
    "no grants": {"grant_types": None},
    "capitals": {"client_name": "EXAMPLE CLIENT"},
    "space": {"client_name": "  Example   Client "},
    "Cyrillic": {"client_name": "Ex\u0430mple Client"},
    "digits for letters": {"client_name": "Examp1e C1ient"},
    "fullwidth": {"client_name": "\uff25xample Client"},
    "invisible letters": {"client_name": "Exam\u200bple Client"},
    "another scope": {"scope": "mcp:read"},
    "another page": {"client_uri": "https://client.example/"},
    "another version": {"software_version": "2"},
}
OTHER = {
    "a redirect less": {"redirect_uris": URIS[:2]},
    "a redirect more": {"redirect_uris": [*URIS, "https://attacker.example/cb"]},
    "another loopback host": {"redirect_uris": [URIS[0], "http://localhost:1111/cb", URIS[2]]},
    "another loopback path": {"redirect_uris": [URIS[0], "http://127.0.0.1:1111/x", URIS[2]]},
    "another port over https": {
        "redirect_uris": ["https://client.example:8443/cb", *URIS[1:]],
    },
    "another grant": {"grant_types": ["authorization_code"]},
    "another method": {"token_endpoint_auth_method": "client_secret_basic"},
    "another name": {"client_name": "Example Clients"},
    "no name": {"client_name": None},
    "keys": {"jwks": {"keys": [EC_KEY]}},
    "other keys": {"jwks": {"keys": [OKP_KEY]}},
    "keys elsewhere": {"jwks_uri": "https://client.example/jwks"},
    "a software_id": {"software_id": "s-1"},
    "another software_id": {"software_id": "s-2"},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME.keys())
def test_what_a_reader_would_call_the_same_is_the_same_software(changes):
    assert mark(**changes) == mark()


def test_what_decides_where_codes_go_and_who_may_fetch_them_makes_other_software():
    marks = [mark(), *(mark(**changes) for changes in OTHER.values())]

    assert None not in marks
    assert len(set(marks)) == len(marks)


def test_a_software_id_ties_versions_together_but_never_other_redirects():
    tied = {"software_id": "s-1"}

    assert mark(**tied, client_name="Renamed") == mark(**tied)
    assert mark(**tied, redirect_uris=URIS[:1]) != mark(**tied)


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_types": ["client_credentials"], "redirect_uris": None},
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["authorization_code", "client_credentials"]},
        {"grant_types": ["client_credentials"], "software_id": "s-1"},
    ],
)
def test_a_grant_without_redirect_ties_nothing_together(changes):
    assert mark(**changes, token_endpoint_auth_method="client_secret_basic") is None


def test_software_that_somebody_vouches_for_is_other_software_for_each_issuer():
    metadata = client_metadata.parse(BODY)
    marks = {
        fingerprints.of_statement(issuer, fingerprints.of_metadata(metadata))
        for issuer in ("", "https://vendor.example", "https://other.example")
    }

    assert len(marks) == 3
    assert mark() in marks
    assert fingerprints.of_statement("https://vendor.example", None) is None
    assert fingerprints.of_change("c", metadata, "https://vendor.example") in marks - {mark()}


@pytest.mark.parametrize("row", REGISTRATIONS, ids=lambda row: row.client)
def test_the_fingerprint_of_a_real_client_survives_parsing_again(row):
    metadata = client_metadata.parse(row.body)

    assert fingerprints.of_metadata(metadata) == fingerprints.of_metadata(
        client_metadata.parse(metadata)
    )


@given(st.permutations(list(BODY)))
def test_the_order_of_members_changes_neither_fingerprint_nor_revision(names):
    metadata = client_metadata.parse(BODY)
    shuffled = {name: metadata[name] for name in names} | metadata

    assert fingerprints.of_metadata(shuffled) == fingerprints.of_metadata(metadata)
    assert fingerprints.revision(shuffled) == fingerprints.revision(metadata)


def test_every_member_changes_the_revision():
    metadata = client_metadata.parse(BODY)
    revisions = {fingerprints.revision(metadata | {name: "changed"}) for name in metadata}

    assert len(revisions | {fingerprints.revision(metadata)}) == len(metadata) + 1


@given(st.text(max_size=30))
def test_what_two_readings_see_is_one_reading(name):
    once = skeletons.skeleton(name)

    assert skeletons.skeleton(name.upper().lower()) == skeletons.skeleton(name.lower())
    assert once == " ".join(once.split())
