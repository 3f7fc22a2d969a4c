"""Dynamic registration at upstreams: what is sent, and how the client there is managed."""

import json
from dataclasses import replace

import pytest

from app.outbound import registration
from app.outbound.registration import NO_CLIENT_ID, UNMANAGED, Registered
from app.outbound.upstream_clients import NO_METHOD, NO_WAY, Client
from app.outbound.upstream_refusals import LATER, UNKNOWN, WANTS_TOKEN, Refused
from tests.outbound.exchange import reason_of
from tests.outbound.upstreams import (
    ANSWER,
    BY_KEY,
    PROFILE,
    REDIRECT,
    Upstream,
    answered,
    registered_at,
)
from tests.outbound.upstreams import upstream as upstream
from tests.services.gate import said

TOKEN = "rat_0123456789"


def managed_at(at: Upstream, client: Client | None = None) -> Registered:
    """Return a client that is managed at an upstream."""
    client = client or Client("c-1", "client_secret_basic", "s3cret")
    return Registered(client, 0, f"{at.origin}/clients/c-1?v=1", TOKEN)


def test_a_registration_says_all_that_the_upstream_has_to_know_and_nothing_empty(upstream):
    at = upstream(said(201, ANSWER))

    found = registered_at(at, scopes=["notes:read", "offline_access"])

    assert found == Registered(Client("c-1", "client_secret_basic", "s3cret"))
    assert at.asked == ["POST /register"]
    assert at.server.heads[0]["content-type"] == "application/json"
    assert "authorization" not in at.server.heads[0]
    assert at.server.questions == [
        {
            "client_name": "Gatewright",
            "redirect_uris": [REDIRECT],
            "application_type": "web",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": "notes:read offline_access",
            "contacts": ["ops@gatewright.example"],
            "software_id": "gatewright",
            "software_version": "1.0",
        }
    ]


def test_an_initial_access_token_is_sent_as_a_bearer_token(upstream):
    at = upstream(said(201, ANSWER))

    registered_at(at, initial_access_token="iat_0123456789")

    assert at.server.heads[0]["authorization"] == "Bearer iat_0123456789"
    assert reason_of(registered_at, at, initial_access_token="a\r\nb: c") == "credential"
    assert len(at.server.requests) == 1


def test_a_client_by_key_says_where_its_keys_are(upstream):
    at = upstream(said(201, {"client_id": "c-1"}))
    server = at.metadata(token_endpoint_auth_methods_supported=("none", "private_key_jwt"))

    found = registration.register(at.outbound, server, BY_KEY)

    assert found == Registered(Client("c-1", "private_key_jwt"))
    asked = at.server.questions[0]
    assert (asked["jwks_uri"], asked["token_endpoint_auth_signing_alg"]) == (
        BY_KEY.jwks_uri,
        "ES256",
    )


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"registration_endpoint": ""}, NO_WAY),
        ({"token_endpoint_auth_methods_supported": ("client_secret_jwt",)}, NO_METHOD),
    ],
)
def test_nothing_is_asked_of_a_server_that_cannot_register_this_one(upstream, changes, sentence):
    at = upstream(said(201, ANSWER))

    found = registration.register(at.outbound, at.metadata(**changes), PROFILE)

    assert (found, at.server.requests) == (Refused(sentence), [])


def test_a_registration_that_leads_elsewhere_or_is_huge_has_no_answer(upstream):
    elsewhere = said(307, b"", extra="Location: https://b.example/register\r\n")
    huge = said(201, {**ANSWER, "more": "x" * 70_000})

    assert [reason_of(registered_at, upstream(each)) for each in (elsewhere, huge)] == [
        "redirect",
        "size",
    ]


def test_the_access_to_a_registration_is_kept_for_its_own_origin_only(upstream):
    own = {"registration_access_token": TOKEN, "registration_client_uri": "{origin}/clients/c-1"}

    def kept(**changes):
        at = upstream(b"")
        answer = json.dumps(answered(**own | changes)).replace("{origin}", at.origin)
        at.server.answers = [said(201, answer.encode())]
        found = registered_at(at)
        return found.registration_client_uri.replace(at.origin, ""), found.registration_access_token

    assert kept() == ("/clients/c-1", TOKEN)
    assert kept(registration_client_uri="https://b.example/clients/c-1") == ("", "")
    assert kept(registration_client_uri="{origin}@b.example/") == ("", "")
    assert kept(registration_client_uri=7) == ("", "")
    assert kept(registration_access_token="a b") == ("", "")
    assert kept(registration_access_token=None) == ("", "")


def test_an_update_keeps_the_secret_and_takes_new_credentials(upstream):
    at = upstream(
        said(200, answered("client_secret")),
        said(200, answered(client_secret="new", registration_access_token="rat_new")),
        said(200, answered(registration_client_uri="https://b.example/clients/c-1")),
        said(200, answered(client_id="c-2")),
    )
    held = managed_at(at)

    assert registration.update(at.outbound, held, PROFILE) == held
    renewed = registration.update(at.outbound, held, PROFILE)
    assert renewed == replace(
        held, client=replace(held.client, client_secret="new"), registration_access_token="rat_new"
    )
    assert registration.update(at.outbound, held, PROFILE) == held
    assert registration.update(at.outbound, held, PROFILE) == Refused(NO_CLIENT_ID, status=200)
    assert at.asked == ["PUT /clients/c-1?v=1"] * 4
    assert {head["authorization"] for head in at.server.heads} == {f"Bearer {TOKEN}"}


def test_an_update_sends_everything_with_the_client_id_and_no_credential(upstream):
    at = upstream(said(200, answered("client_secret")), said(401, {"error": "invalid_token"}))
    held = managed_at(at)

    assert registration.update(at.outbound, held, PROFILE, scopes=["a", "b"]) == held
    refused = registration.update(at.outbound, held, PROFILE)

    assert refused == Refused(WANTS_TOKEN, "invalid_token", 401)
    assert at.asked == ["PUT /clients/c-1?v=1"] * 2
    sent = at.server.questions[0]
    assert (sent["client_id"], sent["scope"]) == ("c-1", "a b")
    assert sent["token_endpoint_auth_method"] == "client_secret_basic"
    assert not [name for name in sent if "secret" in name.removesuffix("_method")]
    assert not [name for name in sent if name.startswith("registration_")]


@pytest.mark.parametrize(
    "status, outcome",
    [
        (204, "deleted"),
        (404, "unknown"),
        (401, "not_ours"),
        (405, Refused(UNKNOWN, status=405)),
        (503, Refused(LATER, status=503)),
    ],
)
def test_a_deletion_tells_how_the_client_is_gone(upstream, status, outcome):
    at = upstream(said(status))
    held = managed_at(at)

    gone = registration.delete(
        at.outbound, held.registration_client_uri, held.registration_access_token
    )

    assert gone == outcome
    assert at.asked == ["DELETE /clients/c-1?v=1"]
    assert at.server.heads[0]["authorization"] == f"Bearer {TOKEN}"


def test_a_client_that_nobody_can_manage_is_left_alone(upstream):
    at = upstream(said(204))
    held = Registered(Client("c-1", "none"))

    assert registration.update(at.outbound, held, PROFILE) == Refused(UNMANAGED)
    assert registration.delete(at.outbound, "", "") == Refused(UNMANAGED)
    assert at.server.requests == []


def test_no_credential_is_in_the_text_of_a_registration(upstream):
    shown = repr(managed_at(upstream()))

    assert "s3cret" not in shown
    assert TOKEN not in shown
