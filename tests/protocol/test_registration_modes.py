"""Who may register: the mode, and initial access tokens (RFC 7591 section 3)."""

import pytest

from app.domain import registration_tokens
from app.extensions import db
from tests.protocol import registrants
from tests.protocol.registrants import BODY, OPERATOR, Operator, post

STATIC = "a-static-token-of-a-test"
MODES = ["closed", "token", "open"]


@pytest.fixture
def operator(app):
    return Operator(app)


@pytest.fixture
def hand_out(app):
    """Return a function that makes an initial access token; gives its identifier and value."""

    def make(**options):
        with app.app_context():
            row, value = registration_tokens.create("for a test", by=OPERATOR, **options)
            db.session.commit()
            return row.id, value

    return make


@pytest.fixture
def look_at(app):
    """Return a function that gives the row of an initial access token."""

    def find(token_id):
        with app.app_context():
            row = registration_tokens.get(token_id)
            db.session.expunge(row)
        return row

    return find


def challenge(response):
    """Return the challenge of an answer that says 401 invalid_token."""
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_token")
    return response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("overrides", [{"registration_mode": mode} for mode in MODES], ids=str)
def test_the_mode_of_the_operator_wins_over_the_configured_one(client, operator, mode):
    operator.switch_mode(mode)
    status = {"closed": 403, "token": 401, "open": 201}[mode]

    assert post(client).status_code == status


@pytest.mark.parametrize(
    "overrides, status",
    [({"registration_mode": "closed"}, 403), ({"registration_mode": "token"}, 401), ({}, 201)],
    ids=MODES,
)
def test_without_an_operator_the_configured_mode_is_in_force(client, status):
    assert post(client).status_code == status


def test_a_switch_takes_effect_with_the_next_request_and_is_recorded(client, operator, audited):
    statuses = []
    for mode in ("closed", "open", "closed"):
        operator.switch_mode(mode)
        statuses.append(post(client).status_code)

    assert statuses == [403, 201, 403]
    assert [(e.detail["before"], e.detail["after"]) for e in audited("policy.mode_changed")] == [
        ("open", "closed"),
        ("closed", "open"),
        ("open", "closed"),
    ]


def test_closed_registration_says_whom_to_ask_even_to_somebody_with_a_token(
    client, operator, hand_out
):
    _, value = hand_out()
    operator.switch_mode("closed")
    response = post(client, token=value)

    assert (response.status_code, response.get_json()["error"]) == (403, "access_denied")
    assert "the operators of this server" in response.get_json()["error_description"]
    assert "WWW-Authenticate" not in response.headers


def test_clients_stay_manageable_when_registration_is_closed(client, operator):
    registrant = registrants.register(client)
    operator.switch_mode("closed")

    assert registrant.read().status_code == 200
    assert registrant.update(client_name="Renamed").status_code == 200
    assert registrant.delete().status_code == 204


def test_a_missing_token_is_answered_with_a_bare_challenge(client, operator):
    """N-152, RFC 6750 section 3.1: no error code where no token was sent."""
    operator.switch_mode("token")

    assert challenge(post(client)) == 'Bearer realm="gatewright"'


@pytest.mark.parametrize("mode", ["token", "open"])
@pytest.mark.parametrize("overrides", [{"registration_token": STATIC}], ids=["static token"])
def test_a_wrong_token_is_refused_in_every_mode(client, operator, mode):
    """N-152; in open mode too, so that a typing error does not go unnoticed."""
    operator.switch_mode(mode)

    for value in ("iat_wrong", "", "a b", "x" * 4000, "caf\u00e9", STATIC[:-1], f"{STATIC} x"):
        assert challenge(post(client, token=value)) == (
            'Bearer realm="gatewright", error="invalid_token"'
        )


def test_another_authorization_than_a_bearer_token_is_refused_in_open_mode(client):
    for scheme in ("Basic eDp5", "DPoP x", "Bearer", "x"):
        response = client.post("/register", json=BODY, headers={"Authorization": scheme})

        assert challenge(response).startswith("Bearer")


@pytest.mark.parametrize("mode", ["token", "open"])
@pytest.mark.parametrize("overrides", [{"registration_token": STATIC}], ids=["static token"])
def test_the_static_token_registers_any_number(client, operator, audited, mode):
    operator.switch_mode(mode)

    assert [post(client, token=STATIC).status_code for _ in range(3)] == [201] * 3
    assert [event.subject for event in audited("initial_token.used")] == ["static"] * 3


def test_the_scheme_of_a_bearer_token_is_read_without_case(client, operator, hand_out):
    operator.switch_mode("token")
    _, value = hand_out()
    response = client.post("/register", json=BODY, headers={"Authorization": f"bEaReR {value}"})

    assert response.status_code == 201


def test_a_token_is_counted_down_and_then_refused(client, operator, hand_out, look_at, clock):
    """N-152."""
    operator.switch_mode("token")
    token_id, value = hand_out(uses=2)
    responses = [post(client, token=value) for _ in range(3)]
    row = look_at(token_id)

    assert [response.status_code for response in responses] == [201, 201, 401]
    assert 'error="invalid_token"' in challenge(responses[2])
    assert (row.uses_left, row.used_count, row.last_used_at) == (0, 2, clock.now)


def test_a_token_without_a_count_is_counted_all_the_same(client, hand_out, look_at):
    token_id, value = hand_out()
    for _ in range(3):
        assert post(client, token=value).status_code == 201

    assert (look_at(token_id).uses_left, look_at(token_id).used_count) == (None, 3)


def test_a_refused_registration_costs_no_use(client, operator, hand_out, look_at):
    """A mistake in the metadata, or a refusal by policy, can be mended with the same token."""
    rejected = registrants.register(client, client_name="Rejected")
    operator.reject(rejected)
    token_id, value = hand_out(uses=1)
    mistaken = post(client, token=value, redirect_uris=["http://client.example/cb"])
    refused = post(client, token=value, client_name="Rejected")

    assert [mistaken.status_code, refused.status_code] == [400, 403]
    assert look_at(token_id).uses_left == 1
    assert post(client, token=value).status_code == 201


def test_a_token_ends_at_its_date(client, clock, hand_out):
    _, value = hand_out(expires_at=clock.now + 60)
    clock.advance(59)
    assert post(client, token=value).status_code == 201

    clock.advance(1)
    assert post(client, token=value).status_code == 401


def test_a_revoked_token_ends_at_once_and_its_clients_stay(app, client, hand_out):
    token_id, value = hand_out()
    registrant = registrants.register(client, token=value)
    with app.app_context():
        registration_tokens.revoke(token_id, by=OPERATOR)
        db.session.commit()

    assert post(client, token=value).status_code == 401
    assert registrant.read().status_code == 200


def test_a_client_remembers_the_token_it_came_with(client, hand_out, audited):
    token_id, value = hand_out()
    registrant = registrants.register(client, token=value)
    (event,) = audited("client.registered")
    (used,) = audited("initial_token.used")

    assert event.detail["evidence"]["initial_access_token"] == used.subject == token_id
    assert event.client_id == registrant.client_id
    assert value not in str(event.detail)


def test_an_initial_access_token_opens_nothing_else(client, hand_out):
    """N-173: a token of one kind is worth nothing at another door."""
    _, value = hand_out()
    registrant = registrants.register(client, token=value)

    for http in (client.get, client.delete):
        assert http(registrant.path, headers=registrants.bearer(value)).status_code == 401
    assert registrant.machine.refresh(value).status_code == 400


def test_a_registration_access_token_registers_nothing(client):
    """N-173."""
    registrant = registrants.register(client)

    assert post(client, token=registrant.token).status_code == 401


def test_a_token_counts_only_in_the_header(client, operator, hand_out):
    operator.switch_mode("token")
    _, value = hand_out()
    in_query = client.post(f"/register?access_token={value}", json=BODY)
    in_body = client.post("/register", json={**BODY, "access_token": value})

    assert in_query.status_code == in_body.status_code == 401
