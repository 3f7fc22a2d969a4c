"""Rotating the secret of a client: asked with an overlap, shown once, never twice by accident."""

import json

import pytest

from app.domain import credentials
from app.domain.assertion_secrets import bound
from app.domain.audit_tags import Tag
from app.domain.client_records import load
from tests.console.markup import controls, texts
from tests.console.matrix import rows

LIST = "/admin/clients/"


@pytest.fixture
def made(register):
    """Register a confidential client."""
    return register(client_name="Editor")


@pytest.fixture
def rotate(admin, made):
    """Return a function that sends the form as the page filled it in."""
    path = f"{LIST}rotate-secret/{made['client_id']}"
    page = admin.get(path).text
    hidden = {
        name: controls(page, name=name, type="hidden")[0]["value"]
        for name in ("csrf_token", "seen")
    }

    def send(**fields):
        return admin.post(path, data=hidden | {"overlap": "86400"} | fields)

    return send


def shown(page):
    """Return the secret on the page that shows it once."""
    [copied] = controls(page, "button", **{"data-copied": "New client secret copied"})
    return copied["data-copy"]


@pytest.mark.parametrize("overlap, works", [("0", 0), ("3600", 3600), ("604800", 604800)])
def test_the_old_secret_works_as_long_as_the_operator_chose(
    rotate, made, app, clock, overlap, works
):
    secret = shown(rotate(overlap=overlap).text)

    with app.app_context():
        record = load(made["client_id"])
        assert record.has_secret(secret, clock.now)
        moments = (clock.now, clock.now + max(works - 1, 0))
        assert {record.has_secret(made["client_secret"], each) for each in moments} == {works > 0}
        assert not record.has_secret(made["client_secret"], clock.now + works)


def test_the_new_secret_is_shown_once_and_kept_by_no_cache_or_record(
    rotate, made, admin, app, happened
):
    answer = rotate()

    secret = shown(answer.text)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["client_secret"] not in answer.text
    for path in (made["client_id"], f"rotate-secret/{made['client_id']}"):
        assert secret not in admin.get(LIST + path).text
    [event] = happened(Tag.CLIENT_SECRET_ROTATED)
    assert event.actor_name == "admin@example.org"
    assert secret not in json.dumps(rows(app))


@pytest.fixture
def signing(register):
    """Register a client that signs with its secret."""
    return register(client_name="Signer", token_endpoint_auth_method="client_secret_jwt")


def test_a_client_that_signs_with_its_secret_gets_one_that_it_can_sign_with(
    admin, signing, stored, app
):
    path = f"{LIST}rotate-secret/{signing['client_id']}"
    hidden = {
        name: controls(admin.get(path).text, name=name, type="hidden")[0]["value"]
        for name in ("csrf_token", "seen")
    }
    secret = shown(admin.post(path, data=hidden | {"overlap": "3600"}).text)

    row, key = stored(signing["client_id"]), app.extensions["gatewright.keys"]["client secrets"]
    sealed = (row.secret_sealed, row.old_secret_sealed)
    opened = [credentials.unseal(key, each, bound(row.client_id)).decode() for each in sealed]
    assert opened == [secret, signing["client_secret"]]


def test_a_form_that_is_sent_twice_rotates_once(rotate, made, app, clock):
    """The page that shows the secret is the answer to a POST, which a reload sends again."""
    first = shown(rotate().text)

    again = rotate()

    assert again.status_code == 409
    with app.app_context():
        record = load(made["client_id"])
        assert record.has_secret(first, clock.now)
        assert record.has_secret(made["client_secret"], clock.now)


@pytest.mark.parametrize("fields", [{"overlap": ""}, {"overlap": "5"}, {"overlap": "-1"}])
def test_an_overlap_that_was_not_offered_is_refused(rotate, app, fields):
    before = rows(app)

    assert rotate(**fields).status_code == 422
    assert rows(app) == before


@pytest.mark.parametrize("seen", ["", "x", "\0"])
def test_a_form_of_another_secret_rotates_nothing(rotate, made, stored, seen):
    assert rotate(seen=seen).status_code == 409
    assert stored(made["client_id"]).old_secret_digest is None


def test_the_form_warns_while_an_older_secret_works(rotate, admin, made):
    assert "still works" not in texts(admin.get(f"{LIST}rotate-secret/{made['client_id']}").text)
    rotate()

    said = texts(admin.get(f"{LIST}rotate-secret/{made['client_id']}").text)

    assert "A secret before this one still works" in said
    assert "Old secret works until" in texts(admin.get(f"{LIST}{made['client_id']}").text)


def test_a_public_client_has_no_secret_to_rotate(admin, csrf, register):
    public = register(token_endpoint_auth_method="none")["client_id"]
    form = {"csrf_token": csrf(admin), "overlap": "0", "seen": ""}

    assert admin.get(f"{LIST}rotate-secret/{public}").status_code == 409
    assert admin.post(f"{LIST}rotate-secret/{public}", data=form).status_code == 409
    assert "Rotate secret" not in texts(admin.get(f"{LIST}{public}").text)
