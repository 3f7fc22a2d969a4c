"""Updates of clients beside decisions: who waits for whom."""

import pytest
import sqlalchemy as sa

from app.domain import admissions, client_changes, client_metadata, policies, software
from app.domain.audit import SERVER
from app.domain.client_records import Client
from app.extensions import db


def left_behind():
    """Register software and take its only client away; return its identifier."""
    metadata = client_metadata.parse({"redirect_uris": ["http://127.0.0.1/cb"]})
    arrival = admissions.evidence(
        metadata, source="dcr", initial_access_token=None, address="", user_agent=""
    )
    client, _ = admissions.register(arrival, policies.judge(arrival), by=SERVER)
    software_id = client.software_id
    db.session.execute(sa.delete(Client))
    db.session.commit()
    return software_id


def test_undecided_software_without_clients_is_forgotten(app):
    with app.app_context():
        software_id = left_behind()

        client_changes.forget_unused(software_id)

        assert software.find(software_id) is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_software_that_somebody_decides_about_is_left_and_not_waited_for(app):
    """The decision locks software first and waits for the client that an update has locked."""
    with app.app_context():
        software_id = left_behind()
        with db.engine.connect() as decider:
            decider.execute(
                sa.text("SELECT 1 FROM software WHERE id = :id FOR UPDATE"), {"id": software_id}
            )
            db.session.execute(sa.text("SET LOCAL lock_timeout = '2s'"))

            client_changes.forget_unused(software_id)
            db.session.commit()

        assert software.find(software_id) is not None
