"""`gatewright sweep`: what it would do, and doing it."""

from app.domain import admissions, client_metadata, policy_versions, software
from app.domain.audit import SERVER
from app.extensions import db


def test_a_dry_run_counts_and_a_sweep_does_it(app, clock, said):
    with app.app_context():
        arrival = admissions.evidence(
            client_metadata.parse({"redirect_uris": ["http://127.0.0.1/cb"]}),
            source="dcr",
            initial_access_token=None,
            address="",
            user_agent="",
        )
        admissions.register(arrival, policy_versions.in_force().judge(arrival), by=SERVER)
        db.session.commit()
    clock.advance(31 * 86400)

    would = said("sweep", "--dry-run")
    assert would["expired software"] == 1
    with app.app_context():
        assert software.count("pending") == 1
    assert said("sweep") == would
    assert set(said("sweep").values()) == {0}
    with app.app_context():
        assert software.count("expired") == 1
