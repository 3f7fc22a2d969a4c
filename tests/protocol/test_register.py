"""Registration endpoint (RFC 7591): what is answered, stored and refused."""

import re
from urllib.parse import urlsplit

import pytest

from app.domain import client_metadata, scopes
from app.domain.client_records import Client
from app.domain.software import Software
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol import registrants
from tests.protocol.registrants import BODY, Operator, post

UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")
OFFERED = {"mcp:read", "mcp:write", *scopes.BUILT_IN}
"""The catalogue of this door's tests: what an approval offers to software that names nothing."""


@pytest.fixture
def operator(app):
    return Operator(app)


def test_a_registration_is_answered_with_what_was_stored(client, clock):
    """N-151, N-163."""
    response = post(client)
    answer = response.get_json()

    assert response.status_code == 201
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert {name: answer[name] for name in BODY} == BODY
    assert answer["response_types"] == ["code"]
    assert answer["client_id_issued_at"] == clock.now
    assert answer["registration_client_uri"] == f"{ISSUER}/clients/{answer['client_id']}"
    assert answer["registration_access_token"].startswith("rat_")
    assert not answer["client_id"].startswith("http")


def test_nothing_is_stored_in_a_form_that_could_be_presented_again(app, client):
    """N-151: shown once; the database keeps digests."""
    answer = post(client, token_endpoint_auth_method="client_secret_post").get_json()

    with app.app_context():
        row = db.session.get(Client, answer["client_id"])
        stored = [str(getattr(row, column.name)) for column in Client.__table__.c]
    for secret in (answer["client_secret"], answer["registration_access_token"]):
        assert not any(secret in value for value in stored)


def test_a_public_client_gets_no_secret(client):
    """M-09."""
    answer = post(client, token_endpoint_auth_method="none").get_json()

    assert answer["token_endpoint_auth_method"] == "none"
    assert not answer.keys() & {"client_secret", "client_secret_expires_at"}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", None])
def test_a_confidential_client_gets_a_secret_of_plain_characters(client, method):
    """N-151, N-154."""
    answer = post(client, token_endpoint_auth_method=method).get_json()

    assert answer["token_endpoint_auth_method"] == (method or "client_secret_basic")
    assert UNRESERVED.fullmatch(answer["client_secret"])
    assert UNRESERVED.fullmatch(answer["client_id"])
    assert answer["client_secret_expires_at"] == 0


def test_a_registration_that_names_nothing_is_told_the_defaults(client):
    """N-154: code and refresh token, a secret by Basic, and what approval would offer."""
    answer = post(client, {"redirect_uris": ["https://client.example/cb"]}).get_json()

    assert answer["grant_types"] == ["authorization_code", "refresh_token"]
    assert answer["response_types"] == ["code"]
    assert answer["token_endpoint_auth_method"] == "client_secret_basic"
    assert set(answer["scope"].split()) == OFFERED
    assert "client_name" not in answer


@pytest.mark.parametrize(
    "asked, told",
    [
        ("mcp:write mcp:read", "mcp:write mcp:read"),
        ("nothing mcp:read nowhere", "mcp:read"),
        ("openid", "openid"),
        ("nothing nowhere", None),
    ],
)
def test_the_answer_names_the_scopes_that_exist_here(client, asked, told):
    """N-161."""
    assert post(client, scope=asked).get_json().get("scope") == told


def test_a_machine_client_is_not_offered_scopes_about_people(client):
    """N-161."""
    answer = post(client, {"grant_types": ["client_credentials"]}).get_json()

    assert set(answer["scope"].split()) == {"mcp:read", "mcp:write"}


def test_what_the_answer_says_about_scopes_is_not_stored(app, client, operator):
    """The stored metadata and the fingerprint are what the software itself said."""
    first = registrants.register(client, scope=None)
    second = registrants.register(client, scope=None)

    with app.app_context():
        row = db.session.get(Client, first.client_id)
        assert "scope" not in row.client_metadata
    assert operator.software_id(first) == operator.software_id(second)


def test_a_registration_of_approved_software_is_told_its_ceiling(client, operator):
    operator.approve(registrants.register(client, scope=None), allowed=["mcp:write", "mcp:read"])
    assert post(client, scope=None).get_json()["scope"] == "mcp:write mcp:read"


def test_two_identical_registrations_are_two_clients(client, operator):
    """N-165: nothing of one is handed to another; only the software is shared."""
    first, second = (registrants.register(client) for _ in range(2))

    assert first.client_id != second.client_id
    assert first.token != second.token
    assert operator.software_id(first) == operator.software_id(second)
    assert operator.look(operator.software_id(first)).seen_count == 2


def test_the_token_of_one_registration_does_not_manage_its_twin(client):
    """N-165, N-170."""
    first, second = (registrants.register(client) for _ in range(2))
    crossed = client.get(first.path, headers=registrants.bearer(second.token))

    assert crossed.status_code == 401
    assert first.read().status_code == second.read().status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-16", ""],
)
def test_another_media_type_is_refused_as_metadata(client, content_type):
    """N-150."""
    response = client.post(
        "/register", data=b'{"redirect_uris": ["https://c.example"]}', content_type=content_type
    )
    assert response.status_code == 400
    assert response.get_json()["error"] == "invalid_client_metadata"


def test_a_compressed_body_is_refused(client):
    """X-37."""
    response = client.post("/register", json=BODY, headers={"Content-Encoding": "gzip"})

    assert response.status_code == 415
    assert response.get_json()["error"] == "invalid_request"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_with_the_ones_there_are(client, method):
    """N-150."""
    response = client.open("/register", method=method)

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert response.get_json()["error"] == "invalid_request"


def test_no_column_of_ours_can_be_set_by_a_registration(app, client):
    """X-38: the names come from the model, so that a new column is covered."""
    columns = {column.name for table in (Client, Software) for column in table.__table__.c}
    ours = columns - client_metadata.RULES.keys() - BODY.keys()
    response = client.post("/register", json=BODY | dict.fromkeys(ours, "chosen"))

    assert response.status_code == 201
    with app.app_context():
        row = db.session.get(Client, response.get_json()["client_id"])
        owner = db.session.get(Software, row.software_id)
        assert (row.state, row.source, owner.status, owner.scopes) == ("live", "dcr", "pending", [])
        values = [getattr(each, c.name) for each in (row, owner) for c in each.__table__.c]
    assert "chosen" not in str(values)


def test_the_addresses_in_the_answer_are_those_of_the_issuer(client):
    """X-70: nothing of the request decides them."""
    response = client.post(
        "/register",
        json=BODY,
        base_url="https://attacker.example",
        headers={"X-Forwarded-Host": "attacker.example", "X-Forwarded-Proto": "http"},
    )
    where = urlsplit(response.get_json()["registration_client_uri"])

    assert f"{where.scheme}://{where.netloc}" == ISSUER


def test_a_refusal_is_recorded_with_its_reason(client, audited):
    assert post(client, redirect_uris=["http://client.example/cb"]).status_code == 400
    (event,) = audited("registration.refused")

    assert event.detail["error"] == "invalid_redirect_uri"


def test_a_registration_is_recorded_without_its_credentials(client, audited):
    answer = post(client, token_endpoint_auth_method="client_secret_basic").get_json()
    (event,) = audited("client.registered")

    assert event.client_id == answer["client_id"]
    assert event.detail["evidence"]["metadata"]["redirect_uris"] == BODY["redirect_uris"]
    assert answer["client_secret"] not in str(event.detail)
    assert answer["registration_access_token"] not in str(event.detail)


def test_a_registration_of_approved_software_is_active_at_once(client, operator, person):
    """Another loopback port is the same software; its own client gets its own tokens."""
    local = {"redirect_uris": ["http://127.0.0.1:1111/cb"], "scope": "mcp:read mcp:write"}
    operator.approve(registrants.register(client, **local))
    later = registrants.register(client, **local | {"redirect_uris": ["http://127.0.0.1:2222/cb"]})

    assert person.tokens(later.machine)["scope"] == "mcp:read mcp:write"


def test_what_differs_in_anything_that_was_approved_waits(client, operator):
    operator.approve(registrants.register(client))
    for changes in (
        {"redirect_uris": ["https://registrant.example/other"]},
        {"redirect_uris": [*BODY["redirect_uris"], "https://attacker.example/cb"]},
        {"client_name": "Another"},
        {"grant_types": ["authorization_code"]},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"software_id": "another"},
        {"jwks_uri": "https://registrant.example/jwks"},
    ):
        other = registrants.register(client, **changes)
        refused = other.machine.refresh("rt_none")

        assert operator.look(operator.software_id(other)).status == "pending", changes
        assert (refused.status_code, refused.get_json()["error"]) == (400, "access_denied")


@pytest.mark.parametrize("decision", ["reject", "block"])
def test_software_that_people_refused_cannot_register_again(client, operator, decision):
    first = registrants.register(client)
    if decision == "block":
        operator.approve(first)
    getattr(operator, decision)(first)
    response = post(client, address="192.0.2.9")

    assert response.status_code == 403
    assert response.get_json()["error"] == "access_denied"
    assert "This software is refused" in response.get_json()["error_description"]
    seen = operator.look(operator.software_id(first))
    assert (seen.seen_count, seen.addresses) == (2, ["192.0.2.1", "192.0.2.9"])


def test_each_client_that_acts_for_itself_is_approved_alone(client, operator):
    machine = {"grant_types": ["client_credentials"], "client_name": "Robot"}
    first, second = (registrants.register(client, body=machine) for _ in range(2))
    operator.approve(first)

    assert operator.software_id(first) != operator.software_id(second)
    granted = first.machine.post("/token", grant_type="client_credentials")
    waiting = second.machine.post("/token", grant_type="client_credentials")
    assert granted.status_code == 200
    assert (waiting.status_code, waiting.get_json()["error"]) == (400, "access_denied")


def test_client_credentials_next_to_a_redirect_is_still_approved_alone(client, operator):
    both = {
        "grant_types": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    first, second = (registrants.register(client, **both) for _ in range(2))

    assert operator.software_id(first) != operator.software_id(second)
