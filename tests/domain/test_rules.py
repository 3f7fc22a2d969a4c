"""Rules: which arrivals they are met by, how they are read, and what is refused in them."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import errors, rules
from app.domain.evidence import Evidence
from app.domain.rules import Obligations, Rule, from_json, weigh

WEB, OTHER = "https://app.example.com/cb", "https://evil.example/cb"
LOCAL, PRIVATE = "http://127.0.0.1:4711/cb", "com.example.app:/cb"


def arrival(*uris, address="192.0.2.7", token=None, look_alike=0, seen=0, lately=0, **metadata):
    """Return the evidence of an arrival."""
    described = {
        "redirect_uris": list(uris or [WEB]),
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "client_name": "Example  Client",
    }
    return Evidence(
        "dcr",
        described | metadata,
        "f",
        token,
        address,
        "agent",
        seen_count=seen,
        arrivals_last_hour=lately,
        look_alike=look_alike,
    )


def said(outcome, evidence, **when):
    """Return what a rule with some conditions says, read as from a policy file."""
    return weigh(from_json({"name": "r", "outcome": outcome, "when": when}), evidence).result


def vouched(*lacks, **more):
    """Return the evidence of an arrival with a statement that leaves some members open."""
    issuer = "https://vendor.example"
    return replace(arrival(**more), statement_issuer=issuer, statement_lacks=lacks)


ALONE = ["authorization_code", "client_credentials"]
VENDOR = {"statement_issuer": ["https://vendor.example", "https://other.example"]}
PAYROLL, NOTES = "https://payroll.example/mcp", "https://notes.example/mcp"
REACHING = replace(arrival(), resources=(PAYROLL, NOTES))
MET = [
    ("a resource of a host", {"resource": ["https://payroll.example/*", NOTES]}, REACHING),
    ("one web host", {"redirect_host": "app.example.com"}, arrival()),
    ("a host below", {"redirect_host": "*.example.com"}, arrival()),
    ("every host", {"redirect_host": ["app.example.com", "loopback"]}, arrival(WEB, LOCAL)),
    ("loopback with any port", {"redirect_uri": "http://127.0.0.1/cb"}, arrival(LOCAL)),
    ("an exact address", {"redirect_uri": WEB}, arrival()),
    ("a private scheme", {"redirect_scheme": "com.example.app"}, arrival(PRIVATE)),
    ("a name", {"name": "example client"}, arrival()),
    ("part of a name", {"name": "Example*"}, arrival()),
    ("a name in other letters", {"name_reads_like": "example client"},
     arrival(client_name="\u0415\u0445ample client")),
    ("software_id", {"software_id": "s-1"}, arrival(software_id="s-1")),
    ("all grants", {"grant_type": ["authorization_code", "refresh_token"]}, arrival()),
    ("all scopes", {"scope": ["a", "b"]}, arrival(scope="a b")),
    ("method", {"auth_method": "none"}, arrival()),
    ("any token", {"initial_access_token": "*"}, arrival(token="t-1")),
    ("this token", {"initial_access_token": "t-1"}, arrival(token="t-1")),
    ("a statement", VENDOR, vouched()),
    ("a statement without scope", VENDOR, vouched("scope", "grant_types")),
    ("a statement about acting alone", VENDOR, vouched("scope", grant_types=ALONE)),
    ("network", {"network": "192.0.2.0/24"}, arrival()),
    ("network 6", {"network": ["10.0.0.0/8", "2001:db8::/32"]}, arrival(address="2001:db8::1")),
    ("network 4 in 6", {"network": "192.0.2.0/24"}, arrival(address="::ffff:192.0.2.1")),
    ("look-alike", {"look_alike": 80}, arrival(look_alike=80)),
    ("often seen", {"seen_count": 3}, arrival(seen=4)),
    ("often lately", {"arrivals_last_hour": 10}, arrival(lately=10)),
    ("two conditions", {"source": "dcr", "redirect_host": "app.example.com"}, arrival()),
]  # fmt: skip
MISSED = [
    ("a resource besides the one it covers", {"resource": PAYROLL}, REACHING),
    ("a resource it does not reach", {"resource": PAYROLL}, arrival()),
    ("another host beside it", {"redirect_host": "app.example.com"}, arrival(WEB, OTHER)),
    ("the parent of a host", {"redirect_host": "*.app.example.com"}, arrival()),
    ("a host with the same end", {"redirect_host": "*.ample.com"}, arrival()),
    ("a host with our host in front", {"redirect_host": "app.example.com"},
     arrival("https://app.example.com.evil.example/cb")),
    ("a private scheme has no host", {"redirect_host": "com.example.app"}, arrival(PRIVATE)),
    ("localhost with a path of its own", {"redirect_uri": "http://127.0.0.1/cb"},
     arrival("http://127.0.0.1:1/other")),
    ("no redirect URI at all", {"redirect_host": "loopback"}, arrival(redirect_uris=[])),
    ("no name", {"name": "*a*"}, arrival(client_name="")),
    ("one grant too many", {"grant_type": "authorization_code"}, arrival()),
    ("one scope too many", {"scope": "a"}, arrival(scope="a b")),
    ("no scope named is every scope", {"scope": "a"}, arrival()),
    ("no token", {"initial_access_token": "*"}, arrival()),
    ("another token", {"initial_access_token": "t-1"}, arrival(token="t-2")),
    ("no statement", VENDOR, arrival()),
    ("a statement of somebody else", {"statement_issuer": "https://vendor.example/"}, vouched()),
    ("a statement without redirects", VENDOR, vouched("redirect_uris")),
    ("acting alone beside a statement", VENDOR, vouched("grant_types", grant_types=ALONE)),
    ("another network", {"network": "198.51.100.0/24"}, arrival()),
    ("no address", {"network": "0.0.0.0/0"}, arrival(address="")),
    ("the other family", {"network": "::/0"}, arrival()),
    ("less alike", {"look_alike": 80}, arrival(look_alike=79)),
    ("one of two conditions", {"source": "cimd", "redirect_host": "app.example.com"}, arrival()),
]  # fmt: skip


@pytest.mark.parametrize("when, evidence", [row[1:] for row in MET], ids=[row[0] for row in MET])
def test_a_rule_admits_what_it_covers_entirely(when, evidence):
    assert said("admit", evidence, **when) == "admit"
    assert said("refuse", evidence, **when) == "refuse"


@pytest.mark.parametrize(
    "when, evidence", [row[1:] for row in MISSED], ids=[row[0] for row in MISSED]
)
def test_a_rule_admits_nothing_else(when, evidence):
    assert said("admit", evidence, **when) == "no match"


def test_a_rule_refuses_by_issuer_whatever_the_statement_leaves_open():
    assert said("refuse", vouched("redirect_uris", "grant_types"), **VENDOR) == "refuse"


@pytest.mark.parametrize(
    "when",
    [{"redirect_host": "evil.example"}, {"grant_type": "refresh_token"}, {"scope": "admin"}],
    ids=str,
)
def test_a_rule_refuses_and_holds_when_one_of_many_is_met(when):
    evidence = arrival(WEB, OTHER, scope="read admin")

    assert [said(outcome, evidence, **when) for outcome in rules.OUTCOMES] == [
        "no match",
        "hold",
        "refuse",
    ]


def test_what_a_rule_says_names_the_conditions():
    rule = from_json(
        {"name": "r", "outcome": "admit", "when": {"network": "10.0.0.0/8", "source": "dcr"}}
    )
    assert weigh(rule, arrival()).reason == "Not met: Network."
    assert weigh(rule, arrival(address="10.1.2.3")).reason == "Met: Source, Network."


FAULTS = [
    [],
    {},
    {"name": "r"},
    {"outcome": "admit", "when": {"source": "dcr"}},
    {"name": "", "outcome": "hold"},
    {"name": "x" * 101, "outcome": "hold"},
    {"name": "nul\0", "outcome": "hold"},
    {"name": ["r"], "outcome": "hold"},
    {"name": "r", "outcome": "allow"},
    {"name": "r", "outcome": "admit"},
    {"name": "r", "outcome": "hold", "color": "red"},
    {"name": "r", "outcome": "hold", "enabled": "yes"},
    {"name": "r", "outcome": "hold", "then": {"scopes": ["a"]}},
    {"name": "r", "outcome": "hold", "message": "No."},
    {"name": "r", "outcome": "refuse", "message": 'say "please"'},
    {"name": "r", "outcome": "refuse", "message": "na\u00efve"},
    *({"name": "r", "outcome": "refuse", "when": when} for when in (
        [], {"colour": "red"}, {"source": "fax"}, {"redirect_host": "https://app.example"},
        {"redirect_host": "app.example:443"}, {"redirect_host": "*.com"}, {"redirect_host": "*"},
        {"redirect_uri": "app.example"}, {"redirect_uri": "https://a@app.example/"},
        {"redirect_scheme": "https://"}, {"name": "*"}, {"name": "a*b*c*d*e*f"},
        {"network": "192.0.2.1/24"}, {"network": "localhost"}, {"look_alike": -1},
        {"look_alike": "many"}, {"look_alike": 0.5}, {"look_alike": True}, {"seen_count": 10**7},
        {"scope": [["a"]]}, {"scope": ["a"] * 201}, {"software_id": "\n"},
        {"grant_type": "implicit"},
    )),
    *({"name": "r", "outcome": "admit", "when": {"source": "dcr"}, "then": then} for then in (
        [], {"color": 1}, {"scopes": 7}, {"scopes": ["a b"  "\\"]}, {"resources": "x"},
        {"resources": ["not a uri"]}, {"access_token_seconds": 0}, {"access_token_seconds": "60"},
        {"access_token_seconds": True}, {"approve_days": 0}, {"approve_days": 99999},
    )),
]  # fmt: skip


@pytest.mark.parametrize("written", FAULTS, ids=str)
def test_a_rule_with_a_fault_is_refused_with_a_sentence(written):
    with pytest.raises(errors.Refusal) as refusal:
        from_json(written)
    assert refusal.value.description.endswith(".")


MEMBERS = st.sampled_from(["name", "outcome", "when", "then", "changed_at", *rules.CONDITIONS])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                MEMBERS | st.text(max_size=5),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_whatever_a_policy_file_holds_it_is_read_or_refused(written):
    try:
        rule = from_json(written)
    except errors.Refusal:
        return
    assert from_json(json.loads(json.dumps(rule.as_json()))) == rule


def test_a_rule_is_stored_and_read_again_unchanged():
    rule = Rule(
        "Hosted apps",
        "admit",
        {"redirect_host": ("app.example.com",), "network": ("192.0.2.0/24",)},
        Obligations(("read",), ("https://mcp.example/",), 600, 90),
        shadow=True,
        note="Asked for by the desk.",
        id="r-1",
        changed_by="grace@people.example",
        changed_at=7,
    )
    assert from_json(json.loads(json.dumps(rule.as_json()))) == rule
