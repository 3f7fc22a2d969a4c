"""The keys on the System page: rotated once every cache has the next one, ended when need be."""

import pytest

from app.clock import instant
from app.domain import key_rotation, signing_keys
from app.domain.key_rotation import PUBLISHED_SECONDS
from app.domain.signing_keys import KEPT_SECONDS
from tests.console.markup import texts
from tests.console.matrix import ways_to_act

PAGE = "/admin/system/"
ROTATE, REPLACE = f"{PAGE}rotate-key", f"{PAGE}replace-keys"


@pytest.fixture
def keys(app, signing_key, clock):
    """Return a function that reads the names of the keys for access tokens by state."""

    def find():
        with app.app_context():
            keys = signing_keys.find_all()
            return {key.state: key.kid for key in keys if key.algorithm == "ES256"}

    return find


@pytest.fixture
def send(csrf):
    """Return a function that sends a form of the page and gives what the page then says."""

    def post(browser, path, **form):
        answer = browser.post(path, data={"csrf_token": csrf(browser), **form})
        assert (answer.status_code, answer.location) == (303, PAGE)
        return texts(browser.get(PAGE).text)

    return post


def test_a_rotation_is_offered_once_every_cache_has_the_next_key(sign_in, keys, clock):
    early = sign_in("admin").get(PAGE).text
    clock.advance(PUBLISHED_SECONDS)
    late = sign_in("admin").get(PAGE).text

    assert ROTATE not in ways_to_act(early)
    assert "they can sign from" in texts(early)
    assert ROTATE in ways_to_act(late)
    assert REPLACE in ways_to_act(early) & ways_to_act(late)


@pytest.mark.parametrize(
    "overrides, said",
    [({"key_rotation_days": 30}, "by itself"), ({"key_rotation_days": 0}, "once somebody rotates")],
)
def test_the_page_says_when_the_next_keys_sign(overrides, said, admin, keys, clock):
    page = admin.get(PAGE).text

    assert said in texts(page)
    turn = instant(clock.now + 30 * 86400)
    assert (turn in page) == bool(overrides["key_rotation_days"])


def test_whoever_rotates_too_early_is_told_to_wait(admin, csrf, keys):
    before = keys()

    answer = admin.post(ROTATE, data={"csrf_token": csrf(admin)})

    assert answer.status_code == 409
    assert key_rotation.YOUNG in texts(answer.text)
    assert keys() == before


def test_an_admin_rotates_the_key_and_the_old_one_goes_on_verifying(
    sign_in, send, keys, client, clock
):
    before = keys()
    clock.advance(PUBLISHED_SECONDS)

    said = send(sign_in("admin"), ROTATE)

    after = keys()
    assert (after["retired"], after["active"]) == (before["active"], before["next"])
    published = {key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]}
    assert published > set(after.values())
    for state, kid in after.items():
        assert f"{kid} {state.capitalize()}" in said
    clock.advance(KEPT_SECONDS)
    assert f"{after['retired']} Expired" in texts(sign_in("viewer").get(PAGE).text)


def test_an_admin_ends_all_keys_once_the_word_was_typed(admin, send, keys, client):
    before = set(keys().values())
    assert "The word did not match" in send(admin, REPLACE, confirm_name="oops")
    assert set(keys().values()) == before

    said = send(admin, REPLACE, confirm_name=" compromised ")

    published = {key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]}
    assert published.isdisjoint(before)
    assert key_rotation.CONSEQUENCES in said
    for kid in before:
        assert f"{kid} Compromised" in said
