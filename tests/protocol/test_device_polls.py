"""What a device is told that polls for its tokens (RFC 8628 section 3.5, security.md N-112)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from joserfc import jws

from app.domain import clients, decisions, device_polls, errors
from app.domain.audit import SERVER
from app.domain.device_codes import DeviceCode
from app.extensions import db
from app.protocol import ceilings
from tests.conftest import Clock
from tests.protocol import devices
from tests.protocol.machines import RESOURCE, SCOPES, Machine, assert_refused
from tests.protocol.persons import Person


@pytest.fixture
def device(register: Callable[..., Machine]) -> Machine:
    return register(**devices.METADATA)


@pytest.fixture
def confidential(register: Callable[..., Machine]) -> Machine:
    """Return a device that proves itself and may introspect its own tokens."""
    return register(
        **devices.METADATA
        | {"client_name": "Box", "token_endpoint_auth_method": "client_secret_basic"}
    )


def test_a_device_waits_and_then_gets_tokens(
    device: Machine, person: Person, clock: Clock, audited: Callable[[str], list[Any]]
) -> None:
    """N-112"""
    asked = devices.ask(device)
    assert_refused(devices.poll(device, asked), "authorization_pending")
    devices.answer(person, asked)
    clock.advance(5)
    response = devices.poll(device, asked)

    tokens = response.get_json()
    assert response.status_code == 200, response.text
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (tokens["scope"], tokens["expires_in"]) == (SCOPES, 900)
    assert device.refresh(tokens["refresh_token"]).status_code == 200
    (approved,), (redeemed,) = audited("device_code.approved"), audited("device_code.redeemed")
    assert (approved.actor_id, approved.detail["user_id"]) == (person.user_id, person.user_id)
    assert (redeemed.client_id, redeemed.actor_id) == (device.client_id, device.client_id)
    assert len(audited("consent.given")) == 1


def test_the_tokens_are_those_of_the_person_who_allowed_and_of_the_resource(
    confidential: Machine, person: Person
) -> None:
    asked = devices.let_in(person, confidential, scope="openid mcp:read")
    tokens = devices.poll(confidential, asked).get_json()

    known = confidential.introspect(tokens["access_token"]).get_json()
    assert (known["active"], known["sub"]) == (True, person.user_id)
    assert (known["aud"], known["scope"]) == (RESOURCE, "openid mcp:read")
    identity = jws.extract_compact(tokens["id_token"].encode()).payload.decode()
    assert person.user_id in identity
    assert confidential.client_id in identity


def test_waiting_as_told_is_no_fault_and_fills_no_trail(
    device: Machine, clock: Clock, audited: Callable[[str], list[Any]]
) -> None:
    asked = devices.ask(device)
    for _ in range(10):
        assert_refused(devices.poll(device, asked), "authorization_pending")
        clock.advance(5)

    assert audited("request.refused") == []


def test_asking_too_often_lengthens_the_interval_for_good(device: Machine, clock: Clock) -> None:
    """N-112: 5 seconds, then 10, then 15; it never becomes shorter again."""
    asked = devices.ask(device)
    said = []
    for seconds in (0, 4, 9, 15, 14):
        clock.advance(seconds)
        said.append(devices.poll(device, asked).get_json()["error"])

    slow, pending = "slow_down", "authorization_pending"
    assert said == [pending, slow, slow, pending, slow]


def test_who_asked_too_often_still_gets_the_tokens_at_once_when_allowed(
    device: Machine, person: Person, clock: Clock
) -> None:
    """RFC 8628 section 3.5: slow_down is for as long as nobody has answered."""
    asked = devices.ask(device)
    for _ in range(3):
        devices.poll(device, asked)
    devices.answer(person, asked)

    assert devices.poll(device, asked).status_code == 200


def test_a_device_that_was_turned_away_is_told_so(
    device: Machine, person: Person, audited: Callable[[str], list[Any]]
) -> None:
    asked = devices.ask(device)
    devices.answer(person, asked, "deny")

    assert_refused(devices.poll(device, asked), "access_denied")
    (denied,) = audited("device_code.denied")
    assert (denied.actor_id, denied.subject) == (person.user_id, device.client_id)
    assert (len(audited("consent.denied")), audited("consent.given")) == (1, [])


@pytest.mark.parametrize("allowed", [False, True])
def test_a_code_that_was_not_used_in_time_has_expired(
    device: Machine, person: Person, clock: Clock, allowed: bool
) -> None:
    asked = devices.ask(device)
    if allowed:
        devices.answer(person, asked)
    clock.advance(899)
    assert allowed or devices.poll(device, asked).get_json()["error"] == "authorization_pending"
    clock.advance(1)

    assert_refused(devices.poll(device, asked), "expired_token")


@pytest.mark.parametrize("change", ["dc_unknown", "dc_" + "a" * 50_000, "\u00e9", "BCDF-GHJK"])
def test_an_unknown_code_is_refused_as_a_grant(device: Machine, change: str) -> None:
    asked = devices.ask(device)
    assert_refused(devices.poll(device, asked, device_code=change), "invalid_grant")
    assert_refused(devices.poll(device, asked, device_code=asked["user_code"]), "invalid_grant")
    assert_refused(devices.poll(device, asked, device_code=None), "invalid_request")


def test_another_client_cannot_use_a_code_and_does_not_spend_it(
    device: Machine, confidential: Machine, person: Person
) -> None:
    """X-52"""
    asked = devices.let_in(person, device)
    assert_refused(devices.poll(confidential, asked), "invalid_grant")

    assert devices.poll(device, asked).status_code == 200


def test_a_replay_ends_the_family_of_the_first(
    confidential: Machine, person: Person, audited: Callable[[str], list[Any]]
) -> None:
    """N-112: never a second set of tokens, and whoever copied the code keeps nothing."""
    asked = devices.let_in(person, confidential)
    first = devices.poll(confidential, asked).get_json()
    assert_refused(devices.poll(confidential, asked), "invalid_grant")

    assert confidential.introspect(first["access_token"]).get_json() == {"active": False}
    assert_refused(confidential.refresh(first["refresh_token"]), "invalid_grant")
    assert len(audited("device_code.replayed")) == 1


def test_a_refused_resource_does_not_spend_the_code(device: Machine, person: Person) -> None:
    asked = devices.let_in(person, device)
    elsewhere = devices.poll(device, asked, resource="https://other.example/")
    assert_refused(elsewhere, "invalid_target")

    assert devices.poll(device, asked, resource=RESOURCE).status_code == 200


def test_policy_is_asked_again_when_the_code_is_redeemed(
    app: Flask, device: Machine, person: Person
) -> None:
    asked = devices.let_in(person, device)
    devices.narrow(app, device, ["mcp:read"])

    assert devices.poll(device, asked).get_json()["scope"] == "mcp:read"


def test_what_was_not_shown_to_the_person_is_not_granted_later(
    app: Flask, device: Machine, person: Person, audited: Callable[[str], list[Any]]
) -> None:
    """N-114: the answer is to the question that was shown, whatever policy says afterwards."""
    asked = devices.ask(device)
    devices.narrow(app, device, ["mcp:read"])
    devices.answer(person, asked)
    devices.narrow(app, device, None)

    assert devices.poll(device, asked).get_json()["scope"] == "mcp:read"
    assert audited("consent.given")[0].detail["scopes"] == ["mcp:read"]


def test_a_code_that_is_withdrawn_between_proof_and_spending_is_worth_nothing(
    app: Flask, device: Machine, person: Person
) -> None:
    """F-05: the one UPDATE that spends a code finds it gone."""
    asked = devices.let_in(person, device)
    with app.app_context():
        row = device_polls.poll(asked["device_code"], device.client_id)
        decisions.block(clients.get(device.client_id).software_id, "reason", by=SERVER)
        db.session.commit()

        rules = ceilings.rules(app.extensions["gatewright.settings"])
        with pytest.raises(errors.InvalidGrant):
            device_polls.redeem(rules, row, by=SERVER)
        assert db.session.scalars(db.select(DeviceCode)).all() == []
