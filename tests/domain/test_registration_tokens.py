"""Initial access tokens: counted, bounded in time, revoked, kept as digests only."""

import pytest

from app.domain import audit, errors, registration_tokens
from app.domain.obligations import Obligations, Terms
from app.domain.registration_tokens import STATIC, InitialAccessToken, check, redeem, state
from app.extensions import db

OPERATOR = audit.Actor("operator", "u-1", "grace@people.example")
CLIENT = audit.Actor("anonymous", address="192.0.2.1")


@pytest.fixture
def context(app):
    """Open a context for verbs that are tried without a door."""
    with app.app_context():
        yield


def create(**options):
    """Make a token as an operator."""
    row, value = registration_tokens.create("for a test", by=OPERATOR, **options)
    db.session.commit()
    return row, value


def test_a_value_is_shown_once_and_kept_as_a_digest(context):
    row, value = create(uses=3)
    stored = [str(getattr(row, column.name)) for column in InitialAccessToken.__table__.c]

    assert value.startswith("iat_")
    assert not any(value in each for each in stored)
    assert (row.name, row.uses_left, row.created_by) == ("for a test", 3, OPERATOR.name)


def test_two_tokens_are_never_the_same(context):
    values = {create()[1] for _ in range(20)}

    assert len(values) == 20


def test_checking_uses_nothing_up(context):
    row, value = create(uses=1)

    assert [check(value, "") for _ in range(3)] == [row.id] * 3
    assert row.uses_left == 1


@pytest.mark.parametrize("value", ["", "iat_", "x", "iat_" + "a" * 43, "\0", "\ud800", "a" * 10**6])
def test_what_is_no_token_of_ours_is_refused(context, value):
    with pytest.raises(errors.InvalidToken):
        check(value, "")


def test_a_value_is_compared_to_the_last_character(context):
    _, value = create()
    for other in (value[:-1], value + "a", value.upper(), f" {value}"):
        with pytest.raises(errors.InvalidToken):
            check(other, "")


@pytest.mark.parametrize("value", ["", "static-token-of-a-test", "x"])
def test_an_empty_static_token_matches_nothing(context, value):
    with pytest.raises(errors.InvalidToken):
        check(value, "")


def test_the_static_token_is_known_by_its_name_and_never_used_up(context):
    static = "static-token-of-a-test"

    assert check(static, static) == STATIC
    for _ in range(3):
        redeem(STATIC, by=CLIENT)
    with pytest.raises(errors.InvalidToken):
        check(static[:-1], static)


def test_the_last_use_is_the_last(context, clock):
    row, value = create(uses=2)
    for _ in range(2):
        redeem(check(value, ""), by=CLIENT)
        db.session.expire_all()

    with pytest.raises(errors.InvalidToken):
        check(value, "")
    with pytest.raises(errors.InvalidToken):
        redeem(row.id, by=CLIENT)
    db.session.refresh(row)
    assert (row.uses_left, row.used_count, row.last_used_at) == (0, 2, clock.now)


def test_of_two_that_checked_the_last_use_one_gets_it(context):
    """X-51: the count is taken by the statement that uses it, not by the look before."""
    _, value = create(uses=1)
    first, second = check(value, ""), check(value, "")
    redeem(first, by=CLIENT)

    with pytest.raises(errors.InvalidToken):
        redeem(second, by=CLIENT)


def test_a_token_without_a_count_is_never_used_up(context):
    row, value = create()
    for _ in range(5):
        redeem(check(value, ""), by=CLIENT)

    db.session.refresh(row)
    assert (row.uses_left, row.used_count) == (None, 5)


@pytest.mark.parametrize("late", [0, 1, 10**6])
def test_a_token_ends_with_its_last_second(context, clock, late):
    row, value = create(expires_at=clock.now + 60)
    clock.advance(59)
    assert check(value, "") == row.id

    clock.advance(1 + late)
    for use in (lambda: check(value, ""), lambda: redeem(row.id, by=CLIENT)):
        with pytest.raises(errors.InvalidToken):
            use()


def test_a_revoked_token_ends_at_once_and_only_once(context, clock):
    row, value = create()
    registration_tokens.revoke(row.id, by=OPERATOR)
    at = clock.now
    clock.advance(60)
    registration_tokens.revoke(row.id, by=OPERATOR)

    assert row.revoked_at == at
    for use in (lambda: check(value, ""), lambda: redeem(row.id, by=CLIENT)):
        with pytest.raises(errors.InvalidToken):
            use()
    events = db.session.scalars(
        db.select(audit.AuditEvent.tag).where(audit.AuditEvent.subject == row.id)
    ).all()
    assert events == ["initial_token.created", "initial_token.revoked"]


@pytest.mark.parametrize(
    "values, expected",
    [
        ({}, "usable"),
        ({"uses_left": 1}, "usable"),
        ({"uses_left": 0}, "used up"),
        ({"expires_at": 101}, "usable"),
        ({"expires_at": 100}, "expired"),
        ({"revoked_at": 1}, "revoked"),
        ({"uses_left": 1, "expires_at": 101, "revoked_at": 99}, "revoked"),
    ],
)
def test_a_token_is_usable_while_nothing_speaks_against_it(values, expected):
    assert state(InitialAccessToken(**values), 100) == expected


@pytest.mark.parametrize(
    "networks, address, expected",
    [
        ((), "", True),
        (("192.0.2.0/24",), "192.0.2.255", True),
        (("192.0.2.0/24",), "192.0.3.0", False),
        (("192.0.2.0/24", "2001:db8::/32"), "2001:db8::1", True),
        (("192.0.2.0/24",), "::ffff:192.0.2.1", True),
        (("::/0",), "192.0.2.1", False),
        (("0.0.0.0/0",), "", False),
        (("0.0.0.0/0",), "unix:", False),
    ],
)
def test_a_token_works_from_its_networks_only(context, networks, address, expected):
    row, value = create(networks=networks)

    if expected:
        assert check(value, "", address) == row.id
    else:
        with pytest.raises(errors.InvalidToken) as refusal:
            check(value, "", address)
        assert refusal.value.facts["reason"] == "outside its networks"
        assert refusal.value.description == registration_tokens.REFUSED


@pytest.mark.parametrize(
    "verdict, afterwards", [("rules", "rules"), ("admit", "rules"), ("hold", "hold")]
)
def test_what_is_laid_down_about_a_token_is_kept_and_recorded(context, verdict, afterwards):
    bounds = Obligations(("mcp:read",), (), 600, 30)
    row, _ = create(
        purpose="The nightly build",
        owner="Team Rosebud",
        networks=["192.0.2.0/24"],
        terms=Terms(verdict, bounds),
    )
    db.session.expire_all()

    assert registration_tokens.terms(row.id) == Terms(verdict, bounds)
    assert registration_tokens.terms(None, row.id) == Terms(afterwards, bounds)
    event = db.session.scalars(db.select(audit.AuditEvent)).one()
    assert event.detail == {
        "name": "for a test",
        "purpose": "The nightly build",
        "owner": "Team Rosebud",
        "uses": None,
        "expires_at": None,
        "networks": ["192.0.2.0/24"],
        "verdict": verdict,
        "scopes": ["mcp:read"],
        "resources": [],
        "access_token_seconds": 600,
        "approve_days": 30,
    }


@pytest.mark.parametrize("token_id", [None, "", STATIC, "nothing", "\0"])
def test_what_is_no_token_of_ours_has_no_terms(context, token_id):
    assert registration_tokens.terms(token_id) is None
    assert registration_tokens.terms(None, token_id) is None


def test_an_unknown_identifier_is_not_found(context):
    for use in (
        registration_tokens.get,
        lambda found: registration_tokens.revoke(found, by=OPERATOR),
    ):
        with pytest.raises(errors.NotFound):
            use("nothing")
    with pytest.raises(errors.InvalidToken):
        redeem("nothing", by=CLIENT)
