"""What this server is as a client of others: one public document, where others can trust it."""

import pytest

from app.domain import document_rules
from app.domain.client_metadata import MetadataRules

PATH = "/.well-known/client-metadata.json"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_the_document_is_one_that_this_server_would_take_itself(client, settings):
    answer = client.get(PATH)

    url = f"{settings.issuer}{PATH}"
    metadata = document_rules.read(url, answer.json, MetadataRules())
    assert metadata["redirect_uris"] == [f"{settings.issuer}/connections/callback"]
    assert metadata["token_endpoint_auth_method"] == "none"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    again = client.get(PATH, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("overrides", [{"issuer": "https://gatewright.example/tenant/one"}])
def test_the_document_is_under_the_path_of_the_issuer_alone(client):
    below = client.get(f"/tenant/one{PATH}")

    assert below.json["client_id"] == f"https://gatewright.example/tenant/one{PATH}"
    assert client.get(PATH).status_code == 404


@pytest.mark.parametrize("overrides", [{"issuer": "http://127.0.0.1:8000"}])
def test_a_server_without_https_has_no_document(client):
    assert client.get(PATH).status_code == 404
