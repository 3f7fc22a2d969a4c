"""Devices as tests use them: they ask, show a code, and poll; and people who let them in."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.domain import clients
from app.domain.audit import SERVER
from app.domain.grant_types import DEVICE
from app.extensions import db
from tests.protocol.machines import RESOURCE, SCOPES, Machine
from tests.protocol.persons import Person

METADATA: dict[str, Any] = {
    "client_name": "Television",
    "redirect_uris": [],
    "grant_types": [DEVICE, "refresh_token"],
    "scope": f"openid {SCOPES}",
}


def ask(machine: Machine, **changes: Any) -> dict[str, Any]:
    """Start a device authorization; return the answer."""
    wanted = {"scope": SCOPES, "resource": RESOURCE} | changes
    response = machine.post("/device_authorization", **wanted)
    assert response.status_code == 200, response.text
    return response.get_json()


def poll(machine: Machine, asked: dict[str, Any], **changes: Any) -> TestResponse:
    """Ask for the tokens once."""
    wanted = {"grant_type": DEVICE, "device_code": asked["device_code"]}
    return machine.post("/token", **(wanted | changes))


def type_code(person: Person, user_code: str) -> TestResponse:
    """Type a code, signing in on the way if need be."""
    page = person.open("/device")
    if page.status_code == 303:
        page = person.open(person.sign_in(person.open(page.location)).location)
    return person.submit(page, "/device", user_code=user_code)


def answer(person: Person, asked: dict[str, Any], decision: str = "allow") -> TestResponse:
    """Type the code of a device and answer the question."""
    page = type_code(person, asked["user_code"])
    assert page.status_code == 200, page.text
    return person.submit(page, "/device/decision", decision=decision)


def let_in(person: Person, machine: Machine, **changes: Any) -> dict[str, Any]:
    """Ask and allow; return what the device was given when it asked."""
    asked = ask(machine, **changes)
    assert answer(person, asked).status_code == 200
    return asked


def narrow(app: Flask, machine: Machine, allowed: list[str] | None) -> None:
    """Let an operator change what a device may get."""
    with app.app_context():
        clients.edit(clients.get(machine.client_id), by=SERVER, scopes=allowed, redirect_uris=())
        db.session.commit()
