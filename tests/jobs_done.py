"""Does the jobs that are due, here and now, and tells an endpoint of what happens."""

import pytest
from sqlalchemy import select

from app import create_app, worker
from app.config import load
from app.domain import jobs, webhooks
from app.domain.announcements import Delivery
from app.extensions import db
from tests.protocol.registrants import BODY, post
from tests.services.gate import scripted


@pytest.fixture
def scripts():
    with scripted() as start:
        yield start


@pytest.fixture
def telling(settings):
    """Return a function that gives an app whose events go to an endpoint of the settings."""
    made = []

    def start(url, **changes):
        given = {name: getattr(settings, name) for name in settings.model_fields_set}
        named = {f"registration_webhook_{name}": value for name, value in changes.items()}
        app = create_app(load(**given | named | {"registration_webhook_url": url}))
        app.testing = True
        made.append(app)
        with app.app_context():
            webhooks.adopt(url)
            db.session.commit()
        return app

    yield start
    for app in made:
        with app.app_context():
            db.engine.dispose()


def work(app):
    """Do the jobs that are due, one after another; return how many."""
    with app.app_context():
        done = 0
        while (claim := jobs.claim()) is not None:
            db.session.commit()
            worker.do(app, claim)
            done += 1
        db.session.commit()
        return done


def register(app, **changes):
    return post(app.test_client(), {**BODY, **changes}).json["client_id"]


def deliveries(app):
    with app.app_context():
        return db.session.scalars(select(Delivery).order_by(Delivery.id)).all()
