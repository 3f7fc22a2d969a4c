"""Public keys that others publish: kept for a while, fetched once for all, not trusted blindly."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.outbound import key_sets
from app.outbound.client import Answer
from app.outbound.errors import OutboundError
from app.outbound.key_sets import KeySets
from tests.corpora.hostile_keys import EC_KEY, OKP_KEY, RSA_KEY

URI = "https://client.example/jwks.json"
ONE, TWO = EC_KEY | {"kid": "1"}, RSA_KEY | {"kid": "2"}


class Outside:
    """Stands in for the way out: answers with what a test sets, and counts."""

    def __init__(self):
        self.asked = 0
        self.publish(ONE)

    def publish(self, *keys, status=200, media_type="application/jwk-set+json"):
        """Answer with keys from now on."""
        body = json.dumps({"keys": keys}).encode()
        self.answer = Answer(status, {"content-type": media_type}, body)

    def stranger(self, _url, **_):
        self.asked += 1
        if isinstance(self.answer, str):
            raise OutboundError(self.answer)
        return self.answer


@pytest.fixture
def outside():
    return Outside()


@pytest.fixture
def keys(outside):
    return KeySets(outside)


def ids(found):
    """Return the identifiers of some keys."""
    return [key.get("kid") for key in found]


def reason(keys, kid=None):
    """Return why no key could be had."""
    with pytest.raises(OutboundError) as raised:
        keys.find(URI, kid)
    return raised.value.reason


def test_keys_are_kept_for_ten_minutes_and_found_by_their_kid(outside, keys, clock):
    outside.publish(ONE, TWO, OKP_KEY)

    assert ids(keys.find(URI)) == ["1", "2", None]
    assert ids(keys.find(URI, "1")) == ["1", None], "a key without a kid may be any"
    clock.advance(key_sets.KEPT_SECONDS - 1)
    keys.find(URI, "2")
    assert outside.asked == 1
    outside.publish(TWO)
    clock.advance(1)
    assert ids(keys.find(URI)) == ["2"]


def test_an_unknown_kid_has_the_keys_fetched_again_once_a_minute(outside, keys, clock):
    keys.find(URI, "1")
    outside.publish(ONE, TWO)

    assert keys.find(URI, "2") == ()
    clock.advance(key_sets.UNKNOWN_SECONDS)
    assert ids(keys.find(URI, "2")) == ["2"]
    assert keys.find(URI, "3") == ()
    assert outside.asked == 2


def test_a_failure_is_remembered_for_a_moment_and_spares_keys_that_are_there(outside, keys, clock):
    outside.answer = "timeout"
    assert (reason(keys), reason(keys), outside.asked) == ("timeout", "timeout", 1)
    outside.publish(ONE)
    clock.advance(key_sets.FAILED_SECONDS)
    assert ids(keys.find(URI)) == ["1"]

    outside.answer = "dns"
    clock.advance(key_sets.UNKNOWN_SECONDS)
    assert keys.find(URI, "2") == ()
    assert ids(keys.find(URI, "1")) == ["1"]
    assert outside.asked == 3
    clock.advance(key_sets.KEPT_SECONDS)
    assert reason(keys, "1") == "dns", "what was withdrawn must end"


def test_that_this_process_is_too_busy_is_not_remembered(outside, keys):
    outside.answer = "busy"
    assert reason(keys) == "busy"
    outside.publish(ONE)
    assert ids(keys.find(URI)) == ["1"]


@pytest.mark.parametrize(
    "listed, options",
    [
        ([ONE], {"status": 404}),
        ([ONE], {"media_type": "text/html"}),
        ([ONE] * (key_sets.KEYS + 1), {}),
    ],
)
def test_what_is_no_key_set_is_a_failure(outside, keys, listed, options):
    outside.publish(*listed, **options)
    assert reason(keys) == "answer"


def test_keys_that_cannot_be_used_are_skipped(outside, keys):
    private = ONE | {"d": ONE["x"]}
    outside.publish(private, {"kty": "oct", "k": "AAAA"}, {"kty": "AKP"}, 5, TWO | {"x5c": ["x"]})

    assert keys.find(URI) == (TWO,)


def test_all_who_ask_at_once_share_one_fetch(outside):
    keys, start = KeySets(outside, at_once=8), threading.Barrier(8)

    def ask(_):
        start.wait()
        return keys.find(URI, "1")

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(8)))

    assert found == [(ONE,)] * 8
    assert (outside.asked, keys.turns) == (1, {})


def test_so_many_uris_are_remembered_at_most(outside, keys, monkeypatch):
    monkeypatch.setattr(key_sets, "KEPT", 2)
    for number in range(4):
        keys.find(f"{URI}?{number}")

    assert list(keys.fetched) == [f"{URI}?2", f"{URI}?3"]
