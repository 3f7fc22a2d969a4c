"""Device codes and user codes as rows: what is kept, for how long, and that no two are alike."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app.domain import (
    admissions,
    client_metadata,
    credentials,
    device_codes,
    device_polls,
    errors,
    grant_types,
    grants,
    recycling,
    retention,
    scopes,
    user_codes,
    users,
)
from app.domain.audit import SERVER
from app.domain.device_codes import DeviceCode
from app.domain.grants import Grant, TokenRules
from app.domain.passwords import Passwords
from app.extensions import db
from tests.conftest import Clock

KEY = b"k" * 32
DAY = 86400
RULES = TokenRules("https://x.example", 900, 3600, 7200, 10, KEY)
METADATA = {
    "client_name": "Television",
    "grant_types": [grant_types.DEVICE, "refresh_token"],
    "token_endpoint_auth_method": "none",
}


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """Keep an app context open: these tests speak to the domain alone."""
    with app.app_context():
        yield


@pytest.fixture
def client_id(context: None) -> str:
    metadata = client_metadata.parse(METADATA)
    return admissions.create(metadata, by=SERVER, allowed=["openid"])[0].client_id


@pytest.fixture
def user_id(context: None) -> str:
    hasher = Passwords(19456, 1)
    return users.create("ada@people.example", "member", "long enough here", hasher, by=SERVER).id


def issue(client_id: str) -> tuple[str, str]:
    return device_codes.issue(
        KEY, client_id=client_id, scopes=["openid"], resources=[], lifetime_seconds=900, by=SERVER
    )


def approve(user_code: str, user_id: str) -> None:
    row = device_codes.find_typed(KEY, user_code)
    device_codes.approve(
        row, user_id=user_id, session_id="s", auth_time=1, scopes=row.scopes, by=SERVER
    )


def test_a_user_code_has_more_than_thirty_four_bits_and_no_vowel() -> None:
    """N-113"""
    assert len(user_codes.LETTERS) == len(set(user_codes.LETTERS)) == 20
    assert not set(user_codes.LETTERS) & set("AEIOUY0123456789")
    seen = {user_codes.new() for _ in range(500)}

    assert len(seen) == 500
    assert set("".join(seen)) == {*user_codes.LETTERS, "-"}
    assert {(len(code), code.index("-")) for code in seen} == {(9, 4)}


@pytest.mark.parametrize(
    "typed, read",
    [
        ("BCDF-GHJK", "BCDF-GHJK"),
        ("bcdfghjk", "BCDF-GHJK"),
        ("  b c d f\u2013g.h_j/k\n", "BCDF-GHJK"),
        ("", ""),
        ("BCDF-GHJ", ""),
        ("BCDF-GHJKL", ""),
        ("BCDF-GHJA", ""),
        ("BCDF-GHJ1", ""),
        ("\uff22CDF-GHJK", ""),
        ("BCDF\0GHJK", "BCDF-GHJK"),
        ("-" * 70 + "BCDFGHJK", ""),
    ],
)
def test_a_typed_code_is_read_whatever_its_case_and_marks(typed: str, read: str) -> None:
    assert user_codes.read(typed) == read


def test_a_user_code_that_is_taken_is_not_given_twice(
    client_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["BCDF-GHJK", "BCDF-GHJK", "LMNP-QRST"])
    monkeypatch.setattr(user_codes, "new", lambda: next(drawn))

    assert [issue(client_id)[1] for _ in range(2)] == ["BCDF-GHJK", "LMNP-QRST"]
    assert db.session.scalar(db.select(db.func.count()).select_from(DeviceCode)) == 2


def test_a_bare_digest_of_a_user_code_is_kept_nowhere(client_id: str) -> None:
    """Eight letters can be guessed from one; another key finds nothing."""
    _, user_code = issue(client_id)
    kept = db.session.scalar(db.select(DeviceCode.user_code_digest))

    assert kept not in (credentials.digest(user_code), user_code)
    assert device_codes.find_typed(KEY, user_code) is not None
    assert device_codes.find_typed(b"o" * 32, user_code) is None


def test_a_second_answer_is_told_that_it_is_late(client_id: str, user_id: str) -> None:
    _, user_code = issue(client_id)
    row = device_codes.find_typed(KEY, user_code)
    approve(user_code, user_id)

    with pytest.raises(errors.Conflict):
        device_codes.deny(row, by=SERVER)
    assert db.session.scalar(db.select(DeviceCode.allowed)) is True


def test_an_answer_after_the_end_does_not_count(client_id: str, user_id: str, clock: Clock) -> None:
    _, user_code = issue(client_id)
    clock.advance(900)

    with pytest.raises(errors.Conflict):
        approve(user_code, user_id)


def test_a_code_opens_one_grant(client_id: str, user_id: str) -> None:
    code, user_code = issue(client_id)
    approve(user_code, user_id)
    row = device_polls.poll(code, client_id)
    grant = device_polls.redeem(RULES, row, by=SERVER)

    assert (grant["user_id"], grant["auth_time"]) == (user_id, 1)
    with pytest.raises(errors.InvalidGrant):
        device_polls.redeem(RULES, row, by=SERVER)
    (only,) = grants.find_latest(client_id=client_id)
    assert only.revoked_reason == "device code replayed"


def test_withdrawing_leaves_the_codes_of_others_and_spent_ones(
    client_id: str, user_id: str
) -> None:
    spent, mine, open_one = (issue(client_id) for _ in range(3))
    for _, user_code in (spent, mine):
        approve(user_code, user_id)
    device_polls.redeem(RULES, device_polls.poll(spent[0], client_id), by=SERVER)

    device_codes.withdraw(user_id="u-other")
    device_codes.withdraw(session_id="other")
    device_codes.withdraw()
    assert db.session.scalar(db.select(db.func.count()).select_from(DeviceCode)) == 3
    device_codes.withdraw(user_id=user_id, client_id=client_id)

    kept = [device_codes.find_typed(KEY, code) is not None for _, code in (spent, mine, open_one)]
    assert kept == [True, False, True]


def test_an_unused_code_is_purged_a_day_after_its_end_and_a_spent_one_with_its_replays(
    client_id: str, user_id: str, clock: Clock
) -> None:
    code, user_code = issue(client_id)
    approve(user_code, user_id)
    device_polls.redeem(RULES, device_polls.poll(code, client_id), by=SERVER)
    issue(client_id)
    assert retention.count()["device codes"] == 0

    clock.advance(DAY + 901)
    assert retention.purge()["device codes"] == 1
    clock.advance(30 * DAY)
    assert retention.purge()["device codes"] == 1
    assert db.session.scalar(db.select(db.func.count()).select_from(Grant)) == 1


def test_a_client_whose_device_waits_is_not_recycled_as_never_used(
    client_id: str, clock: Clock
) -> None:
    db.session.execute(db.text("UPDATE clients SET source = 'dcr'"))
    clock.advance(2 * DAY)
    assert db.session.execute(recycling.too_old(clock.now)).all() != []
    issue(client_id)

    assert db.session.execute(recycling.too_old(clock.now)).all() == []


def test_people_may_sign_in_on_devices_and_so_openid_is_offered(context: None) -> None:
    metadata = client_metadata.parse(METADATA | {"scope": "openid"})

    assert "openid" in scopes.offered(metadata)
