"""Signing keys follow each other: published, signing, verifying, gone (N-142 to N-144)."""

import json
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier

import pytest

from app.clock import instant
from app.domain import audit, errors, generations, key_rotation, signing_keys
from app.domain.audit import SERVER, Filters
from app.domain.audit_tags import Tag
from app.domain.key_algorithms import GENERATE
from app.domain.key_rotation import DAY, PUBLISHED_SECONDS
from app.domain.signing_keys import KEPT_SECONDS, SigningKey, sign, verify
from app.extensions import db

SEALING = b"s" * 32
CLAIMS = {"sub": "u-1"}


@pytest.fixture(autouse=True)
def started(app, clock):
    """Open a context for verbs that are tried without a door, after the first start."""
    with app.app_context():
        start()
        yield


def start():
    """Make the missing keys as every start does."""
    signing_keys.ensure(SEALING, by=SERVER)
    db.session.commit()


def rotate(**options):
    """Rotate as an operator would; return what signs from then on."""
    kids = key_rotation.rotate(SEALING, by=SERVER, **options)
    db.session.commit()
    return [kid for _, kid in sorted(kids.items())]


def replace_compromised():
    """End all keys as an operator would; return what ended."""
    ended = key_rotation.replace_compromised(SEALING, by=SERVER)
    db.session.commit()
    return ended


def current():
    """Return the keys as an endpoint gets them."""
    return signing_keys.current(SEALING, generations.read()["keys"])


def published():
    """Return the names in the JWKS, in its order."""
    return [key["kid"] for key in json.loads(current().jwks)["keys"]]


def named(state):
    """Return the names of the keys in a state, that of ES256 before that of RS256."""
    keys = sorted(signing_keys.find_all(), key=lambda key: key.algorithm)
    return [key.kid for key in keys if key.state == state]


def signing():
    """Return the names of the keys that sign, in the same order."""
    return [signer.kid for _, signer in sorted(current().signers.items())]


def test_the_next_key_is_published_beside_the_one_that_signs(app):
    active, following = named("active"), named("next")

    assert published() == [*active, *following]
    assert signing() == active


def test_a_start_makes_only_the_keys_that_are_missing():
    """A database of before has no next key; processes that run learn of the new one."""
    before = named("active")
    for row in key_rotation.find_next():
        db.session.delete(row)
    db.session.commit()
    assert published() == before

    start()
    made = signing_keys.find_all()
    start()

    assert named("active") == before
    assert len(made) == len(signing_keys.find_all()) == len(published()) == 4


def test_a_server_of_before_rs256_gets_its_keys_and_keeps_the_others(clock):
    """What others have in their caches goes on signing; the new kind is there at once."""
    before = [key.kid for key in signing_keys.find_all() if key.algorithm == "ES256"]
    for key in signing_keys.find_all():
        if key.algorithm == "RS256":
            db.session.delete(key)
    db.session.commit()
    clock.advance(PUBLISHED_SECONDS)
    start()

    assert [kid for kid in published() if kid in before] == sorted(before)
    assert len(published()) == 4
    assert verify(current(), "JWT", sign(current(), "JWT", CLAIMS, "RS256")) == CLAIMS
    with pytest.raises(errors.Conflict, match="published"):
        rotate()


def test_a_rotation_lets_the_next_key_sign_and_publishes_another(clock):
    active, following = named("active"), named("next")
    before = [sign(current(), "JWT", CLAIMS, algorithm) for algorithm in GENERATE]
    clock.advance(PUBLISHED_SECONDS)

    kids = rotate()

    assert kids == following == signing()
    assert named("retired") == active
    assert published() == [*following, *named("next"), *active]
    after = [sign(current(), "JWT", CLAIMS, algorithm) for algorithm in GENERATE]
    assert [verify(current(), "JWT", token) for token in (*before, *after)] == [CLAIMS] * 4


def test_a_key_signs_only_after_all_caches_of_the_jwks_have_it(clock):
    """N-142; ``early`` is for those who accept the unknown kid."""
    active = named("active")
    since = clock.now
    clock.advance(PUBLISHED_SECONDS - 1)

    with pytest.raises(errors.Conflict) as refused:
        rotate()
    db.session.rollback()

    assert refused.value.description == key_rotation.YOUNG
    assert refused.value.facts == {"possible_from": instant(since + PUBLISHED_SECONDS)}
    assert named("active") == active
    assert set(rotate(early=True)).isdisjoint(active)


def test_a_retired_key_leaves_after_the_longest_token_without_anybody_doing_anything(clock):
    active = named("active")
    rotate(early=True)
    clock.advance(KEPT_SECONDS - 1)
    assert set(active) < set(published())

    clock.advance(1)

    assert set(active).isdisjoint(published())
    assert current() is current()
    gone = [db.session.get(SigningKey, kid) for kid in active]
    assert {key_rotation.standing(key) for key in gone} == {"expired"}


def test_compromised_keys_and_all_they_signed_end_at_once():
    """N-144: the one before and the next one as well."""
    before = sign(current(), "at+jwt", CLAIMS)
    rotate(early=True)
    old = published()

    assert sorted(replace_compromised()) == sorted(old)

    assert len(published()) == 4
    assert set(published()).isdisjoint(old)
    assert verify(current(), "at+jwt", before) is None
    assert sorted(named("compromised")) == sorted(old)


def test_a_key_that_signs_no_more_has_no_private_half():
    rotate(early=True)
    gone = [row for row in signing_keys.find_all() if row.state == "retired"]
    replace_compromised()
    gone += [row for row in signing_keys.find_all() if row.state == "compromised"]
    db.session.expire_all()

    assert len(gone) == 8
    assert {bytes(row.private_sealed) for row in gone} == {b""}
    assert all(
        row.private_sealed for row in signing_keys.find_all() if row.state in ("active", "next")
    )


def test_a_key_that_the_secret_key_does_not_open_never_signs(clock):
    """A command run with another secret key would stop the server from signing."""
    before = signing()
    clock.advance(PUBLISHED_SECONDS)

    with pytest.raises(errors.Conflict) as refused:
        key_rotation.rotate(b"t" * 32, by=SERVER)
    db.session.rollback()

    assert refused.value.description == key_rotation.SEALED
    assert signing() == before


def test_there_is_no_rotation_without_a_next_key():
    db.session.delete(key_rotation.find_next()[-1])

    with pytest.raises(errors.Conflict) as refused:
        rotate(early=True)

    assert refused.value.description == key_rotation.MISSING


def test_each_state_has_its_beginning_and_its_end(clock):
    made = clock.now
    clock.advance(PUBLISHED_SECONDS)
    rotate()
    keys = signing_keys.find_all()

    assert {
        key.state: (key_rotation.since(key, keys) - made, key.until and key.until - made)
        for key in keys
    } == {
        "next": (PUBLISHED_SECONDS, None),
        "active": (PUBLISHED_SECONDS, None),
        "retired": (PUBLISHED_SECONDS, PUBLISHED_SECONDS + KEPT_SECONDS),
    }


def test_of_two_rotations_at_once_the_second_waits_and_meets_a_young_key(app, clock):
    """Otherwise both would make a key, and one that nobody has in a cache would sign."""
    active, following = named("active"), named("next")
    clock.advance(PUBLISHED_SECONDS)

    def second():
        with app.app_context():
            return rotate()

    with ThreadPoolExecutor(1) as thread:
        key_rotation.rotate(SEALING, by=SERVER)
        waiting = thread.submit(second)
        assert wait([waiting], timeout=0.3).done == set()
        db.session.commit()
        refused = waiting.exception()

    assert isinstance(refused, errors.Conflict)
    assert (named("retired"), named("active")) == (active, following)
    assert len(named("next")) == 2


def rotate_when_due(days):
    """Rotate as the background work does; return what signs from then on."""
    kids = key_rotation.rotate_when_due(SEALING, days, by=SERVER)
    db.session.commit()
    return [kid for _, kid in sorted(kids.items())]


def test_keys_rotate_by_themselves_when_their_days_are_over_and_not_before(clock):
    active, following = named("active"), named("next")
    turn = key_rotation.turns_at(90)
    assert turn == clock.now + 90 * DAY
    clock.advance(90 * DAY - 1)
    assert rotate_when_due(90) == rotate_when_due(0) == []

    clock.advance(1)
    assert rotate_when_due(0) == []
    assert rotate_when_due(90) == following

    assert rotate_when_due(90) == []
    assert (named("active"), named("retired")) == (following, active)
    assert key_rotation.turns_at(90) == turn + 90 * DAY
    assert key_rotation.turns_at(0) is None
    told = audit.find_page(Filters(tag=Tag.KEY_ROTATED), size=9)
    assert {(each.actor_kind, each.detail["early"]) for each in told} == {("server", False)}
    assert sorted(each.subject for each in told) == sorted(following)


def test_a_rotation_by_hand_begins_the_days_anew(clock):
    clock.advance(89 * DAY)
    rotate()
    clock.advance(DAY)

    assert rotate_when_due(90) == []
    assert key_rotation.turns_at(90) == clock.now + 89 * DAY


def test_no_schedule_lets_a_key_sign_that_some_caches_lack(clock):
    """N-142: the next key of a server that had none is young when the days are over."""
    clock.advance(90 * DAY)
    for row in key_rotation.find_next():
        db.session.delete(row)
    db.session.commit()
    assert rotate_when_due(90) == []
    start()
    assert rotate_when_due(90) == []
    assert key_rotation.turns_at(90) == clock.now + PUBLISHED_SECONDS

    clock.advance(PUBLISHED_SECONDS)

    assert rotate_when_due(90) == signing()


def test_of_many_who_rotate_on_schedule_at_once_one_does(app, clock):
    """F-50: several workers, one UPDATE of the counter decides; the others see what it did."""
    following = named("next")
    clock.advance(90 * DAY)
    db.session.remove()
    together = Barrier(4)

    def work(_number):
        with app.app_context():
            assert key_rotation.is_due(90)
            together.wait(10)
            return rotate_when_due(90)

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(work, range(4)))

    assert sorted(made) == [[], [], [], following]
    assert len(named("next")) == len(named("retired")) == 2
    assert signing() == named("active") == following
