"""Device authorization endpoint (RFC 8628 section 3.1, security.md N-110 and N-111)."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.device_codes import DeviceCode
from app.domain.grant_types import CODE
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol import devices
from tests.protocol.machines import RESOURCE, SCOPES, Machine, assert_refused

OTHER = "https://other.example/"


@pytest.fixture
def device(register: Callable[..., Machine]) -> Machine:
    return register(**devices.METADATA)


def test_a_device_gets_both_codes_and_is_told_how_to_use_them(device: Machine) -> None:
    """N-110"""
    response = device.post("/device_authorization", scope=SCOPES, resource=RESOURCE)

    given = response.get_json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(r"dc_[A-Za-z0-9_-]{43}", given.pop("device_code"))
    user_code = given.pop("user_code")
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", user_code)
    assert given == {
        "verification_uri": f"{ISSUER}/device",
        "verification_uri_complete": f"{ISSUER}/device?user_code={user_code}",
        "expires_in": 900,
        "interval": 5,
    }


# What is wrong, the change to the request, the error code.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("a scope beyond the ceiling", {"scope": "admin"}, "invalid_scope"),
    ("an unknown resource", {"resource": OTHER}, "invalid_target"),
    ("not a resource", {"resource": "notes"}, "invalid_target"),
    ("no client", {"client_id": None}, "invalid_client"),
    ("an unknown client", {"client_id": "never-seen"}, "invalid_client"),
    ("a secret of a public client", {"client_secret": "x"}, "invalid_client"),
    ("a NUL", {"scope": "mcp:read\0"}, "invalid_request"),
    ("a repeated scope", {"scope": ["mcp:read", "mcp:write"]}, "invalid_request"),
]


def test_a_request_that_is_refused_leaves_no_code(
    app: Flask, device: Machine, subtests: pytest.Subtests
) -> None:
    """N-110: the scope is checked here, not when it is too late."""
    for name, change, error in REFUSED:
        with subtests.test(name):
            assert_refused(device.post("/device_authorization", **change), error)

    with app.app_context():
        assert db.session.scalars(db.select(DeviceCode)).all() == []


def test_only_a_client_that_registered_the_grant_gets_codes(public: Machine) -> None:
    """N-110"""
    assert_refused(public.post("/device_authorization"), "unauthorized_client")


def test_parameters_in_the_query_are_refused(device: Machine) -> None:
    path = f"/device_authorization?client_id={quote_plus(device.client_id)}"
    assert_refused(device.post(path), "invalid_request")


def test_the_code_belongs_to_whoever_proved_itself(
    app: Flask, device: Machine, register: Callable[..., Machine]
) -> None:
    """N-111: a client_id in the body does not make it somebody else's."""
    own = register(
        **devices.METADATA
        | {"client_name": "Set", "token_endpoint_auth_method": "client_secret_basic"}
    )
    other = own.post("/device_authorization", client_id=device.client_id)
    assert_refused(other, "invalid_request")

    devices.ask(own)
    with app.app_context():
        assert db.session.scalars(db.select(DeviceCode.client_id)).all() == [own.client_id]


def test_what_is_asked_is_narrowed_and_without_a_scope_it_is_all_but_openid(
    app: Flask, device: Machine
) -> None:
    """N-031"""
    devices.ask(device, scope="mcp:read nonsense")
    devices.ask(device, scope=None)

    with app.app_context():
        stored = db.session.scalars(db.select(DeviceCode.scopes).order_by(DeviceCode.created_at))
        assert sorted(stored) == [["mcp:read"], ["mcp:read", "mcp:write", "offline_access"]]


def test_only_digests_of_the_codes_are_kept(app: Flask, device: Machine) -> None:
    asked = devices.ask(device)
    with app.app_context():
        row = db.session.execute(db.select(*DeviceCode.__table__.c)).one()

    kept = " ".join(map(str, row))
    assert asked["device_code"] not in kept
    assert asked["user_code"] not in kept
    assert asked["user_code"].replace("-", "") not in kept


def test_asking_is_recorded_without_the_codes(
    device: Machine, audited: Callable[[str], list[Any]]
) -> None:
    asked = devices.ask(device)

    (event,) = audited("device_code.issued")
    assert (event.subject, event.actor_kind) == (device.client_id, "client")
    assert event.detail["scopes"] == SCOPES.split()
    assert asked["device_code"] not in str(event.detail)
    assert asked["user_code"] not in str(event.detail)


LIMITED = {"rate_limit_enabled": True, "token_rate_limit": "2 per minute"}


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
def test_a_public_client_asks_as_often_as_the_limit_of_tokens_says(device: Machine) -> None:
    """N-016"""
    answers = [device.post("/device_authorization") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0


def test_metadata_name_the_endpoint_and_the_grant(client: FlaskClient) -> None:
    """N-140"""
    document = client.get("/.well-known/oauth-authorization-server").get_json()

    assert document["device_authorization_endpoint"] == f"{ISSUER}/device_authorization"
    assert devices.DEVICE in document["grant_types_supported"]


def test_a_device_registers_without_redirect_uris_and_is_approved_alone(
    register: Callable[..., Machine], record: Callable[..., Any]
) -> None:
    """An approval of the one does not let in whoever says the same of itself."""
    first = register(**devices.METADATA)
    second = register(approve=False, **devices.METADATA)

    assert record(first).software_id != record(second).software_id
    assert_refused(second.post("/device_authorization"), "access_denied")


def test_software_that_registers_for_codes_gets_no_device_grant_beside_them(
    register: Callable[..., Machine], record: Callable[..., Any]
) -> None:
    """Editors ask for both, and each of their registrations would have to be approved alone."""
    both = {"client_name": "Editor", "grant_types": [CODE, "refresh_token", devices.DEVICE]}
    first, second = register(**both), register(**both)

    assert record(first).grant_types == {CODE, "refresh_token"}
    assert record(first).software_id == record(second).software_id
    assert_refused(first.post("/device_authorization"), "unauthorized_client")
