"""Hostile registrations over HTTP: each gets its error, and nothing of it is stored."""

import json

import pytest

from app.domain.client_records import Client
from app.domain.software import Software
from app.extensions import db
from tests.corpora.hostile_registrations import HOSTILE, OVERSIZED
from tests.corpora.registration_rows import Hostile
from tests.corpora.tolerated_registrations import TOLERATED
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url

LARGEST = 65536
"""The default of ``maximum_body_bytes``."""


def raw(row: Hostile) -> bytes:
    return row.body if isinstance(row.body, bytes) else json.dumps(row.body).encode()


def test_the_corpora_are_on_the_right_side_of_the_largest_body():
    assert all(len(raw(row)) <= LARGEST for row in HOSTILE)
    assert all(len(raw(row)) > LARGEST for row in OVERSIZED)


def test_a_hostile_registration_gets_its_error(standing, subtests):
    for row in HOSTILE:
        with subtests.test(row.name):
            response = standing.http.post(
                "/register", data=raw(row), content_type="application/json"
            )

            assert (response.status_code, response.get_json()["error"]) == (400, row.error)
            assert response.get_json()["error_description"].isascii()
            assert response.headers["Cache-Control"] == "no-store"


def test_nothing_is_stored_of_a_refused_registration(app, client):
    for row in HOSTILE[::10]:
        client.post("/register", data=raw(row), content_type="application/json")

    with app.app_context():
        for table in (Client, Software):
            assert db.session.scalar(db.select(db.func.count()).select_from(table)) == 0


@pytest.mark.parametrize("row", OVERSIZED, ids=lambda row: row.name)
def test_a_body_that_is_too_large_is_refused_before_it_is_read(standing, row):
    response = standing.http.post("/register", data=raw(row), content_type="application/json")

    assert (response.status_code, response.get_json()["error"]) == (413, "invalid_request")


@pytest.mark.parametrize("row", TOLERATED, ids=lambda row: row.name)
def test_what_only_the_server_decides_cannot_be_sent(standing, row):
    """N-157, N-158, X-38: accepted, without effect, and not echoed."""
    response = standing.http.post("/register", json=row.body)
    answer = response.get_json()

    assert response.status_code == 201
    assert answer["redirect_uris"] == row.body["redirect_uris"]
    assert not any(name in answer and answer[name] == row.body[name] for name in row.dropped)
    with standing.app.app_context():
        stored = db.session.get(Client, answer["client_id"])
        assert stored.state == "live"
        assert db.session.get(Software, stored.software_id).status == "pending"
        assert not stored.client_metadata.keys() & set(row.dropped)
