"""`gatewright statement …`: statements of our own, and whose others count."""

import json
from pathlib import Path

import pytest

from app.domain import errors
from tests.cli.conftest import ON_ONE_DATABASE
from tests.corpora.hostile_keys import EC_KEY
from tests.protocol import vendors
from tests.protocol.vendors import KEYS_URI, SOFTWARE, VENDOR

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "software-statements.md").read_text()
URI = "https://app.example/cb"
ISSUE = ("statement", "issue", "--software-id", "our-editor", "--name", "Our Editor")


def register(client, statement, **body):
    """Register with a statement; return the answer."""
    return client.post("/register", json=body | {"software_statement": statement})


@pytest.fixture
def jwks(tmp_path):
    """Return a file with the keys of the vendor."""
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(vendors.key_set("ES256")))
    return str(file)


def test_a_statement_of_ours_registers_what_it_says_until_it_expires(said, run, client, clock):
    made = said(*ISSUE, "--redirect-uri", URI, "--scope", "a b", "--days", "30")

    answer = register(client, made["software_statement"], client_name="Other")
    assert (answer.status_code, answer.json["client_name"]) == (201, "Our Editor")
    assert (answer.json["redirect_uris"], answer.json["software_id"]) == ([URI], "our-editor")
    event = json.loads(run("audit", "list", "--json", "--type", "statement.issued").stdout)[0]
    assert (event["subject"], event["actor_kind"]) == (made["jti"], "cli")
    assert made["software_statement"] not in json.dumps(event)

    clock.advance(30 * 86400 + 61)
    refused = register(client, made["software_statement"])
    assert refused.json["error"] == "invalid_software_statement"


def test_what_a_statement_of_ours_leaves_out_the_registration_says(run, client):
    statement = run(*ISSUE).stdout.strip()

    answer = register(client, statement, redirect_uris=[URI])

    assert (answer.json["client_name"], answer.json["redirect_uris"]) == ("Our Editor", [URI])


@ON_ONE_DATABASE
def test_the_rule_of_the_documentation_holds(said, tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text(DOCUMENTED.split("```yaml\n")[1].split("```")[0])

    assert said("policy", "test", str(file))["ok"] is True


def test_who_is_trusted_counts_until_distrusted(said, client, jwks):
    trusted = said("statement", "trust", VENDOR, "--jwks", jwks, "--software-id", "vendor-editor")
    assert (trusted["keys"], trusted["software_ids"]) == (["ES256"], ["vendor-editor"])
    assert register(client, vendors.statement()).json["client_name"] == SOFTWARE["client_name"]
    (listed,) = said("statement", "list")
    assert (listed["issuer"], listed["algorithms"]) == (VENDOR, ["ES256"])

    said("statement", "distrust", VENDOR)
    refused = register(client, vendors.statement())
    assert refused.json["error"] == "unapproved_software_statement"
    assert said("statement", "list") == []


@pytest.mark.parametrize(
    "words, error",
    [
        ((VENDOR,), errors.InvalidRequest),
        ((VENDOR, "--jwks", "FILE", "--jwks-uri", KEYS_URI), errors.InvalidRequest),
        ((VENDOR, "--jwks-uri", "http://vendor.example/"), errors.InvalidClientMetadata),
        (("https://gatewright.example", "--jwks-uri", KEYS_URI), errors.InvalidRequest),
        (("https://vendor .example", "--jwks-uri", KEYS_URI), errors.InvalidRequest),
        ((VENDOR, "--jwks", "PRIVATE"), errors.InvalidClientMetadata),
        ((VENDOR, "--jwks", "TEXT"), errors.InvalidRequest),
    ],
)
@ON_ONE_DATABASE
def test_what_cannot_be_trusted_is_refused(refusal, jwks, tmp_path, words, error):
    (tmp_path / "text").write_text("no keys")
    (tmp_path / "private").write_text(json.dumps({"keys": [EC_KEY | {"d": EC_KEY["x"]}]}))
    files = {"FILE": jwks, "PRIVATE": str(tmp_path / "private"), "TEXT": str(tmp_path / "text")}

    assert refusal("statement", "trust", *(files.get(word, word) for word in words)) == error.error


def test_an_issuer_is_trusted_once_and_distrusted_once(said, refusal, jwks):
    said("statement", "trust", VENDOR, "--jwks-uri", KEYS_URI)
    assert refusal("statement", "trust", VENDOR, "--jwks", jwks) == "conflict"
    said("statement", "distrust", VENDOR)
    assert refusal("statement", "distrust", VENDOR) == "not_found"


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "words", [("trust", VENDOR, "--algorithm", "HS256"), ("issue", "--days", "0")]
)
def test_nonsense_ends_with_two(run, words):
    assert run("statement", *words).exit_code == 2
