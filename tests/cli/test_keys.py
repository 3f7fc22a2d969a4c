"""`gatewright keys …`: the keys that sign."""

from app.clock import instant
from app.domain.key_rotation import CONSEQUENCES, PUBLISHED_SECONDS
from app.domain.signing_keys import KEPT_SECONDS


def states(said, algorithm="ES256"):
    """Return the keys of an algorithm by state, as they are listed."""
    rows = said("keys", "list")
    return {row["state"]: row for row in rows if row["algorithm"] == algorithm}


def published(client):
    """Return the names in the JWKS."""
    return {key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]}


def test_the_next_key_signs_after_a_rotation_and_the_old_one_still_verifies(said, client, clock):
    said("db", "upgrade")
    before, other = states(said), states(said, "RS256")
    clock.advance(PUBLISHED_SECONDS)

    rotated = said("keys", "rotate")

    after, kid = states(said), rotated["kid"]
    assert rotated["kids"] == {"ES256": kid, "RS256": other["next"]["kid"]}
    assert kid == after["active"]["kid"] == before["next"]["kid"]
    assert after["retired"]["kid"] == before["active"]["kid"]
    assert published(client) == {row["kid"] for row in said("keys", "list")}
    assert {row["since"] for row in after.values()} == {after["next"]["created"]}
    assert after["next"]["signs_from"] == instant(clock.now + 90 * 86400)
    assert after["active"]["signs_from"] is after["retired"]["signs_from"] is None
    assert after["active"]["until"] is after["next"]["until"] is None
    clock.advance(KEPT_SECONDS)
    assert states(said)["expired"] == after["retired"] | {"state": "expired"}


def test_a_rotation_waits_for_the_caches_unless_told_not_to(said, run, refusal, clock):
    said("db", "upgrade")
    before = states(said)

    assert refusal("keys", "rotate") == "conflict"
    assert "possible_from: 20" in run("keys", "rotate").stderr
    assert said("keys", "rotate", "--now")["kid"] == before["next"]["kid"]


def test_compromised_keys_end_at_once_and_what_follows_is_said(said, run, client):
    said("db", "upgrade")
    before = published(client)

    answer = said("keys", "rotate", "--compromised")

    assert set(answer["ended"]) == before
    assert published(client).isdisjoint(before)
    assert answer["kid"] in published(client)
    listed = said("keys", "list")
    assert {row["kid"] for row in listed if row["state"] == "compromised"} == before
    assert CONSEQUENCES in run("keys", "rotate", "--compromised").stdout


def test_no_private_key_is_shown(said, run):
    said("db", "upgrade")
    kid = states(said)["active"]["kid"]

    shown = run("keys", "list", "--json").stdout + run("keys", "list").stdout

    assert shown.count(kid) == 2
    assert "sealed" not in shown
    assert "PRIVATE" not in shown
