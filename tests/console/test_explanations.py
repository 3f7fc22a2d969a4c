"""Why a test on the page Acquire was refused, said for the client that it was run as."""

import pytest

from app.domain import clients
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.acquiring import ALONE, PAGE, missing, token_of
from tests.console.acquiring import alone as alone
from tests.console.acquiring import desktop as desktop
from tests.console.acquiring import make as make
from tests.console.acquiring import robot as robot
from tests.console.markup import controls, texts


@pytest.mark.parametrize(
    "typed, expected",
    [
        ({"proof": "wrong"}, ("Refused: invalid_client", "a lost one can only be rotated")),
        (
            {"scope": "tools write"},
            ("Refused: invalid_scope", "Beyond the ceiling of the client: write."),
        ),
        (
            {"scope": "tools openid"},
            ("Refused: invalid_scope", "Only for a person who is there: openid."),
        ),
        (
            {"scope": "unheard"},
            ("Refused: invalid_scope", "The resource takes no such scope: unheard."),
        ),
    ],
    ids=str,
)
def test_a_refusal_is_explained_for_this_client(alone, typed, expected):
    page = alone(**typed)

    assert missing(page, *expected) == []
    assert "Access token" not in page


def test_a_public_client_is_told_why_it_may_not_introspect(approver, send, desktop):
    typed = {"client_id": desktop.client_id, "token": "any"}

    page = send(approver, f"{PAGE}introspect", **typed).text

    assert missing(page, "Refused: invalid_client", "A public client may not introspect") == []


def test_a_grant_that_the_client_is_not_registered_for_is_said_before_and_after(
    approver, send, make
):
    web = make("authorization_code", redirect_uris=["https://web.example/cb"])
    stop = "The client is not registered for the grant client_credentials."

    before = approver.get(f"{PAGE}?kind=client_credentials&client_id={web.client_id}").text
    after = send(approver, ALONE, client_id=web.client_id, proof=web.secret, resource="").text

    assert missing(before, stop) == []
    assert missing(after, stop, "Refused: unauthorized_client") == []


def test_pending_software_is_shown_what_stops_it_and_where_to_decide(
    approver, send, register, find, catalogue, signing_key
):
    waiting = register(grant_types=["client_credentials"], redirect_uris=[])
    inbox = f"/admin/registrations/{find().id}"
    typed = {"client_id": waiting["client_id"], "proof": waiting["client_secret"], "resource": ""}

    before = approver.get(f"{PAGE}?client_id={waiting['client_id']}").text
    after = send(approver, ALONE, **typed).text

    for page in (before, after):
        assert missing(page, "It waits until somebody decides about its software.") == []
        assert controls(page, "a", href=inbox) != []
    assert missing(after, "Refused: access_denied", "waiting for approval") == []


def test_a_suspended_client_leads_to_its_page(app, alone, robot):
    with app.app_context():
        clients.suspend(clients.get(robot.client_id), "tired", by=SERVER)
        db.session.commit()

    page = alone()

    assert missing(page, "Refused: invalid_client", "An operator stopped this client") == []
    assert controls(page, "a", href=f"/admin/clients/{robot.client_id}") != []


@pytest.mark.parametrize(
    "overrides", [{"token_rate_limit": "2 per hour", "rate_limit_enabled": True}]
)
def test_the_rate_limit_of_the_endpoint_counts_here_too(alone):
    said = [texts(alone(proof="wrong")) for _ in range(3)]

    assert ["Refused: invalid_client" in page for page in said] == [True, True, False]
    assert "Refused: temporarily_unavailable" in said[2]
    assert "Retry-After" in said[2]


def test_a_token_of_another_client_works_but_may_not_be_seen(alone, approver, send, make):
    other = make("client_credentials", client_name="Other")
    token = token_of(alone())

    page = send(
        approver,
        f"{PAGE}introspect",
        client_id=other.client_id,
        proof=other.secret,
        token=token,
    ).text

    assert missing(page, '"active": false', "Introspection: Active", "may not see it") == []
