"""The clean-up: what expires, what ends, what is forgotten, and what is left alone."""

import pytest
import sqlalchemy as sa

from app.domain import (
    admissions,
    audit,
    client_metadata,
    client_records,
    clients,
    decisions,
    errors,
    grants,
    last_use,
    policy_versions,
    retention,
    scopes,
    sessions,
    software,
    sweeps,
    users,
)
from app.domain.audit import SERVER, Filters
from app.domain.grants import Grant
from app.domain.passwords import Passwords
from app.domain.refresh_tokens import RefreshToken
from app.domain.sweeps import SweepRules
from app.extensions import db

DAY = 86400
PERSON = ("person@people.example", "member", "long enough for everybody")
RULES = SweepRules(pending_days=30, unused_days=90)
OPERATOR = audit.Actor("operator", "u-1", "grace@people.example")


@pytest.fixture
def context(app):
    """Keep an app context open: these tests speak to the domain alone."""
    with app.app_context():
        yield


def arrive(name="Probe"):
    """Register software of a name; return its row and its client."""
    body = {"client_name": name, "redirect_uris": ["http://127.0.0.1/cb"]}
    arrival = admissions.evidence(
        client_metadata.parse(body),
        source="dcr",
        initial_access_token=None,
        address="192.0.2.1",
        user_agent="",
    )
    verdict = policy_versions.in_force().judge(arrival)
    client, _ = admissions.register(arrival, verdict, by=SERVER)
    return software.get(client.software_id), client


def key(row):
    """Return the identifier of a row."""
    return sa.inspect(row).identity[0]


def approve(row, **options):
    return decisions.approve(row.id, row.revision, by=OPERATOR, allowed=[], **options)


def sweep(rules=RULES):
    """Sweep until nothing is left to do; return how much was done in all."""
    total: dict[str, int] = {}
    while any((done := sweeps.sweep(rules, by=SERVER)).values()):
        total = {name: total.get(name, 0) + number for name, number in done.items()}
        db.session.commit()
    db.session.expire_all()
    return {name: number for name, number in total.items() if number}


def tags(subject):
    return [event.tag for event in audit.find_page(Filters(subject=subject), size=10)]


def test_software_that_nobody_decided_about_expires_and_is_not_revived(context, clock):
    row, client = arrive()
    clock.advance(30 * DAY)
    assert sweep() == {}
    clock.advance(1)

    assert sweeps.due(RULES).pending == 1
    assert sweep() == {"expired software": 1}

    assert row.status == "expired"
    assert tags(row.id) == ["software.expired"]
    assert client_records.load(client.client_id).standing(clock.now) == "expired"
    with pytest.raises(errors.AdmissionRefused):
        arrive()
    with pytest.raises(errors.Conflict):
        approve(row)


def test_an_arrival_renews_the_wait(context, clock):
    arrive()
    clock.advance(20 * DAY)
    arrive()
    clock.advance(20 * DAY)

    assert sweep() == {}


def test_what_expired_is_forgotten_after_as_long_again(context, clock):
    software_id, client_id = (key(each) for each in arrive())
    clock.advance(31 * DAY)
    sweep()
    clock.advance(31 * DAY)

    assert sweep() == {"forgotten software": 1}

    assert software.find(software_id) is clients.find(client_id) is None
    assert tags(software_id)[0] == "software.forgotten"
    again, _ = arrive()
    assert (again.status, again.seen_count) == ("pending", 1)


def test_approved_software_that_nobody_uses_keeps_its_approval(context, clock):
    row, client = arrive()
    approve(row)
    clock.advance(91 * DAY)

    assert sweep() == {"unused clients": 1}

    assert (row.status, client.state) == ("approved", "deleted")
    assert tags(client.client_id)[0] == "client.deleted"


@pytest.mark.parametrize("life", ["used", "granted", "hand-made"])
def test_a_client_that_lives_is_left_alone(context, clock, life):
    """Product promise: never while a grant lives."""
    row, client = arrive()
    approve(row)
    if life == "hand-made":
        client.source = "console"
    user = users.create(*PERSON, Passwords(19456, 1), by=SERVER)
    clock.advance(91 * DAY)
    if life == "used":
        last_use.touch(client.client_id, clock.now)
    if life == "granted":
        db.session.add(grant(user.id, client.client_id, clock.now))
    db.session.commit()

    assert sweep() == {}
    assert clients.get(client.client_id).state == "live"


def grant(user_id, client_id, now, expires_in=DAY):
    """Return a grant that was just given."""
    return Grant(
        id="grant-1",
        client_id=client_id,
        user_id=user_id,
        scopes=[],
        resources=[],
        auth_time=now,
        created_at=now,
        expires_at=now + expires_in,
        last_used_at=now,
    )


def test_never_used_registrations_of_decided_software_go_after_a_day(context, clock):
    row, first = map(key, arrive())
    approve(software.get(row))
    clock.advance(DAY + 1)
    second = key(arrive()[1])
    db.session.commit()
    db.session.expire_all()
    assert clients.find(first) is None

    clock.advance(DAY + 1)
    assert sweep() == {"never used registrations": 1}
    assert clients.find(second) is None


def test_nothing_is_too_long_when_the_days_are_none(context, clock):
    arrive()
    row, _ = arrive("Other")
    approve(row)
    clock.advance(1000 * DAY)

    assert set(sweep(SweepRules(0, 0))) <= {"never used registrations"}


def test_looking_at_what_is_due_changes_nothing(context, clock):
    arrive()
    clock.advance(31 * DAY)
    due = sweeps.due(RULES)

    assert (due.pending, due.software[0].name, due.total) == (1, "Probe", 1)
    assert software.count("pending") == 1


def test_dead_rows_are_purged_and_replays_stay_known_for_a_month(context, clock):
    row, client = arrive()
    approve(row)
    user = users.create(*PERSON, Passwords(19456, 1), by=SERVER)
    sessions.issue(user.id, lifetime_seconds=60, address="", user_agent="")
    db.session.add(grant(user.id, client.client_id, clock.now, expires_in=60))
    db.session.flush()
    db.session.add(
        RefreshToken(
            token_digest="d", grant_id="grant-1", created_at=clock.now, expires_at=clock.now + 60
        )
    )
    db.session.commit()
    clock.advance(61)
    assert retention.purge()["sessions"] == 1
    clock.advance(29 * DAY)
    assert not any(retention.count().values())
    clock.advance(2 * DAY)
    assert retention.purge()["refresh tokens"] == 1
    clock.advance(60 * DAY)
    assert retention.count()["grants"] == 1
    assert retention.purge()["grants"] == 1


def test_an_approval_is_renewed_once_as_it_was_seen(context, clock):
    row, client = arrive()
    scopes.create("mcp:read", "Read", by=SERVER)
    approve(row, until=clock.now + DAY)
    seen = row.approved_until
    clock.advance(2 * DAY)
    assert client_records.load(client.client_id).standing(clock.now) == "expired"

    decisions.renew(row.id, seen, until=clock.now + DAY, by=OPERATOR, reason="Still needed.")

    assert client_records.load(client.client_id).standing(clock.now) == "active"
    assert tags(row.id)[0] == "software.renewed"
    with pytest.raises(errors.Conflict):
        decisions.renew(row.id, seen, until=None, by=OPERATOR)


@pytest.mark.parametrize("status", ["pending", "rejected", "blocked"])
def test_only_an_approval_with_an_end_is_renewed(context, clock, status):
    row, _ = arrive()
    if status == "rejected":
        decisions.reject(row.id, row.revision, "No.", by=OPERATOR)
    if status == "blocked":
        approve(row, until=clock.now + DAY)
        decisions.block(row.id, "No.", by=OPERATOR)

    with pytest.raises(errors.Conflict):
        decisions.renew(row.id, row.approved_until or 0, until=None, by=OPERATOR)
    assert grants.find_latest() == []
