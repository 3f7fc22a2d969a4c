"""Software: what an approver is told, how it is counted, how decisions bind."""

import copy

import pytest

from app.domain import (
    admissions,
    audit,
    client_metadata,
    decisions,
    errors,
    fingerprints,
    policies,
    redirect_uris,
    risk_notes,
    software,
)
from app.extensions import db
from tests.domain.test_fingerprints import BODY, URIS

OPERATOR = audit.Actor("operator", "u-1", "grace@people.example")


def see(address="192.0.2.1", **changes):
    """Count an arrival; return the row."""
    metadata = client_metadata.parse(BODY | changes)
    return software.see(
        fingerprints.of_metadata(metadata),
        metadata,
        source="dcr",
        verdict={},
        notes=risk_notes.notes(metadata),
        address=address,
        network="",
    )


def noted(body):
    """Return what an approver is told about an arrival."""
    metadata = client_metadata.parse(body)
    findings = risk_notes.findings(metadata, risk_notes.approved_names())
    return risk_notes.notes(metadata, findings)


def test_every_arrival_is_counted_on_one_row(app, clock):
    with app.app_context():
        first = see()
        seen_at = clock.now
        clock.advance(60)
        row = see(address="192.0.2.2", scope="mcp:write")

        assert row.id == first.id
        assert (row.status, row.seen_count) == ("pending", 2)
        assert (row.first_seen_at, row.last_seen_at) == (seen_at, clock.now)
        assert row.addresses == ["192.0.2.1", "192.0.2.2"]
        assert "scope" not in row.client_metadata


def test_only_the_first_addresses_are_kept(app):
    with app.app_context():
        for number in range(15):
            row = see(address=f"192.0.2.{number}")

        assert row.addresses == [f"192.0.2.{number}" for number in range(10)]
        assert row.seen_count == 15


def test_an_arrival_changes_nothing_that_was_decided(app):
    with app.app_context():
        row = see()
        decisions.approve(row.id, row.revision, by=OPERATOR, allowed=["openid"])
        before = copy.copy(vars(row))
        again = see(client_uri="https://attacker.example/")

        assert again.status == "approved"
        for name in ("client_metadata", "revision", "scopes", "notes", "decided_by", "name"):
            assert getattr(again, name) == before[name]


@pytest.mark.parametrize(
    "changes, beginning",
    [
        ({"redirect_uris": ["http://127.0.0.1/cb", "http://localhost/cb"]}, "Loopback only"),
        ({}, "Private-use scheme"),
        (
            {
                "grant_types": ["client_credentials"],
                "token_endpoint_auth_method": "client_secret_basic",
            },
            "Acts for itself",
        ),
        ({"client_name": ""}, "It gives no name"),
        ({"client_name": "Ap\u0440roved C1ient"}, "Look-alike"),
        ({"logo_uri": "https://pics.example/a.png"}, "It names pages at pics.example,"),
        ({"tos_uri#de": "https://pics.example/"}, "It names pages at pics.example,"),
    ],
)
def test_an_approver_is_told_what_to_look_at_twice(app, changes, beginning):
    """N-160, X-30, X-32."""
    with app.app_context():
        known = see(client_name="Approved Client")
        decisions.approve(known.id, known.revision, by=OPERATOR, allowed=[])
        notes = noted(BODY | changes)
        own = f"https://{redirect_uris.host_of(URIS[0])}/about"
        plain = noted(BODY | {"redirect_uris": URIS[:1], "client_name": "Other", "client_uri": own})

    assert any(note.startswith(beginning) for note in notes)
    assert plain == ()


def test_the_name_of_approved_software_itself_is_no_look_alike(app):
    with app.app_context():
        known = see()
        decisions.approve(known.id, known.revision, by=OPERATOR, allowed=[])

        assert not any(note.startswith("Look-alike") for note in noted(BODY))


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_binds_to_the_revision_that_was_seen(app, decision):
    """N-211."""
    with app.app_context():
        row = see()
        seen = row.revision
        software.describe(row, client_metadata.parse(BODY | {"scope": "mcp:write"}), ())
        db.session.flush()
        decide = {
            "approve": lambda: decisions.approve(row.id, seen, by=OPERATOR, allowed=[]),
            "reject": lambda: decisions.reject(row.id, seen, "no", by=OPERATOR),
        }[decision]

        with pytest.raises(errors.Conflict):
            decide()
        db.session.refresh(row)
        assert row.status == "pending"


TRANSITIONS = {
    "pending": {"approve": "approved", "reject": "rejected"},
    "approved": {"block": "blocked"},
    "blocked": {"unblock": "approved"},
    "rejected": {},
    "expired": {},
}


@pytest.mark.parametrize("verb", ["approve", "reject", "block", "unblock"])
@pytest.mark.parametrize("status", TRANSITIONS)
def test_no_decision_leads_anywhere_but_along_the_design(app, status, verb):
    """N-210: every other transition answers with a conflict and changes nothing."""
    with app.app_context():
        row = see()
        row.status = status
        db.session.flush()
        decide = {
            "approve": lambda: decisions.approve(row.id, row.revision, by=OPERATOR, allowed=[]),
            "reject": lambda: decisions.reject(row.id, row.revision, "no", by=OPERATOR),
            "block": lambda: decisions.block(row.id, "no", by=OPERATOR),
            "unblock": lambda: decisions.unblock(row.id, "yes", by=OPERATOR),
        }[verb]
        expected = TRANSITIONS[status].get(verb)
        if expected is None:
            with pytest.raises(errors.Conflict):
                decide()
        else:
            decide()

        db.session.refresh(row)
        assert row.status == (expected or status)


def test_blocked_software_is_refused_also_after_its_approval_would_have_ended(app, clock):
    with app.app_context():
        row = see()
        until = clock.now + 60
        decisions.approve(row.id, row.revision, by=OPERATOR, allowed=["openid"], until=until)
        decisions.block(row.id, "misused", by=OPERATOR)
        clock.advance(61)
        arrival = admissions.evidence(
            client_metadata.parse(BODY),
            source="dcr",
            initial_access_token=None,
            address="192.0.2.1",
            user_agent="",
        )

        assert arrival.software_status == "blocked"
        assert policies.judge(arrival).outcome == "refuse"
