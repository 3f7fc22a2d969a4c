"""What ends the codes of devices: people, sessions and clients that end (security.md N-115)."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, update

from app import clock as server_clock
from app.domain import clients, consents, decisions, software, users
from app.domain.audit import SERVER
from app.domain.sessions import Session
from app.domain.users import User
from app.extensions import db
from tests.conftest import Clock
from tests.protocol import devices
from tests.protocol.machines import Machine, assert_refused
from tests.protocol.persons import Person

Ending = Callable[[Machine, Person], None]


@pytest.fixture
def device(register: Callable[..., Machine]) -> Machine:
    return register(**devices.METADATA)


def disable(_device: Machine, person: Person) -> None:
    users.disable(users.find(person.user_id), by=SERVER)


def mark_disabled(_device: Machine, person: Person) -> None:
    """Set the mark alone, as if the answer had come just after it."""
    db.session.execute(update(User).values(disabled_at=server_clock.epoch()))


def end_session(_device: Machine, person: Person) -> None:
    """Delete the session alone, as if the answer had come just after it."""
    db.session.execute(delete(Session))


def change_role(_device: Machine, person: Person) -> None:
    users.change_role(users.find(person.user_id), "viewer", by=SERVER)


def revoke_consent(device: Machine, person: Person) -> None:
    consents.revoke(user_id=person.user_id, client_id=device.client_id, by=SERVER)


def revoke_tokens(device: Machine, _person: Person) -> None:
    clients.revoke_tokens(clients.get(device.client_id), by=SERVER)


def suspend_and_resume(device: Machine, _person: Person) -> None:
    clients.suspend(clients.get(device.client_id), "reason", by=SERVER)
    clients.resume(clients.get(device.client_id), "reason", by=SERVER)


def block_and_unblock(device: Machine, _person: Person) -> None:
    software_id = clients.get(device.client_id).software_id
    decisions.block(software_id, "reason", by=SERVER)
    decisions.unblock(software_id, "reason", by=SERVER)


OF_PEOPLE = [disable, mark_disabled, end_session, change_role, revoke_consent]
OF_CLIENTS = [revoke_tokens, suspend_and_resume, block_and_unblock]


@pytest.mark.parametrize("end", [*OF_PEOPLE, *OF_CLIENTS], ids=lambda end: end.__name__)
def test_what_was_allowed_ends_with_whoever_it_came_from(
    app: Flask, device: Machine, person: Person, end: Ending
) -> None:
    """N-115, N-087, X-53"""
    asked = devices.let_in(person, device)
    with app.app_context():
        end(device, person)
        db.session.commit()

    assert_refused(devices.poll(device, asked), "invalid_grant")


def test_signing_out_ends_what_was_allowed_in_this_browser_alone(
    device: Machine, person: Person
) -> None:
    elsewhere = person.elsewhere()
    here, there = devices.let_in(person, device), devices.let_in(elsewhere, device)
    sign_out(person)

    assert_refused(devices.poll(device, here), "invalid_grant")
    assert devices.poll(device, there).status_code == 200


def sign_out(person: Person) -> None:
    page = person.open("/")
    assert person.submit(page, "/logout").status_code == 200


def test_what_was_redeemed_before_outlives_the_session(device: Machine, person: Person) -> None:
    asked = devices.let_in(person, device)
    tokens = devices.poll(device, asked).get_json()
    sign_out(person)

    assert device.refresh(tokens["refresh_token"]).status_code == 200


def test_a_replay_after_signing_out_still_ends_the_family(device: Machine, person: Person) -> None:
    """N-112: whoever copied the code keeps nothing, however late the copy is noticed."""
    asked = devices.let_in(person, device)
    tokens = devices.poll(device, asked).get_json()
    sign_out(person)
    assert_refused(devices.poll(device, asked), "invalid_grant")

    assert_refused(device.refresh(tokens["refresh_token"]), "invalid_grant")


def test_a_code_of_a_client_that_was_stopped_cannot_be_answered(
    app: Flask, device: Machine, person: Person
) -> None:
    """N-115: neither when it is typed nor on a page that was open already."""
    asked, shown = devices.ask(device), devices.ask(device)
    open_page = devices.type_code(person, shown["user_code"])
    with app.app_context():
        clients.suspend(clients.get(device.client_id), "reason", by=SERVER)
        db.session.commit()

    assert devices.type_code(person, asked["user_code"]).status_code == 400
    assert person.submit(open_page, "/device/decision", decision="allow").status_code == 400
    assert_refused(devices.poll(device, asked), "invalid_client")


def test_an_approval_that_ran_out_meanwhile_is_said_on_the_page(
    app: Flask, register: Callable[..., Machine], person: Person, clock: Clock
) -> None:
    device = register(approve=False, **devices.METADATA)
    with app.app_context():
        row = software.get(clients.get(device.client_id).software_id)
        until, offered = clock.now + 100, decisions.offered_scopes(row)
        decisions.approve(row.id, row.revision, allowed=offered, until=until, by=SERVER)
        db.session.commit()
    asked = devices.ask(device)
    clock.advance(100)

    page = devices.type_code(person, asked["user_code"])
    assert page.status_code == 400
    assert "This app is not active here" in page.text


def test_closed_software_takes_no_newcomers_on_devices(
    app: Flask, device: Machine, person: Person, approver: Person
) -> None:
    devices.let_in(approver, device)
    asked, again = devices.ask(device), devices.ask(device)
    with app.app_context():
        decisions.close(clients.get(device.client_id).software_id, "too many", by=SERVER)
        db.session.commit()

    refused = devices.type_code(person, asked["user_code"])
    assert refused.status_code == 400
    assert "takes no new people" in refused.text
    assert devices.answer(approver, again).status_code == 200
    assert devices.poll(device, again).status_code == 200
