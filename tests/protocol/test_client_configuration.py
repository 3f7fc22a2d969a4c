"""Client configuration endpoint (RFC 7592): who may read, replace and delete a registration."""

import json
from itertools import product

import pytest

from app.domain import clients
from app.domain.audit import AuditEvent
from app.domain.client_records import Client
from app.domain.consents import Consent
from app.extensions import db
from tests.conftest import ISSUER
from tests.corpora.hostile_registrations import HOSTILE
from tests.protocol import registrants
from tests.protocol.registrants import BODY, OPERATOR, SERVER_ONLY, Operator, bearer
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url

CHALLENGE = 'Bearer realm="gatewright", error="invalid_token"'
UNKNOWN = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def operator(app):
    return Operator(app)


@pytest.fixture
def registrant(client):
    """Return the registrant of a public client that waits for approval."""
    return registrants.register(client)


@pytest.fixture
def secretive(client):
    """Return the registrant of a confidential client that waits for approval."""
    return registrants.register(
        client, client_name="Secretive", token_endpoint_auth_method="client_secret_basic"
    )


@pytest.fixture
def resident(standing):
    """Return the registrant of a public client of the app that stands for all these tests."""
    return registrants.register(standing.http, client_name="Resident")


@pytest.fixture
def holder(standing):
    """Return the registrant of a confidential client of that app."""
    return registrants.register(
        standing.http, client_name="Holder", token_endpoint_auth_method="client_secret_post"
    )


def refusal(response):
    """Return status and error code of a refusal in the format of this endpoint."""
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.get_json().keys() == {"error", "error_description"}
    return response.status_code, response.get_json()["error"]


def test_reading_shows_the_registration_without_its_credentials(secretive):
    """N-174."""
    response = secretive.read()
    hidden = {"client_secret", "client_secret_expires_at", "registration_access_token"}

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert response.get_json() == {
        name: value for name, value in secretive.answer.items() if name not in hidden
    }
    assert response.get_json()["registration_client_uri"] == f"{ISSUER}{secretive.path}"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_whoever_is_not_the_registrant_gets_the_same_answer_everywhere(
    client, registrant, public, person, method
):
    """N-170, N-171, N-173, X-48, GHSA-c73q-w75p-j82v: nobody finds out which clients exist."""
    other = registrants.register(client, client_name="Other")
    deleted = registrants.register(client, client_name="Deleted")
    assert deleted.delete().status_code == 204
    attempts = [
        (registrant.path, other.token),
        (registrant.path, "rat_wrong"),
        (registrant.path, registrant.token[:-1]),
        (registrant.path, person.tokens(public)["access_token"]),
        (registrant.path, public.client_id),
        (registrant.path, "\u00e9" * 600),
        (deleted.path, deleted.token),
        (f"/clients/{UNKNOWN}", registrant.token),
        (f"{registrant.path}%00", registrant.token),
        (f"/clients/{'a' * 4000}", registrant.token),
        (f"/clients/https://client.example/{'b' * 100}", registrant.token),
        ("/clients/%F0%9F%92%A9%ff", registrant.token),
    ]
    answers = [
        client.open(path, method=method, json=BODY, headers=bearer(token))
        for path, token in attempts
    ]

    assert [refusal(answer) for answer in answers] == [(401, "invalid_token")] * len(attempts)
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {CHALLENGE}
    assert len({answer.data for answer in answers}) == 1
    assert registrant.read().status_code == 200


def test_the_token_counts_only_as_a_bearer_token_in_the_header(resident, subtests):
    """N-173."""
    headers = [None, "", "Basic eDp5", "DPoP {}", "{}", "Bearer"]
    for method, header in product(["GET", "PUT", "DELETE"], headers):
        with subtests.test(f"{method} {header}"):
            assert_is_no_bearer_token(resident, method, header)


def assert_is_no_bearer_token(resident, method, header):
    """Send the token in a wrong place; the client stays as it is."""
    headers = {} if header is None else {"Authorization": header.format(resident.token)}
    response = resident.http.open(
        f"{resident.path}?access_token={resident.token}",
        method=method,
        json=resident.document(access_token=resident.token),
        headers=headers,
    )

    assert refusal(response) == (401, "invalid_token")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert resident.read().status_code == 200


@pytest.mark.parametrize("path", ["/userinfo", "/introspect", "/revoke", "/token", "/register"])
def test_a_registration_access_token_opens_no_other_endpoint(resident, path):
    """N-173."""
    response = resident.http.post(
        path,
        data={"token": resident.token, "client_id": resident.client_id},
        headers=bearer(resident.token),
    )
    assert 400 <= response.status_code < 500
    assert resident.read().status_code == 200


def test_the_token_is_checked_before_the_body(resident):
    """A stranger learns nothing about what is accepted."""
    response = resident.http.put(resident.path, data=b"[" * 1000, headers=bearer("rat_wrong"))

    assert refusal(response) == (401, "invalid_token")


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_another_method_is_refused_with_the_ones_there_are(resident, method):
    """N-182, M-11."""
    response = resident.http.open(
        resident.path, method=method, json={"client_name": "x"}, headers=bearer(resident.token)
    )

    assert refusal(response) == (405, "invalid_request")
    assert {"GET", "PUT", "DELETE"} <= set(response.headers["Allow"].split(", "))


def test_nothing_is_printed_about_a_refused_update(resident, capfd):
    """M-12."""
    resident.http.put(resident.path, data=b"canary", headers=bearer(resident.token))
    resident.http.put(resident.path, json={"client_name": "canary"}, headers=bearer("rat_canary"))
    out, err = capfd.readouterr()

    assert out == ""
    assert "canary" not in err


def test_an_update_replaces_everything(app, secretive):
    """N-176, M-10: what is left out goes back to its default or is gone."""
    secretive.update(contacts=["a@client.example"], client_uri="https://registrant.example/")
    document = {
        "client_id": secretive.client_id,
        "redirect_uris": ["https://registrant.example/cb"],
    }
    response = secretive.put(document)

    assert response.status_code == 200
    with app.app_context():
        assert db.session.get(Client, secretive.client_id).client_metadata == {
            "redirect_uris": document["redirect_uris"],
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        }


def test_an_update_is_answered_with_what_a_read_says(secretive):
    response = secretive.update(client_name="Renamed")

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.get_json() == secretive.read().get_json()
    assert response.get_json()["client_name"] == "Renamed"
    assert not response.get_json().keys() & {"client_secret", "registration_access_token"}


def test_the_registration_token_stays_the_same_over_an_update(registrant):
    """N-181: it is not rotated, so that a lost answer locks nobody out."""
    assert registrant.update(client_name="Once").status_code == 200
    assert registrant.update(client_name="Twice").status_code == 200


@pytest.mark.parametrize("approved", [False, True], ids=["pending", "active"])
def test_sending_back_what_was_read_changes_nothing(client, operator, approved):
    """The software, its queue row and what is in force stay as they were."""
    twins = [registrants.register(client, scope=None) for _ in range(2)]
    if approved:
        operator.approve(twins[0])
    before = [operator.software_id(twin) for twin in twins]
    shown = twins[0].read().get_json()
    kept = {name: value for name, value in shown.items() if name not in SERVER_ONLY}
    if not approved:
        del kept["scope"]
    response = twins[0].put(kept)

    assert response.status_code == 200
    assert response.get_json() == shown
    assert [operator.software_id(twin) for twin in twins] == before


@pytest.mark.parametrize("named", [None, "", UNKNOWN, 5, ["x"]])
def test_an_update_must_name_its_client(resident, named):
    """N-175."""
    assert refusal(resident.update(client_id=named)) == (400, "invalid_client_metadata")


def test_an_update_must_not_contain_what_only_the_server_sets(resident, subtests):
    """N-175, also as null."""
    for member, value in product(SERVER_ONLY, ["x", 0, None]):
        with subtests.test(f"{member} {value}"):
            document = resident.document() | {member: value}
            assert refusal(resident.put(document)) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("secret", ["wrong", "", 5, [], True])
def test_a_secret_in_an_update_must_be_the_current_one(holder, secret):
    """N-175."""
    response = holder.put(holder.document() | {"client_secret": secret})

    assert refusal(response) == (400, "invalid_client_metadata")


def test_an_update_may_repeat_the_current_secret(holder):
    """N-175."""
    assert "client_secret" in holder.document()
    assert holder.update().status_code == 200


def test_a_public_client_cannot_set_a_secret_by_an_update(resident):
    response = resident.put(resident.document() | {"client_secret": "chosen"})

    assert refusal(response) == (400, "invalid_client_metadata")


def test_an_update_passes_the_rules_of_a_registration(resident, subtests):
    """N-177."""
    before = resident.read().get_json()
    for row in HOSTILE[::12]:
        with subtests.test(row.name):
            assert refusal(put_hostile(resident, row.body)) == (400, row.error)
            assert resident.read().get_json() == before


def put_hostile(resident, body):
    """Send a hostile registration as an update of a client."""
    if isinstance(body, dict):
        body = json.dumps(body | {"client_id": resident.client_id}).encode()
    return resident.http.put(
        resident.path,
        data=body,
        content_type="application/json",
        headers=bearer(resident.token),
    )


def test_deleting_answers_nothing_and_ends_everything(app, client, operator, person, approver):
    """N-180: token, client, refresh, access, code and consent; what happened is kept."""
    one = registrants.register(
        client, token_endpoint_auth_method="client_secret_post", scope="mcp:read mcp:write"
    )
    operator.approve(one)
    machine = one.machine
    tokens, code = person.tokens(machine), person.elsewhere().code(machine)
    response = one.delete()

    assert (response.status_code, response.data) == (204, b"")
    assert refusal(one.read()) == (401, "invalid_token")
    assert refusal(one.delete()) == (401, "invalid_token")
    assert refusal(machine.refresh(tokens["refresh_token"])) == (401, "invalid_client")
    assert refusal(machine.redeem(code)) == (401, "invalid_client")
    assert refusal(machine.revoke(tokens["refresh_token"])) == (401, "invalid_client")
    with app.app_context():
        live = db.select(Consent).where(
            Consent.client_id == one.client_id, Consent.revoked_at.is_(None)
        )
        assert db.session.scalars(live).all() == []
        history = db.select(AuditEvent.tag).where(AuditEvent.client_id == one.client_id)
        assert {"client.registered", "client.deleted"} <= set(db.session.scalars(history))


def test_the_access_tokens_of_a_deleted_client_are_inactive(
    client, operator, person, resource_server
):
    """N-180."""
    one = registrants.register(client, scope="mcp:read mcp:write")
    operator.approve(one)
    access = person.tokens(one.machine)["access_token"]
    before = resource_server.introspect(access).get_json()["active"]
    one.delete()

    assert before is True
    assert resource_server.introspect(access).get_json() == {"active": False}


def test_a_deleted_identifier_is_not_given_again(client, registrant):
    """N-163."""
    registrant.delete()
    later = registrants.register(client)

    assert later.client_id != registrant.client_id
    assert registrant.read().status_code == 401


@pytest.mark.parametrize("decision", ["reject", "block", "suspend"])
def test_a_stopped_client_can_be_read_and_deleted_but_not_revived(
    client, registrant, operator, decision
):
    """N-178, X-43."""
    if decision != "reject":
        operator.approve(registrant)
    getattr(operator, decision)(registrant)
    statuses = [
        registrant.update().status_code,
        registrant.update(client_name="Reborn").status_code,
        registrant.update(redirect_uris=["https://registrant.example/new"]).status_code,
    ]
    after = registrant.machine.refresh("rt_none")

    assert statuses == [403] * 3
    assert (after.status_code, after.get_json()["error"]) == (401, "invalid_client")
    assert registrant.read().get_json()["client_name"] == BODY["client_name"]
    assert registrant.delete().status_code == 204


def test_an_update_is_recorded_with_what_changed(registrant, audited):
    registrant.update(client_name="Renamed", client_uri="https://registrant.example/")
    (event,) = audited("client.updated")

    assert (event.actor_kind, event.actor_id) == ("client", registrant.client_id)
    assert event.detail["before"] == {"client_name": BODY["client_name"]}
    assert event.detail["after"] == {
        "client_name": "Renamed",
        "client_uri": "https://registrant.example/",
    }
    assert registrant.token not in str(event.detail)


def test_a_client_made_by_hand_has_no_registration_to_manage(client, resource_server):
    response = client.get(f"/clients/{resource_server.client_id}", headers=bearer("rat_any"))

    assert refusal(response) == (401, "invalid_token")


def test_a_registrant_reads_how_far_its_admission_is(app, client, clock):
    """Pending, approved, suspended, ended: never by trying to get a token."""
    operator = Operator(app)
    one, other = (registrants.register(client, client_name=name) for name in ("One", "Two"))

    def said() -> str:
        return one.read().get_json()["registration_status"]

    assert one.answer["registration_status"] == said() == "pending"
    operator.approve(one, until=clock.now + 60)
    assert said() == "approved"
    clock.advance(61)
    assert said() == "expired"
    operator.reject(other)
    assert other.read().get_json()["registration_status"] == "rejected"
    with app.app_context():
        row = clients.get(one.client_id)
        clients.suspend(row, "Enough.", by=OPERATOR)
        db.session.commit()
    assert said() == "suspended"
