"""Floods of registrations: rate limits, and the recycling of what was never used."""

import pytest

from app.domain import recycling
from app.domain.client_records import Client
from app.extensions import db
from tests.protocol import registrants
from tests.protocol.registrants import BODY, Operator, post

LIMITED = {"rate_limit_enabled": True}


@pytest.fixture
def operator(app):
    return Operator(app)


@pytest.fixture
def count(app):
    """Return a function that counts the clients of a name."""

    def clients_named(name: str = "Registrant") -> int:
        with app.app_context():
            stored = db.session.scalars(db.select(Client.client_metadata)).all()
        return sum(metadata.get("client_name") == name for metadata in stored)

    return clients_named


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
def test_the_sixth_registration_of_a_minute_is_told_when_to_come_back(client, clock, audited):
    statuses = [post(client).status_code for _ in range(5)]
    refused = post(client)
    wait = int(refused.headers["Retry-After"])

    assert statuses == [201] * 5
    assert refused.status_code == 429
    assert refused.get_json()["error"] == "temporarily_unavailable"
    assert refused.get_json()["error_description"].startswith("Too many requests")
    assert 1 <= wait <= 60
    assert len(audited("limit.reached")) == 1
    clock.advance(wait - 1)
    assert post(client).status_code == 429
    clock.advance(2)
    assert post(client).status_code == 201


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
def test_software_and_address_are_counted_together(client):
    """Neither a neighbour behind another address nor another app behind the same one suffers."""
    for _ in range(6):
        last = post(client)

    assert last.status_code == 429
    assert post(client, address="192.0.2.2").status_code == 201
    assert post(client, client_name="Another").status_code == 201


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
@pytest.mark.parametrize(
    "twin",
    [
        {"redirect_uris": ["http://127.0.0.1:2222/cb"]},
        {"scope": "mcp:write"},
        {"client_name": "REGISTRANT"},
        {"client_uri": "https://registrant.example/"},
    ],
    ids=lambda twin: next(iter(twin)),
)
def test_what_is_the_same_software_shares_a_limit(client, twin):
    body = BODY | {"redirect_uris": ["http://127.0.0.1:1111/cb"]}
    for _ in range(5):
        post(client, body)

    assert post(client, body | twin).status_code == 429


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
def test_software_that_nothing_ties_down_shares_one_limit(client):
    robots = [
        post(client, {"grant_types": ["client_credentials"], "client_name": f"Robot {n}"})
        for n in range(6)
    ]
    assert [robot.status_code for robot in robots] == [201] * 5 + [429]


@pytest.mark.parametrize(
    "overrides", [LIMITED | {"registration_address_rate_limit": "12 per minute"}], ids=["limited"]
)
def test_one_address_has_a_ceiling_whatever_it_sends(client):
    """X-39: refused bodies and wrong tokens count as well."""
    statuses = [post(client, client_name=f"Agent {n}").status_code for n in range(4)]
    statuses += [post(client, redirect_uris=[]).status_code for _ in range(4)]
    statuses += [post(client, token="iat_wrong").status_code for _ in range(4)]
    statuses.append(post(client, client_name="One more").status_code)

    assert statuses == [201] * 4 + [400] * 4 + [401] * 4 + [429]
    assert post(client, address="192.0.2.2").status_code == 201


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
def test_an_untrusted_header_does_not_change_the_address(client):
    """X-03."""
    responses = [
        client.post("/register", json=BODY, headers={"X-Forwarded-For": f"198.51.100.{n}"})
        for n in range(6)
    ]
    assert [each.status_code for each in responses] == [201] * 5 + [429]


@pytest.mark.parametrize("overrides", [LIMITED | {"trusted_proxies": 1}], ids=["one proxy"])
def test_behind_a_trusted_proxy_only_its_own_word_counts(client):
    """X-03: what a caller writes before the proxy's entry is ignored."""
    responses = [
        client.post(
            "/register", json=BODY, headers={"X-Forwarded-For": f"198.51.100.{n}, 192.0.2.7"}
        )
        for n in range(6)
    ]
    assert [each.status_code for each in responses] == [201] * 5 + [429]


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
def test_updates_of_one_client_are_limited_as_registrations_are(client):
    registrant = registrants.register(client)
    statuses = [registrant.update(client_name=f"Name {n}").status_code for n in range(6)]

    assert statuses == [200] * 5 + [429]
    assert registrant.read().status_code == 200


def test_fifty_unused_registrations_of_a_software_and_address_are_kept(client, count, audited):
    """The newest are kept; other addresses and other software are not touched."""
    first = registrants.register(client)
    neighbour = registrants.register(client, address="192.0.2.2")
    post(client, client_name="Another")
    for _ in range(50):
        newest = registrants.register(client)

    assert count() == 51
    assert first.read().status_code == 401
    assert newest.read().status_code == neighbour.read().status_code == 200
    assert count("Another") == 1
    (event,) = audited("client.recycled")
    assert event.detail["client_ids"] == [first.client_id]
    gone = first.machine.refresh("rt_none")
    assert (gone.status_code, gone.get_json()["error"]) == (401, "invalid_client")


def test_what_was_used_is_never_recycled(client, operator, person, count, monkeypatch):
    monkeypatch.setattr(recycling, "UNUSED_PER_NETWORK", 3)
    operator.approve(registrants.register(client, scope="mcp:read mcp:write"))
    used = registrants.register(client, scope="mcp:read mcp:write")
    person.tokens(used.machine)
    asked = registrants.register(client, scope="mcp:read mcp:write")
    person.elsewhere().code(asked.machine)
    for _ in range(6):
        post(client, scope="mcp:read mcp:write")

    assert count() == 2 + 3
    assert used.read().status_code == asked.read().status_code == 200


def test_unused_registrations_of_approved_software_live_a_day(client, operator, clock, count):
    operator.approve(registrants.register(client))
    clock.advance(86400 + 1)
    registrants.register(client)
    clock.advance(86400)
    registrants.register(client)
    assert count() == 2

    clock.advance(1)
    registrants.register(client)
    assert count() == 2


def test_registrations_of_pending_software_wait_as_long_as_it_does(client, clock, count):
    first = registrants.register(client)
    clock.advance(30 * 86400)
    registrants.register(client)

    assert count() == 2
    assert first.read().status_code == 200


def test_a_client_that_waited_for_its_approval_has_a_day_from_then(client, operator, clock, count):
    """The first to ask is not removed by the second before it could use the approval."""
    first = registrants.register(client)
    clock.advance(3 * 86400)
    operator.approve(first)
    clock.advance(60)
    registrants.register(client)

    assert count() == 2
    assert first.read().status_code == 200


def test_a_client_whose_revision_waits_is_not_recycled(client, operator, clock):
    registrant = registrants.register(client)
    operator.approve(registrant)
    assert registrant.update(client_name="Renamed").status_code == 200
    clock.advance(3 * 86400)
    post(client)

    assert registrant.read().status_code == 200
