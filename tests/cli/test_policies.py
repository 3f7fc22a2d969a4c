"""`gatewright policy …`: policy files are tested, compared with the past and put in force."""

from pathlib import Path

import pytest

from app.domain import admissions, client_metadata, policy_versions
from app.domain.audit import SERVER
from app.extensions import db
from tests.cli.conftest import ON_ONE_DATABASE

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
EDITORS = """
rules:
- name: Editors
  outcome: admit
  when: {redirect_host: loopback}
- name: Elsewhere
  outcome: refuse
  message: Not from there.
"""
EXAMPLE = """
examples:
- name: an editor
  arrival: {metadata: {redirect_uris: ["http://127.0.0.1:1/cb"]}}
  expect: %s
"""


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a policy file and gives its path."""

    def write(text):
        path = tmp_path / "policy.yaml"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def arrived(app):
    """Register two clients: an editor and a web application."""
    with app.app_context():
        for uri in ("http://127.0.0.1:4711/cb", "https://app.example/cb"):
            metadata = client_metadata.parse({"client_name": "Probe", "redirect_uris": [uri]})
            arrival = admissions.evidence(
                metadata, source="dcr", initial_access_token=None, address="", user_agent=""
            )
            verdict = policy_versions.in_force().judge(arrival)
            admissions.register(arrival, verdict, by=SERVER)
        db.session.commit()


@ON_ONE_DATABASE
def test_the_file_of_the_documentation_holds(run, said, file):
    documented = DOCUMENTED.split("```yaml\n")[1].split("```")[0]

    assert said("policy", "test", file(documented))["ok"] is True
    plain = run("policy", "test", file(documented)).stdout
    assert plain.startswith("ok    an editor in the office: admit by Desktop editors")


@ON_ONE_DATABASE
@pytest.mark.parametrize("expected", ["refuse", "{outcome: admit, rule: Elsewhere}"])
def test_an_example_that_does_not_hold_ends_with_one(run, file, expected):
    result = run("policy", "test", file(EDITORS + EXAMPLE % expected))

    assert result.exit_code == 1
    assert result.stdout.startswith("FAIL  an editor: expected ")
    assert result.stdout.endswith("got admit by Editors\n")


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "text",
    [
        "rules: [",
        "[]",
        "rules: {}",
        "rule: []",
        "rules: [{name: a, outcome: allow}]",
        "examples: [{name: a}]",
        EXAMPLE % "allow",
        EXAMPLE % "{outcome: admit, rule: 7}",
        "examples: [{name: a, arrival: {}, expect: hold}]",
        "examples: [{name: a, arrival: {metadata: {redirect_uris: [x]}}, expect: hold}]",
        "a: &a [*a]",
        "!!python/object/apply:os.system [id]",
        "x" * 1_000_001,
    ],
    ids=lambda text: text[:40],
)
def test_a_file_that_is_none_is_refused(refusal, file, text):
    """X-56: what is imported passes every check of what is typed."""
    assert refusal("policy", "test", file(text)) in ("invalid_request", "invalid_redirect_uri")


def test_rules_are_put_in_force_listed_and_printed(said, run, file, app):
    applied = said("policy", "apply", file(EDITORS), "--note", "From the repository")
    again = said("policy", "apply", file(run("policy", "show").stdout))

    listed = said("policy", "list")
    assert (applied["version"], again["version"]) == (1, 2)
    assert [(row["name"], row["outcome"], row["hits"]) for row in listed] == [
        ("Editors", "admit", 0),
        ("Elsewhere", "refuse", 0),
    ]
    with app.app_context():
        versions = policy_versions.find_page(size=5)
        assert versions[0].rules == versions[1].rules
        assert versions[1].note == "From the repository"


def test_rules_whose_examples_do_not_hold_are_not_put_in_force(refusal, said, file, app):
    assert refusal("policy", "apply", file(EDITORS + EXAMPLE % "refuse")) == "invalid_request"
    assert said("policy", "list") == []


def test_the_past_is_judged_again_by_a_file(said, file, arrived):
    found = said("policy", "replay", file(EDITORS))

    assert [(row["then"], row["now"], row["now_rule"]) for row in found] == [
        ("hold", "refuse", "Elsewhere"),
        ("hold", "admit", "Editors"),
    ]
    assert said("policy", "replay", file(EDITORS), "--last", "1") == found[:1]
    assert said("policy", "list") == []
