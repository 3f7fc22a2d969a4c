"""Pinning documents by the command line: what is judged, what waits, what is refused."""

import json

import pytest

from tests.cli.conftest import ON_ONE_DATABASE

URL = "https://app.example/oauth/client.json"
DOCUMENT = {
    "client_id": URL,
    "client_name": "Pinned App",
    "redirect_uris": ["https://app.example/cb"],
    "token_endpoint_auth_method": "none",
}


@pytest.fixture
def pin(said, catalogue):
    """Return a function that pins the document with members changed."""

    def run(**changes):
        return said("client", "pin", URL, "-", stdin=json.dumps(DOCUMENT | changes))

    return run


def test_a_pinned_document_is_a_client_that_waits_for_approval(pin, said):
    pinned = pin()
    shown = said("client", "show", URL)

    assert (pinned["standing"], pinned["waits_for_approval"]) == ("pending", False)
    assert pinned["pinned"]
    assert (shown["source"], shown["client_name"]) == ("cimd", "Pinned App")
    said("client", "approve", URL)
    assert said("client", "show", URL)["standing"] == "active"
    (event,) = said("audit", "list", "--type", "client.document_pinned")
    assert event["client_id"] == URL


def test_what_a_pinned_document_widens_waits_too(pin, said):
    pin()
    said("client", "approve", URL)

    changed = pin(redirect_uris=["https://app.example/cb", "https://other.example/cb"])

    assert (changed["standing"], changed["waits_for_approval"]) == ("active", True)
    assert said("client", "show", URL)["redirect_uris"] == ["https://app.example/cb"]
    said("client", "approve", URL)
    assert len(said("client", "show", URL)["redirect_uris"]) == 2


def test_pinning_the_same_document_again_changes_nothing_but_who_did_it(pin):
    assert pin()["waits_for_approval"] is False
    assert pin()["standing"] == "pending"


def test_an_unpinned_document_is_fetched_again(pin, said, refusal):
    pin()

    assert said("client", "unpin", URL)["pinned"] is None
    assert refusal("client", "unpin", URL) == "conflict"


@pytest.mark.parametrize(
    "url, content, error",
    [
        ("https://app.example/", DOCUMENT, "invalid_request"),
        (f"{URL}?x=1", DOCUMENT, "invalid_request"),
        (f"{URL}x", DOCUMENT, "invalid_client_metadata"),
        (URL, DOCUMENT | {"client_secret": "s"}, "invalid_client_metadata"),
        (URL, [], "invalid_client_metadata"),
        (URL, DOCUMENT | {"x": "x" * 5120}, "invalid_client_metadata"),
        (URL, DOCUMENT | {"redirect_uris": ["javascript:x"]}, "invalid_redirect_uri"),
    ],
)
@ON_ONE_DATABASE
def test_what_is_no_document_is_not_pinned(catalogue, refusal, url, content, error):
    assert refusal("client", "pin", url, "-", stdin=json.dumps(content)) == error


@ON_ONE_DATABASE
def test_what_policy_refuses_is_not_pinned(catalogue, refusal, run, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules:\n- {name: never, outcome: refuse, when: {document_host: app.example}}")
    assert run("policy", "apply", str(rules)).exit_code == 0

    assert refusal("client", "pin", URL, "-", stdin=json.dumps(DOCUMENT)) == "access_denied"


@ON_ONE_DATABASE
def test_a_client_without_a_document_has_none_to_unpin(catalogue, refusal):
    assert refusal("client", "unpin", URL) == "not_found"
