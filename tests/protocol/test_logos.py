"""Logos where people are asked: beside the name, from this server, and only those looked at."""

import pytest

from app.domain import clients, decisions, software_logos
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.markup import controls, texts
from tests.domain.pictures import png
from tests.protocol import devices

URI = "https://client.example/logo.png"
KEPT = "Name and logo are still the ones it gave itself."


@pytest.fixture
def keep(app):
    """Return a function that keeps a logo for the software of a client, and shows it."""

    def store(machine, is_shown=True):
        with app.app_context():
            software_id = clients.get(machine.client_id).software_id
            kept = software_logos.keep(software_id, URI, png(), by=SERVER)
            if is_shown:
                software_logos.show(software_id, kept.digest, by=SERVER)
            db.session.commit()
            return f"/logos/{kept.digest}"

    return store


def logos(page):
    """Return where the pictures of a page are."""
    return [(each["src"], each["alt"]) for each in controls(page.text, "img")]


def test_a_logo_stands_beside_the_name_once_an_operator_lets_people_see_it(person, register, keep):
    """N-197"""
    machine = register(logo_uri=URI)
    address = keep(machine, is_shown=False)
    before = person.consent_page(machine)
    keep(machine)
    page = person.consent_page(machine)

    assert (logos(before), logos(page)) == ([], [(address, "")])
    assert person.open(address).data == png()
    assert KEPT in texts(page.text)
    assert KEPT not in texts(before.text)
    assert URI not in page.text
    assert "img-src 'self';" in page.headers["Content-Security-Policy"]


def test_a_device_is_let_in_under_the_same_logo(person, register, keep):
    device = register(**devices.METADATA, logo_uri=URI)
    address = keep(device)

    page = devices.type_code(person, devices.ask(device)["user_code"])

    assert logos(page) == [(address, "")]


def test_a_client_that_names_another_logo_is_shown_without_one(app, person, register, keep):
    """N-195, X-44: the picture was looked at as that of another address."""
    machine = register(logo_uri=URI)
    keep(machine)
    with app.app_context():
        row = clients.get(machine.client_id)
        row.client_metadata = row.client_metadata | {"logo_uri": f"{URI}?2"}
        db.session.commit()

    assert logos(person.consent_page(machine)) == []


def test_software_that_is_not_approved_has_no_logo(app, person, register, keep):
    waiting = register(approve=False, client_name="Waiting", logo_uri=URI)
    address = keep(waiting)
    page = person.open(waiting.asking())

    assert "Waiting" in page.text
    assert logos(page) == []
    assert person.open(address).status_code == 404
    blocked = register(client_name="Blocked", redirect_uris=["https://b.example/"], logo_uri=URI)
    assert keep(blocked) == address
    assert person.open(address).status_code == 200
    with app.app_context():
        decisions.block(clients.get(blocked.client_id).software_id, "why", by=SERVER)
        db.session.commit()
    assert person.open(address).status_code == 404
