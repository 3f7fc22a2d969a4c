"""Known clients: the registry agrees with what real clients send."""

import pytest

from app.domain import client_metadata, redirect_uris
from app.domain.known_clients import KNOWN_CLIENTS
from tests.corpora.client_registrations import REGISTRATIONS

BY_NAME = {name: client for client in KNOWN_CLIENTS for name in client.names}
EDITORS = frozenset(redirect_uris.KNOWN_EDITORS)
OF_ANY_APP = {
    "simple-typescript-client",
    "Simple Auth Client",
    "Hosted agent",
    "Rancher AI Agent",
    "Example for iOS",
}
"""Names that an application gives itself or takes from the example of an SDK."""
CAPTURED = [row for row in REGISTRATIONS if row.body["client_name"] not in OF_ANY_APP]


def base(name: str) -> str:
    """Leave out the remark that Claude Code adds in parentheses."""
    return name.partition(" (")[0]


@pytest.mark.parametrize("row", CAPTURED, ids=lambda row: row.client)
def test_a_captured_registration_has_the_callbacks_of_its_entry(row):
    client = BY_NAME[base(row.body["client_name"])]
    sent = set(map(redirect_uris.without_loopback_port, row.body["redirect_uris"]))

    known = {uri.replace("{id}", "abc123DEF") for uri in client.redirect_uris}
    assert sent <= known


def test_no_name_belongs_to_two_entries():
    names = [name for client in KNOWN_CLIENTS for name in client.names]

    assert sorted(names) == sorted(BY_NAME)


@pytest.mark.parametrize("client", KNOWN_CLIENTS, ids=lambda client: client.name)
class TestEntry:
    def test_its_callbacks_could_be_registered(self, client):
        for uri in client.redirect_uris:
            filled = uri.replace("{id}", "1")
            assert redirect_uris.validate(filled, private_use_schemes=EDITORS) == filled
            assert redirect_uris.without_loopback_port(uri) == uri

    def test_its_web_callbacks_and_documents_are_on_its_hosts(self, client):
        urls = [*client.redirect_uris, *client.document_urls]
        web = {redirect_uris.host_of(url) for url in urls if url.startswith("https:")}

        assert web <= set(client.hosts)

    def test_its_names_come_through_parsing_unchanged(self, client):
        for name in client.names:
            body = {"client_name": name, "redirect_uris": ["http://127.0.0.1/"]}
            assert client_metadata.parse(body)["client_name"] == name


@pytest.mark.parametrize(
    "name, on_computer",
    [
        ("Codex", True),
        ("Cursor", True),
        ("Visual Studio Code", True),
        ("Claude Desktop", True),
        ("Claude", False),
        ("ChatGPT", False),
    ],
)
def test_it_is_known_whether_a_client_calls_back_to_the_computer_of_a_person(name, on_computer):
    assert BY_NAME[name].on_computer is on_computer
