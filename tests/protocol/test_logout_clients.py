"""What clients register about signing out, and what the metadata say of it."""

from typing import Any

from flask.testing import FlaskClient

from app.domain import client_metadata, client_widenings
from tests.conftest import ISSUER
from tests.protocol.machines import assert_refused
from tests.protocol.registrants import BODY, post

SAID = {
    "redirect_uris": ["https://client.example/cb", "com.example.app:/cb"],
    "post_logout_redirect_uris": ["https://client.example/bye", "com.example.app:/bye"],
    "backchannel_logout_uri": "https://client.example/logout?tenant=1",
    "backchannel_logout_session_required": True,
}


def test_what_is_registered_comes_back_as_it_was_sent(client: FlaskClient) -> None:
    """Section 3.1 of RP-Initiated Logout, section 2.2 of Back-Channel Logout."""
    answer = post(client, BODY | SAID).get_json()

    assert SAID.items() <= answer.items()


def test_addresses_are_as_strict_as_redirect_uris(subtests: Any, client: FlaskClient) -> None:
    """N-203, X-33: nothing that runs code, hides its host or travels in clear."""
    wrong = {
        "post_logout_redirect_uris": [
            "https://client.example/bye",
            [1],
            ["http://client.example/bye"],
            ["https://client.example/bye#x"],
            ["https://client.example/bye?state=1"],
            ["https://*.example/bye"],
            ["https://user@client.example/bye"],
            ["javascript:alert(1)"],
            ["/bye"],
            ["https://other.example/bye"],
            ["http://127.0.0.1/bye"],
            ["com.example.other:/bye"],
            [f"https://client.example/{number}" for number in range(33)],
        ],
        "backchannel_logout_uri": [
            1,
            "http://client.example/logout",
            "http://10.0.0.1/logout",
            "https://169.254.169.254/latest",
            "https://client.example/logout#x",
            "https://user@client.example/logout",
            "com.example.app:/logout",
            "/logout",
        ],
        "backchannel_logout_session_required": ["true", 1],
    }
    for member, values in wrong.items():
        is_uris = member.endswith("uris")
        for value in values:
            with subtests.test(f"{member} {value}"[:80]):
                refused = post(client, BODY | {member: value})
                assert_refused(
                    refused, "invalid_redirect_uri" if is_uris else "invalid_client_metadata"
                )


def test_an_approver_sees_where_people_and_this_server_are_sent_anew() -> None:
    """A client that was approved cannot lead people elsewhere by an update of its own."""
    before = client_metadata.parse(BODY | SAID)
    for member in ("post_logout_redirect_uris", "backchannel_logout_uri"):
        value: Any = "https://other.example/bye"
        after = before | {member: [value] if member.endswith("s") else value}
        assert client_widenings.of(before, after, frozenset()) == [member]


def test_both_documents_name_the_endpoint_and_what_it_can_do(client: FlaskClient) -> None:
    for name in ("openid-configuration", "oauth-authorization-server"):
        found = client.get(f"/.well-known/{name}").get_json()
        assert found["end_session_endpoint"] == f"{ISSUER}/logout"
        assert found["backchannel_logout_supported"] is True
        assert found["backchannel_logout_session_supported"] is True
        assert "sid" in found["claims_supported"]
