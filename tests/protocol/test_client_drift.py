"""What ends when a client becomes something else (N-195)."""

import pytest

from tests.protocol import registrants
from tests.protocol.registrants import Operator

ONE, OTHER = "https://registrant.example/cb", "https://registrant.example/other"
LOOPBACK = "http://127.0.0.1/cb"
ASKS = 'name="decision"'


@pytest.fixture
def registrant(app, client):
    """Return the registrant of an approved client with two ways back and a loopback one."""
    found = registrants.register(client, redirect_uris=[ONE, OTHER, LOOPBACK])
    Operator(app).approve(found)
    return found


def asked(person, machine):
    """Tell whether a person is asked for consent."""
    return ASKS in person.open(machine.asking()).text


def test_grants_through_a_removed_redirect_uri_end_and_others_go_on(registrant, person):
    machine = registrant.machine
    ways = {uri: machine.at(uri) for uri in (ONE, OTHER, "http://127.0.0.1:49152/cb")}
    tokens = {uri: person.tokens(way)["refresh_token"] for uri, way in ways.items()}

    assert registrant.update(redirect_uris=[ONE, LOOPBACK]).status_code == 200

    answers = {uri: machine.refresh(token).status_code for uri, token in tokens.items()}
    assert list(answers.values()) == [200, 400, 200]
    assert asked(person, ways[ONE])


@pytest.mark.parametrize(
    "changes", [{"redirect_uris": [LOOPBACK, OTHER, ONE]}, {"software_version": "2"}]
)
def test_what_people_do_not_see_asks_nobody_anew(registrant, person, changes):
    machine = registrant.machine
    token = person.tokens(machine)["refresh_token"]

    assert registrant.update(**changes).status_code == 200

    assert not asked(person, machine)
    assert machine.refresh(token).status_code == 200


def test_a_new_name_asks_people_anew_once_it_is_approved(app, registrant, person):
    machine = registrant.machine
    token = person.tokens(machine)["refresh_token"]

    assert registrant.update(client_name="Another").status_code == 200
    assert not asked(person, machine)
    Operator(app).approve(registrant, waiting=True)

    assert asked(person, machine)
    assert machine.refresh(token).status_code == 200
