"""Registrations of real clients, from the first request to the sign-in page."""

import pytest

from tests.corpora.client_registrations import REGISTRATIONS
from tests.protocol.machines import PROOF, form
from tests.protocol.registrants import Registrant
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url


def hollow(value):
    """Return what is null or empty anywhere in a JSON value."""
    if isinstance(value, dict):
        return [found for inner in value.values() for found in hollow(inner)]
    if isinstance(value, list) and value:
        return [found for inner in value for found in hollow(inner)]
    return [value] if value in (None, "", [], {}) else []


def asking(registrant, redirect_uri):
    """Return an authorization request as a client sends it that leaves out what it may."""
    wanted = {
        "response_type": "code",
        "client_id": registrant.client_id,
        "redirect_uri": redirect_uri,
        "code_challenge": PROOF.challenge,
        "code_challenge_method": "S256",
    }
    return f"/authorize?{form(wanted)}"


@pytest.mark.parametrize("row", REGISTRATIONS, ids=lambda row: row.client)
def test_a_real_client_registers_waits_and_is_let_in(standing, row):
    operator = standing.operator
    response = standing.http.post("/register", json=row.body)
    answer = response.get_json()

    assert response.status_code == 201
    assert answer["redirect_uris"] == row.body["redirect_uris"]
    assert hollow(answer) == []
    asked_method = row.body.get("token_endpoint_auth_method") or "client_secret_basic"
    assert answer["token_endpoint_auth_method"] == asked_method
    assert ("client_secret" in answer) == (asked_method != "none")
    assert "refresh_token" in answer["grant_types"]

    registrant = Registrant(standing.http, answer)
    if operator.look(operator.software_id(registrant)).status == "pending":
        before = standing.http.get(asking(registrant, row.redirect_uri))
        assert before.status_code == 200
        assert 'name="password"' not in before.text
        operator.approve(registrant)
    shown = standing.http.get(asking(registrant, row.redirect_uri))
    assert shown.status_code == 200
    assert 'name="password"' in shown.text
    assert hollow(registrant.read().get_json()) == []


@pytest.mark.parametrize("row", REGISTRATIONS, ids=lambda row: row.client)
def test_the_redirect_uri_of_a_real_client_is_compared_strictly(standing, row):
    registrant = Registrant(
        standing.http, standing.http.post("/register", json=row.body).get_json()
    )
    for other in (f"{row.redirect_uri}x", f"{row.redirect_uri}?x=1", row.redirect_uri.upper()):
        refused = standing.http.get(asking(registrant, other))

        assert (refused.status_code, refused.headers.get("Location")) == (400, None), other


@pytest.mark.parametrize("row", REGISTRATIONS, ids=lambda row: row.client)
def test_a_real_client_comes_back_as_the_same_software(standing, row):
    """The port of a loopback redirect differs from login to login."""
    twins = [
        Registrant(standing.http, standing.http.post("/register", json=body).get_json())
        for body in (row.body, elsewhere(row.body))
    ]
    assert len({standing.operator.software_id(twin) for twin in twins}) == 1
    assert len({twin.client_id for twin in twins}) == 2


def elsewhere(body):
    """Return a registration with other loopback ports."""
    moved = [
        f"{uri.split('://')[0]}://{uri.split('/')[2].split(':')[0]}:61234/{uri.split('/', 3)[3]}"
        if uri.startswith("http://")
        else uri
        for uri in body["redirect_uris"]
    ]
    return body | {"redirect_uris": moved}
