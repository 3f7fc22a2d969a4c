"""The pages where a person lets a device in (RFC 8628 section 3.3, security.md N-113, N-114)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.domain.device_codes import DeviceCode
from app.extensions import db
from tests.conftest import ISSUER, Clock
from tests.protocol import devices
from tests.protocol.machines import RESOURCE, Machine, assert_refused
from tests.protocol.persons import Person, find_form

UNKNOWN = "No device waits with this code"


@pytest.fixture
def device(register: Callable[..., Machine]) -> Machine:
    return register(**devices.METADATA)


def decision_page(person: Person, asked: dict[str, Any]) -> TestResponse:
    """Return the page that asks whether to let a device in."""
    page = devices.type_code(person, asked["user_code"])
    assert 'name="decision"' in page.text
    return page


def test_the_form_is_for_who_is_signed_in_and_comes_back_with_the_code(
    device: Machine, person: Person
) -> None:
    """N-114"""
    address = devices.ask(device)["verification_uri_complete"].removeprefix(ISSUER)
    asked_to_sign_in = person.open(address)
    assert asked_to_sign_in.location.startswith("/login?next=/device")

    back = person.sign_in(person.open(asked_to_sign_in.location))
    assert back.location == address


def test_a_code_in_the_address_is_filled_in_and_nothing_more(
    app: Flask, device: Machine, person: Person
) -> None:
    """N-114: verification_uri_complete still asks."""
    asked = devices.ask(device)
    person.sign_in()
    page = person.open(asked["verification_uri_complete"].removeprefix(ISSUER))

    assert find_form(page, "/device").fields["user_code"] == asked["user_code"]
    assert 'name="decision"' not in page.text
    assert "Television" not in page.text
    assert_refused(devices.poll(device, asked), "authorization_pending")


@pytest.mark.parametrize("typed", ['"><script>', "BCDF", "AEIO-AEIO", "%00", "B" * 9])
def test_what_cannot_be_a_code_is_not_filled_in(person: Person, typed: str) -> None:
    person.sign_in()
    page = person.open("/device", query_string={"user_code": typed})

    assert find_form(page, "/device").fields["user_code"] == ""


def variants(code: str) -> list[str]:
    """Return how people type a code."""
    letters = code.replace("-", "")
    return [code.lower(), letters, f" {letters[:2]} {letters[2:]} ", code.replace("-", "\u2013")]


def test_a_code_counts_however_it_is_typed(device: Machine, person: Person) -> None:
    """N-113"""
    for typed in variants(devices.ask(device)["user_code"]):
        assert 'name="decision"' in devices.type_code(person, typed).text, typed


def test_the_question_says_who_asks_from_where_and_for_what(
    device: Machine, person: Person, approver: Person, clock: Clock
) -> None:
    """N-114"""
    device.http.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    asked = devices.ask(device)
    clock.advance(130)
    page = decision_page(person, asked)

    for words in (
        "Television",
        asked["user_code"],
        "203.0.113.7",
        "2 minutes ago",
        "Approved by",
        "Read your notes",
        "Change your notes",
        RESOURCE,
        person.email,
        device.client_id,
        "Did the code come in a message",
    ):
        assert words in page.text, words
    assert page.headers["Cache-Control"] == "no-store"


def test_a_name_is_shown_as_text(register: Callable[..., Machine], person: Person) -> None:
    named = register(**devices.METADATA | {"client_name": "<b>Bold</b>"})
    page = decision_page(person, devices.ask(named))

    assert "&lt;b&gt;Bold&lt;/b&gt;" in page.text


def test_looking_changes_nothing_and_an_answer_is_given_once(
    app: Flask, device: Machine, person: Person
) -> None:
    asked = devices.ask(device)
    page = decision_page(person, asked)
    assert_refused(devices.poll(device, asked), "authorization_pending")

    allowed = person.submit(page, "/device/decision", decision="allow")
    again = person.submit(page, "/device/decision", decision="deny")

    assert "Go back to your device" in allowed.text
    assert again.status_code == 400
    assert "already answered" in again.text
    assert devices.poll(device, asked).status_code == 200


def test_of_two_open_pages_the_first_answer_counts(device: Machine, person: Person) -> None:
    """N-114: approve against deny."""
    asked = devices.ask(device)
    one, other = decision_page(person, asked), decision_page(person, asked)
    denied = person.submit(one, "/device/decision", decision="deny")
    late = person.submit(other, "/device/decision", decision="allow")

    assert "turned away" in denied.text
    assert late.status_code == 409
    assert_refused(devices.poll(device, asked), "access_denied")


@pytest.mark.parametrize(
    "change",
    [
        {"ticket": "x"},
        {"ticket": None},
        {"ticket": "1.a.b"},
        {"user_code": "BCDF-GHJK"},
        {"user_code": None},
        {"decision": "maybe"},
        {"decision": None},
    ],
    ids=str,
)
def test_a_form_that_is_not_the_shown_one_answers_nothing(
    device: Machine, person: Person, change: dict[str, Any]
) -> None:
    asked = devices.ask(device)
    sent = {"decision": "allow"} | change
    refused = person.submit(decision_page(person, asked), "/device/decision", **sent)

    assert refused.status_code == 400
    assert_refused(devices.poll(device, asked), "authorization_pending")


def test_a_ticket_is_for_one_code_and_one_session(
    device: Machine, person: Person, approver: Person
) -> None:
    """N-114: nobody can make somebody else answer, or answer for another device."""
    mine, other = devices.ask(device), devices.ask(device)
    page = decision_page(person, mine)
    ticket = find_form(page, "/device/decision").fields["ticket"]
    swapped = person.submit(
        page, "/device/decision", decision="allow", user_code=other["user_code"]
    )
    theirs = decision_page(approver, mine)
    stolen = approver.submit(theirs, "/device/decision", decision="allow", ticket=ticket)

    assert (swapped.status_code, stolen.status_code) == (400, 400)
    for asked in (mine, other):
        assert devices.poll(device, asked).get_json()["error"] == "authorization_pending"


def test_a_ticket_is_for_what_was_shown(app: Flask, device: Machine, person: Person) -> None:
    """N-114: whoever was asked about less than is asked for now has to be asked again."""
    asked = devices.ask(device)
    devices.narrow(app, device, ["mcp:read"])
    page = decision_page(person, asked)
    devices.narrow(app, device, None)

    assert person.submit(page, "/device/decision", decision="allow").status_code == 400
    assert_refused(devices.poll(device, asked), "authorization_pending")


def test_who_signed_out_meanwhile_is_asked_to_sign_in(device: Machine, person: Person) -> None:
    asked = devices.ask(device)
    page = decision_page(person, asked)
    fields = find_form(page, "/device/decision").fields
    person.http.delete_cookie("__Host-gatewright", domain="gatewright.example")
    token = find_form(person.open("/login"), "/login").fields["csrf_token"]
    sent = person.http.post(
        "/device/decision", data=fields | {"decision": "allow", "csrf_token": token}
    )

    assert sent.location.startswith("/login?next=/device")
    assert_refused(devices.poll(device, asked), "authorization_pending")


def test_every_code_that_nobody_can_answer_reads_alike(
    device: Machine, person: Person, clock: Clock
) -> None:
    """N-113: unknown, malformed, answered and expired."""
    answered, expired = devices.ask(device), devices.ask(device)
    devices.answer(person, answered)
    clock.advance(900)
    typed = ["BCDF-GHJK", "x", answered["user_code"], expired["user_code"]]
    pages = [devices.type_code(person, code) for code in typed]

    assert {page.status_code for page in pages} == {400}
    assert all(UNKNOWN in page.text for page in pages)
    assert len({re.sub(r'value="[^"]*"', "", page.text) for page in pages}) == 1


def test_an_allowed_device_has_its_consent_on_record(
    app: Flask, device: Machine, person: Person
) -> None:
    asked = devices.let_in(person, device)
    with app.app_context():
        row = db.session.execute(db.select(DeviceCode.user_id, DeviceCode.allowed)).one()
        given = db.session.execute(db.text("SELECT user_id, client_id FROM consents")).all()

    assert tuple(row) == (person.user_id, True)
    assert [tuple(each) for each in given] == [(person.user_id, device.client_id)]
    assert devices.poll(device, asked).status_code == 200


def test_the_picture_of_an_address_is_drawn_for_any_code_and_for_nothing_else(
    person: Person,
) -> None:
    """RFC 8628 section 3.3.1: it says no more than who asks for it knows."""
    drawn = person.open("/device/qr.svg?user_code=bcdfghjk")
    same = person.open("/device/qr.svg?user_code=BCDF-GHJK")

    assert (drawn.status_code, drawn.mimetype) == (200, "image/svg+xml")
    assert drawn.text.count("<path") == 2
    assert drawn.get_data() == same.get_data()
    assert drawn.headers["Cache-Control"] == "no-store"
    assert person.open("/device/qr.svg?user_code=<script>").status_code == 404
    assert person.open("/device/qr.svg").status_code == 404
