"""Webhook pages: endpoints made, switched and removed, their secrets shown once, deliveries."""

import re

import pytest
from sqlalchemy import select, update

from app.domain import announcements
from app.domain.announcements import Delivery, Endpoint
from app.extensions import db
from tests.console.markup import texts
from tests.console.matrix import gets, harmful, posts, unlisted, ways_to_act, wrongly_reached

LIST = "/admin/webhooks/"
NEW = f"{LIST}new"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")


@pytest.fixture
def make(admin, send, app):
    """Return a function that makes an endpoint; gives its page and its secret."""

    def create(**typed):
        form = {"url": "https://hook.example/in", "description": "Ticket system"} | typed
        page = send(admin, NEW, **form)
        with app.app_context():
            row_id = db.session.scalar(select(Endpoint.id).order_by(Endpoint.id.desc()))
        return f"{LIST}{row_id}", SECRET.search(page.text)[0]

    return create


def test_an_endpoint_is_made_and_its_secret_is_shown_once(make, viewer, admin):
    endpoint, secret = make(events=["software.approved", "never.heard"])

    page = viewer.get(endpoint).text
    assert "https://hook.example/in" in texts(page)
    assert "software.approved" in texts(page)
    assert "never.heard" not in page
    assert ways_to_act(page) == set()
    assert secret not in page + admin.get(endpoint).text + admin.get(LIST).text
    assert ways_to_act(admin.get(endpoint).text) == {
        f"{endpoint}/{name}" for name in ("test", "switch", "rotate-secret", "remove")
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/",
        "https://127.0.0.1/",
        "https://hook.example:8443/",
        "https://hook/",
        "https://user@hook.example/",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_url_that_a_stranger_may_not_name_is_refused_beside_its_field(admin, send, app, url):
    page = send(admin, NEW, url=url, description="Mine")

    assert page.status_code == 422
    assert 'id="e-url"' in page.text
    assert 'value="Mine"' in page.text
    with app.app_context():
        assert db.session.scalar(select(Endpoint.id)) is None


def test_a_host_that_the_operator_lists_may_be_private(make, app):
    app.extensions["gatewright.outbound"].allow = frozenset({"hook.internal:8080"})

    assert make(url="http://hook.internal:8080/in")


def test_what_was_sent_and_answered_is_shown_and_sent_again(make, admin, send, app, happened):
    endpoint, _ = make()
    send(admin, f"{endpoint}/test")
    with app.app_context():
        row = db.session.scalars(select(Delivery)).one()
        failed = {"state": "dead", "status": 503, "answer": "<b>later</b>", "failure": "status"}
        db.session.execute(update(Delivery).values(failed | {"tried_at": 1, "took_ms": 12}))
        db.session.execute(update(announcements.jobs.Job).values(state="dead"))
        db.session.commit()
    page = admin.get(f"{endpoint}/{row.id}")

    assert "&lt;b&gt;later&lt;/b&gt;" in page.text
    assert "The answer was not 2xx." in texts(page.text)
    assert "webhook.test" in texts(admin.get(f"{endpoint}?state=dead").text)
    assert "No deliveries" in texts(admin.get(f"{endpoint}?state=delivered").text)
    again = [send(admin, f"{endpoint}/{row.id}/redeliver").status_code for _ in range(2)]
    assert again == [303, 409]
    assert admin.get(f"{LIST}{row.id}/{row.id}").status_code == 404
    assert [event.detail["event"] for event in happened("webhook.redelivered")] == ["webhook.test"]


def test_an_endpoint_is_switched_rotated_and_removed(make, admin, send, happened):
    endpoint, secret = make()

    assert send(admin, f"{endpoint}/switch", state="maybe").status_code == 400
    answers = [send(admin, f"{endpoint}/switch", state=each) for each in ("off", "off", "on")]
    assert [answer.status_code for answer in answers] == [303, 409, 303]
    fresh = SECRET.search(send(admin, f"{endpoint}/rotate-secret").text)[0]
    assert fresh != secret
    assert "Old secret stops signing" in texts(admin.get(endpoint).text)
    assert send(admin, f"{endpoint}/remove").location == LIST
    assert admin.get(endpoint).status_code == 404
    for tag in ("created", "switched_off", "switched_on", "secret_rotated", "removed"):
        event = happened(f"webhook.{tag}")[0]
        assert not SECRET.search(str(event.detail))


def test_the_endpoint_of_the_environment_is_changed_there(admin, app, send):
    with app.app_context():
        announcements.db.session.add(environment())
        db.session.commit()
    own = f"{LIST}environment"

    page = admin.get(own).text
    assert "Set in the environment" in texts(page)
    assert ways_to_act(page) == {f"{own}/test", f"{own}/switch"}
    assert send(admin, f"{own}/remove").status_code == 409
    assert send(admin, f"{own}/rotate-secret").status_code == 409


def environment():
    """Return the endpoint that the settings name."""
    facts = {"url": "https://set.example/", "description": "", "events": [], "state": "on"}
    return Endpoint(id="environment", lost=0, created_at=1, **facts)


def test_each_address_is_open_to_its_role_and_those_above(anybody, app):
    """C-40, C-42, X-48, X-50."""
    routes = addresses(f"{LIST}none")
    assert wrongly_reached(*anybody, routes) == []
    assert unlisted(app, "webhooks", routes) == set()


def test_looking_and_forging_change_nothing(make, admin, app):
    """C-20, C-21, X-46."""
    endpoint, _ = make()
    routes = addresses(endpoint)[:3]
    assert harmful(app, admin, "GET", gets(routes)) == []
    assert harmful(app, admin, "POST", posts(addresses(endpoint)), 400) == []


def addresses(endpoint):
    """Return every address of the pages with the role that it needs."""
    acts = ("test", "switch", "rotate-secret", "remove", "none/redeliver")
    return (
        ("GET", LIST, "viewer"),
        ("GET", NEW, "admin"),
        ("GET", endpoint, "viewer"),
        ("GET", f"{endpoint}/none", "viewer"),
        ("POST", NEW, "admin"),
        *(("POST", f"{endpoint}/{act}", "admin") for act in acts),
    )
