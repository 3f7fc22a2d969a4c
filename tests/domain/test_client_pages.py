"""Links of apps: only to where the app is known (security.md N-160, X-32)."""

import pytest

from app.domain.client_pages import of, opening

WEB, DEVICE = ["https://app.example/cb"], ["http://127.0.0.1/cb", "com.example.app:/cb"]
PORT = ["https://app.example:8443/cb"]
DOCUMENT = "https://vendor.example/client.json"
ID = "01a2050f-75f1-79f2-96cb-061f7753b166"


@pytest.mark.parametrize(
    "url, redirects, client_id, is_shown",
    [
        ("https://app.example/terms", WEB, ID, True),
        ("https://APP.example/terms#top", WEB, ID, True),
        ("https://vendor.example/terms", DEVICE, DOCUMENT, True),
        ("https://vendor.example/terms", DEVICE, ID, False),
        ("https://www.app.example/terms", WEB, ID, False),
        ("https://app.example.evil.example/terms", WEB, ID, False),
        ("https://evil.example/app.example", WEB, DOCUMENT, False),
        ("https://app.example/terms", PORT, ID, False),
        ("https://com.example.app/terms", DEVICE, ID, False),
        ("https://127.0.0.1/terms", DEVICE, ID, False),
        ("http://app.example/terms", WEB, ID, False),
        ("javascript:alert(1)", WEB, ID, False),
    ],
)
def test_a_link_leads_where_codes_go_or_the_document_is(url, redirects, client_id, is_shown):
    """A private-use scheme that looks like a host is none, and another port is another host."""
    metadata = {"redirect_uris": redirects, "tos_uri": url, "initiate_login_uri": url}

    assert [page.url for page in of(metadata, client_id)] == [url] * is_shown
    assert (opening(metadata, client_id, "https://us.example") is not None) is is_shown


def test_an_app_is_opened_with_the_issuer_that_people_come_from():
    """OpenID Connect Core section 4"""
    for url, opened in (
        ("https://app.example/in", "https://app.example/in?iss=https%3A%2F%2Fus.example%2Fa"),
        (
            "https://app.example/in?a=b",
            "https://app.example/in?a=b&iss=https%3A%2F%2Fus.example%2Fa",
        ),
    ):
        metadata = {"redirect_uris": WEB, "initiate_login_uri": url}
        assert opening(metadata, ID, "https://us.example/a") == opened


def test_an_app_that_says_nothing_has_no_links():
    assert of({"grant_types": ["client_credentials"]}, ID) == []
    assert opening({}, ID, "https://us.example") is None
