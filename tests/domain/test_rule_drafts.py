"""Rules made out of a decision are about software like this, and about no other."""

import pytest

from app.domain import client_metadata, rule_drafts, rules
from app.domain.evidence import Evidence

BODY = {"client_name": "Wiki", "redirect_uris": ["https://wiki.example/cb"]}


def arrival(body):
    """Return the evidence of an arrival of a body."""
    return Evidence("dcr", client_metadata.parse(body), "f", None, "", "")


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        BODY | {"client_name": ""},
        BODY | {"client_name": "A * star"},
        BODY | {"redirect_uris": ["http://127.0.0.1:7/cb", "com.example.app:/cb"]},
        {"grant_types": ["client_credentials"]},
    ],
    ids=str,
)
def test_what_is_made_of_software_decides_about_the_same_software(body):
    for rule in (
        rule_drafts.always_admit(client_metadata.parse(body), ["read"]),
        rule_drafts.always_refuse(client_metadata.parse(body)),
    ):
        read = rules.from_json(rule.as_json())
        assert read == rule
        assert rules.weigh(read, arrival(body)).result == rule.outcome
        assert read.then.scopes == (("read",) if rule.outcome == "admit" else None)


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uris": ["https://wiki.example/other"]},
        {"redirect_uris": ["https://wiki.example/cb", "https://evil.example/cb"]},
        {"client_name": "Other"},
        {"token_endpoint_auth_method": "none"},
        {"grant_types": ["authorization_code", "client_credentials"]},
    ],
    ids=str,
)
def test_what_differs_is_not_admitted(change):
    rule = rule_drafts.always_admit(client_metadata.parse(BODY), [])

    assert rules.weigh(rule, arrival(BODY | change)).result == "no match"


def test_a_refusal_is_about_the_host_or_else_the_name():
    local = BODY | {"redirect_uris": ["http://127.0.0.1/cb"]}
    web, named = (rule_drafts.always_refuse(client_metadata.parse(each)) for each in (BODY, local))

    assert (web.when, named.when) == (
        {"redirect_host": ("wiki.example",)},
        {"name_reads_like": ("wiki",)},
    )
    assert rules.weigh(web, arrival(BODY | {"client_name": "Other"})).result == "refuse"
