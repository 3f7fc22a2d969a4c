"""What a client may do in each state, at each endpoint (the state table of the design)."""

import pytest

from app.domain import clients, decisions, grant_types, software
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol.machines import REDIRECT, RESOURCE, Machine, assert_refused, send
from tests.protocol.persons import answer_of
from tests.routes.table import TABLE

INACTIVE = {"active": False}
WAITING = "This client is waiting for approval by the operators of this server."


def suspend(machine):
    clients.suspend(clients.get(machine.client_id), "reason", by=SERVER)


def resume(machine):
    clients.resume(clients.get(machine.client_id), "reason", by=SERVER)


def delete(machine):
    clients.delete(clients.get(machine.client_id), "reason", by=SERVER)


def block(machine):
    decisions.block(clients.get(machine.client_id).software_id, "reason", by=SERVER)


def unblock(machine):
    decisions.unblock(clients.get(machine.client_id).software_id, "reason", by=SERVER)


def reject(machine):
    row = software.get(clients.get(machine.client_id).software_id)
    decisions.reject(row.id, row.revision, "reason", by=SERVER)


def approve_until(until):
    def approve(machine):
        row = software.get(clients.get(machine.client_id).software_id)
        offered = decisions.offered_scopes(row)
        decisions.approve(row.id, row.revision, allowed=offered, until=until, by=SERVER)

    return approve


@pytest.fixture
def act(app):
    """Return a function that does something to a client and commits."""

    def done(verb, machine):
        with app.app_context():
            verb(machine)
            db.session.commit()

    return done


# State, how it is reached from pending (P) or active (A), what each endpoint answers.
STATES = [
    ("pending", "P", None, "waiting", "access_denied", 200),
    ("active", "A", None, "normal", None, 200),
    ("rejected", "P", reject, "local", "invalid_client", 200),
    ("blocked", "A", block, "local", "invalid_client", 200),
    ("suspended", "A", suspend, "local", "invalid_client", 200),
    ("suspended while pending", "P", suspend, "local", "invalid_client", 200),
    ("expired", "P", approve_until(1), "local", "invalid_client", 200),
    ("deleted", "A", delete, "redirect", "invalid_client", 401),
    ("deleted while pending", "P", delete, "local", "invalid_client", 401),
    ("never seen", "", None, "local", "invalid_client", 401),
]
CALLS = [
    ("/token", {"grant_type": "authorization_code", "code": "ac_x", "code_verifier": "a" * 43}),
    ("/token", {"grant_type": "refresh_token", "refresh_token": "rt_x"}),
    ("/token", {"grant_type": "client_credentials"}),
    ("/token", {"grant_type": "nonsense"}),
    ("/token", {}),
    ("/revoke", {"token": "x"}),
    ("/introspect", {"token": "x"}),
    ("/par", {"response_type": "code"}),
    ("/device_authorization", {}),
    ("/token", {"grant_type": grant_types.DEVICE, "device_code": "dc_x"}),
    ("/token", {"grant_type": grant_types.EXCHANGE, "subject_token": "x"}),
]


@pytest.fixture(params=STATES, ids=lambda row: row[0])
def case(request, register, client, act):
    """Return a confidential client in a state, and its row of the table."""
    name, start, verb, *expected = request.param
    machine = Machine(client, "never-seen", "client_secret_basic", "secret", "rat_x")
    if start:
        machine = register(
            approve=start == "A",
            client_name=name,
            token_endpoint_auth_method="client_secret_basic",
            grant_types=["authorization_code", "refresh_token", "client_credentials"],
        )
    if verb is not None:
        act(verb, machine)
    return machine, *expected


def test_every_endpoint_answers_by_the_state_of_the_client(case, person, subtests):
    """X-40, N-026 and N-063 as product.md settles them"""
    machine, at_authorize, error, managed = case
    with subtests.test("/authorize"):
        check_authorize(person.open(machine.asking()), at_authorize)
        check_foreign(person.open(machine.asking(redirect_uri="https://attacker.example/")))
    for path, parameters in CALLS:
        with subtests.test(path, **parameters):
            response = machine.post(path, **parameters)
            wrong = Machine(machine.http, machine.client_id, machine.method, "wrong")
            assert_refused(wrong.post(path, **parameters), "invalid_client")
            if error is not None:
                assert_refused(response, error)
            else:
                assert response.status_code in (200, 400)
                assert response.get_json().get("error") not in ("invalid_client", "access_denied")
            if error == "access_denied":
                assert response.get_json()["error_description"] == WAITING
    with subtests.test("/clients"):
        bearer = {"Authorization": f"Bearer {machine.registration_token}"}
        response = machine.http.get(f"/clients/{machine.client_id}", headers=bearer)
        assert response.status_code == managed


def test_no_endpoint_of_clients_is_left_out():
    """X-40: one that is new has to be held against the states as well."""
    assert {path for path, _ in CALLS} == {each.path for each in TABLE if each.role == "client"}


def check_authorize(response, expected):
    """Check what the browser is shown or where it is sent."""
    if expected == "redirect":
        answer = answer_of(response)
        assert answer.pop("error_description")
        assert answer == {"error": "invalid_client", "state": "a state", "iss": ISSUER}
        return
    assert response.location is None
    assert response.mimetype == "text/html"
    assert response.status_code == (400 if expected == "local" else 200)
    assert ("Waiting for approval" in response.text) is (expected == "waiting")
    assert ('name="password"' in response.text) is (expected == "normal")


def check_foreign(response):
    """Check that a redirect that is not registered is never followed, in no state."""
    assert (response.status_code, response.location) == (400, None)


def test_a_public_client_that_waits_is_told_so(pending, public):
    """A real client that hears invalid_client throws its registration away."""
    for path, parameters in CALLS:
        assert_refused(pending.post(path, **parameters), "access_denied")
    unknown = {"client_id": "never-seen", "grant_type": "refresh_token"}
    assert_refused(send(public.http, "/token", unknown), "invalid_client")


def test_a_program_that_asks_about_an_unknown_client_gets_json(public, client):
    json = {"Accept": "application/json"}
    response = client.get(public.asking(client_id="never-seen"), headers=json)

    assert_refused(response, "invalid_request")


OTHER = "https://client.example/other"


@pytest.mark.parametrize("role, shown", [(None, False), ("member", False), ("viewer", True)])
def test_only_operators_read_on_a_page_of_ours_what_a_client_registered(
    act, enrol, register, role, shown
):
    """N-026, N-022: what was presented is everybody's to see."""
    machine = register(redirect_uris=[REDIRECT, OTHER])
    reader = enrol("reader@people.example", role or "member")
    if role is not None:
        reader.sign_in()
    foreign = reader.open(machine.asking(redirect_uri="https://typo.example/")).text
    act(suspend, machine)
    stopped = reader.open(machine.asking()).text

    assert [OTHER in page for page in (foreign, stopped)] == [shown, shown]
    assert "https://typo.example/" in foreign
    assert REDIRECT in stopped


ENDINGS = [("suspended", suspend, resume), ("blocked", block, unblock), ("deleted", delete, None)]


@pytest.fixture(params=ENDINGS, ids=lambda row: row[0])
def ending(request):
    return request.param[1:]


def test_stopping_a_client_ends_everything_it_holds(
    ending, act, person, confidential, resource_server
):
    """X-53, promise 2: tokens, codes and consents at once, and they stay ended."""
    stop, restart = ending
    tokens, code = person.tokens(confidential), person.code(confidential)
    page = person.consent_page(confidential, prompt="consent")
    own = confidential.post("/token", grant_type="client_credentials", resource=RESOURCE)
    access = [tokens["access_token"], own.get_json()["access_token"]]
    assert all(resource_server.introspect(each).get_json()["active"] for each in access)

    act(stop, confidential)

    assert_refused(confidential.refresh(tokens["refresh_token"]), "invalid_client")
    assert_refused(confidential.redeem(code), "invalid_client")
    assert [resource_server.introspect(each).get_json() for each in access] == [INACTIVE] * 2
    answered = person.decide(page)
    assert "code=" not in (answered.location or "")
    if restart is None:
        return
    act(restart, confidential)
    assert_refused(confidential.refresh(tokens["refresh_token"]), "invalid_grant")
    assert_refused(confidential.redeem(code), "invalid_grant")
    assert resource_server.introspect(tokens["access_token"]).get_json() == INACTIVE
    assert 'name="decision"' in person.open(confidential.asking()).text
    assert confidential.redeem(person.code(confidential)).status_code == 200


@pytest.mark.parametrize("verbs", [(suspend, resume), (block, unblock)], ids=["suspend", "block"])
def test_a_token_of_the_client_itself_stays_ended_after_a_stop(
    clock, verbs, act, confidential, resource_server
):
    """X-53: also the kind that no grant stands behind."""
    own = confidential.post("/token", grant_type="client_credentials", resource=RESOURCE)
    for verb in verbs:
        act(verb, confidential)
        clock.advance(1)

    token = own.get_json()["access_token"]
    assert resource_server.introspect(token).get_json() == INACTIVE
    assert confidential.introspect(token).get_json() == INACTIVE


def test_deleting_its_own_registration_ends_everything(person, public, resource_server):
    """N-180"""
    tokens = person.tokens(public)
    bearer = {"Authorization": f"Bearer {public.registration_token}"}
    assert public.http.delete(f"/clients/{public.client_id}", headers=bearer).status_code == 204

    assert resource_server.introspect(tokens["access_token"]).get_json() == INACTIVE
    assert_refused(public.refresh(tokens["refresh_token"]), "invalid_client")
    assert answer_of(person.open(public.asking()))["error"] == "invalid_client"
