"""Floods from one IPv6 network: its addresses count as one, and are kept whole (N-016, X-39)."""

import pytest

from app.domain import recycling
from app.domain.client_records import Client
from app.extensions import db
from app.protocol import refusals
from tests.protocol.registrants import post

LIMITED = {"rate_limit_enabled": True}
ELSEWHERE = "2001:db8:0:2::1"


def neighbour(number: int) -> str:
    """Return one of the addresses of a network."""
    return f"2001:db8:0:1:{number:x}::{number:x}"


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
def test_registrations_of_one_network_share_a_limit_and_keep_their_addresses(client, audited):
    statuses = [post(client, address=neighbour(number)).status_code for number in range(6)]

    assert statuses == [201] * 5 + [429]
    assert post(client, address=ELSEWHERE).status_code == 201
    assert [event.address for event in audited("limit.reached")] == [neighbour(5)]
    assert {event.address for event in audited("client.registered")} == {
        *map(neighbour, range(5)),
        ELSEWHERE,
    }


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
def test_an_address_that_is_spelled_in_another_family_is_the_same(client):
    statuses = [post(client, address="192.0.2.1").status_code for _ in range(4)]
    statuses += [post(client, address="::ffff:192.0.2.1").status_code for _ in range(2)]

    assert statuses == [201] * 5 + [429]


@pytest.mark.parametrize(
    "overrides", [LIMITED | {"token_rate_limit": "3 per minute"}], ids=["limited"]
)
def test_refusals_at_the_token_endpoint_are_counted_by_network(client):
    form = {"grant_type": "client_credentials", "client_id": "nobody"}
    answers = [
        client.post("/token", data=form, environ_overrides={"REMOTE_ADDR": neighbour(number)})
        for number in range(4)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


def test_a_network_that_tries_many_accounts_waits(person, clock):
    for number in range(21):
        person.http.environ_base["REMOTE_ADDR"] = neighbour(number)
        person.sign_in(username=f"p{number}@people.example", password="wrong password")
    person.http.environ_base["REMOTE_ADDR"] = neighbour(99)
    assert person.sign_in().status_code == 429

    person.http.environ_base["REMOTE_ADDR"] = ELSEWHERE
    assert person.sign_in().status_code == 303


def test_a_network_fills_the_trail_with_refusals_as_slowly_as_an_address(
    client, audited, monkeypatch
):
    monkeypatch.setattr(refusals, "RECORDED", "3 per minute")
    for number in range(6):
        assert post(client, redirect_uris=[], address=neighbour(number)).status_code == 400

    assert [event.address for event in audited("registration.refused")] == [
        neighbour(number) for number in range(3)
    ]


def test_unused_registrations_are_kept_by_network_with_their_whole_addresses(
    app, client, monkeypatch
):
    monkeypatch.setattr(recycling, "UNUSED_PER_NETWORK", 3)
    for number in range(6):
        assert post(client, address=neighbour(number)).status_code == 201
    post(client, address=ELSEWHERE)

    with app.app_context():
        kept = db.session.scalars(db.select(Client.address).order_by(Client.client_id)).all()
    assert kept == [neighbour(3), neighbour(4), neighbour(5), ELSEWHERE]
