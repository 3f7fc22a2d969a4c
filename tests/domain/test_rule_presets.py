"""Presets: whom their rules let in, and whom they do not."""

import pytest

from app.domain import rule_presets, rules
from app.domain.evidence import Evidence
from app.domain.known_clients import KNOWN_CLIENTS
from app.domain.policies import judge
from app.domain.policy_versions import check
from app.domain.rule_presets import PRESETS, find

LOCAL = "http://127.0.0.1:4711/callback"


def arrival(*uris, name="Probe", token=None, method="none", grants=("authorization_code",)):
    """Return the evidence of an arrival."""
    metadata = {
        "client_name": name,
        "redirect_uris": list(uris),
        "grant_types": list(grants),
        "token_endpoint_auth_method": method,
    }
    return Evidence("dcr", metadata, "f", token, "192.0.2.7", "agent")


def identified(preset):
    """Return the rules of a preset as saving would number them."""
    named = [each.as_json() | {"id": each.name[:36]} for each in preset.rules]
    return rules.all_from_json(named)


@pytest.mark.parametrize(
    "key, evidence, outcome",
    [
        ("loopback", arrival(LOCAL, "http://localhost/cb"), "admit"),
        ("loopback", arrival(LOCAL, "https://evil.example/cb"), "hold"),
        ("loopback", arrival(LOCAL, method="client_secret_basic"), "hold"),
        ("loopback", arrival(LOCAL, grants=("authorization_code", "x:device_code")), "hold"),
        ("loopback", arrival(), "hold"),
        ("vendor_hosts", arrival("https://claude.ai/api/mcp/auth_callback"), "admit"),
        ("vendor_hosts", arrival("https://claude.ai.evil.example/cb"), "hold"),
        ("vendor_hosts", arrival("https://claude.ai/cb", LOCAL), "hold"),
        ("editors", arrival("http://localhost:9/callback", name="Claude Code (notes)"), "admit"),
        ("editors", arrival("http://localhost:9/callback", name="Claude Coder"), "hold"),
        ("editors", arrival("https://evil.example/callback", name="Claude Code"), "hold"),
        ("initial_access_token", arrival(LOCAL, token="t-1"), "admit"),
        ("initial_access_token", arrival(LOCAL), "refuse"),
    ],
)
def test_a_preset_lets_in_what_it_says(key, evidence, outcome):
    assert judge(evidence, identified(find(key))).outcome == outcome


def test_all_presets_fit_into_one_policy_and_each_is_found():
    everything = [rule for preset in PRESETS for rule in identified(preset)]

    check(everything)
    assert all(find(preset.key) is preset for preset in PRESETS)
    assert find("unknown") is None
    assert all(not preset.missing(everything) for preset in PRESETS)
    assert {known.name for known in rule_presets.editors()} < {each.name for each in KNOWN_CLIENTS}
