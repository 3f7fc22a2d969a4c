"""`gatewright client …`: list, show, decide, stop, rotate, delete."""

import json

import pytest

from tests.protocol.signers import Signer
from tests.protocol.vendors import key_set

pytestmark = pytest.mark.usefixtures("catalogue")

CREATE = ("client", "create", "--name", "Robot", "--grant", "client_credentials")
BODY = {
    "client_name": "Stranger",
    "redirect_uris": ["https://app.example/cb"],
    "scope": "tool:read",
}


def register(client, **changes):
    """Register a stranger's client over HTTP."""
    answer = client.post("/register", json=BODY | changes)
    assert answer.status_code == 201, answer.text
    return answer.json


def token_status(client, created, secret=None):
    """Return how the token endpoint answers a machine."""
    answer = client.post(
        "/token",
        data={"grant_type": "client_credentials"},
        auth=(created["client_id"], secret or created["client_secret"]),
    )
    return answer.status_code


def standing(said, client_id):
    return said("client", "show", client_id)["standing"]


@pytest.fixture
def robot(said):
    """Return a machine client made by hand."""
    return said(*CREATE, "--scope", "tool:read")


def test_a_registration_waits_until_its_software_is_approved(client, said):
    first, second = register(client), register(client)
    assert standing(said, first["client_id"]) == "pending"

    decided = said("client", "approve", first["client_id"], "--reason", "Known vendor")

    assert decided["status"] == "approved"
    assert decided["scopes"] == ["tool:read", "offline_access", "openid"]
    assert decided["clients"] == 2
    assert standing(said, first["client_id"]) == "active"
    assert standing(said, second["client_id"]) == "active"


def test_a_client_that_signs_is_held_to_fapi_2_and_let_go_again(said, refusal, robot, tmp_path):
    """N-202."""
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set("ES256")))
    created = said(*CREATE, "--auth-method", "private_key_jwt", "--jwks", str(file))

    for profile in ("fapi2", "none"):
        said("client", "profile", created["client_id"], profile)
        assert said("client", "show", created["client_id"])["profile"] == profile
    assert refusal("client", "profile", robot["client_id"], "fapi2") == "invalid_client_metadata"
    assert said("client", "show", robot["client_id"])["profile"] == "none"


def test_approval_can_be_narrowed(client, said):
    created = register(client, scope="tool:read tool:write")

    said("client", "approve", created["client_id"], "--scope", "tool:read")

    assert said("client", "show", created["client_id"])["allowed_scopes"] == ["tool:read"]


@pytest.mark.parametrize("scope", ["tool:write", "unknown", "tool:read tool:write"])
def test_approval_cannot_be_widened(client, said, refusal, scope):
    created = register(client)

    assert refusal("client", "approve", created["client_id"], "--scope", scope) == "invalid_scope"

    assert standing(said, created["client_id"]) == "pending"


def test_a_decision_binds_to_the_revision_that_was_seen(client, said, refusal):
    created = register(client)
    seen = said("client", "show", created["client_id"])["software"]["revision"]

    wrong = ("client", "approve", created["client_id"], "--revision", "0" * 32)
    assert refusal(*wrong) == "conflict"
    assert said(*wrong[:4], seen)["status"] == "approved"


def test_rejected_software_is_refused_and_cannot_be_approved_later(client, said, refusal):
    created = register(client)

    decided = said("client", "reject", created["client_id"], "--reason", "Unknown vendor")

    assert decided["status"] == "rejected"
    assert standing(said, created["client_id"]) == "rejected"
    assert refusal("client", "approve", created["client_id"]) == "conflict"
    assert said("client", "show", created["client_id"])["software"]["reason"] == "Unknown vendor"
    assert client.post("/register", json=BODY).status_code == 403


def test_a_waiting_revision_is_what_a_decision_is_about(client, said):
    created = register(client)
    said("client", "approve", created["client_id"])
    widened = {**BODY, "client_id": created["client_id"], "scope": "tool:read tool:write"}
    answer = client.put(
        f"/clients/{created['client_id']}",
        json=widened,
        headers={"Authorization": f"Bearer {created['registration_access_token']}"},
    )
    assert answer.json["registration_status"] == "revision_pending"

    said("client", "approve", created["client_id"])

    shown = said("client", "show", created["client_id"])
    assert shown["pending_metadata"] is None
    assert "tool:write" in shown["allowed_scopes"]


def test_a_suspended_client_gets_nothing_until_it_is_resumed(client, said, robot):
    assert token_status(client, robot) == 200

    said("client", "suspend", robot["client_id"], "--reason", "Odd traffic")
    assert token_status(client, robot) == 401
    assert standing(said, robot["client_id"]) == "suspended"

    said("client", "resume", robot["client_id"])
    assert token_status(client, robot) == 200


def test_a_deleted_client_stays_as_a_tombstone(client, said, refusal, robot):
    assert said("client", "delete", robot["client_id"])["standing"] == "deleted"

    assert token_status(client, robot) == 401
    assert said("client", "list") == []
    assert said("client", "list", "--standing", "deleted")[0]["client_id"] == robot["client_id"]
    assert standing(said, robot["client_id"]) == "deleted"
    assert refusal("client", "delete", robot["client_id"]) == "not_found"


def test_both_secrets_work_until_the_overlap_is_over(clock, client, said, robot):
    answer = said("client", "rotate-secret", robot["client_id"], "--overlap", "2h")

    assert answer["client_id"] == robot["client_id"]
    assert answer["client_secret_expires_at"] == 0
    assert answer["old_client_secret_expires_at"] == clock.now + 7200
    assert token_status(client, robot) == 200
    assert token_status(client, robot, answer["client_secret"]) == 200
    clock.advance(7201)
    assert token_status(client, robot) == 401
    assert token_status(client, robot, answer["client_secret"]) == 200


def test_a_client_that_signs_with_its_secret_does_so_with_a_rotated_one_too(client, said):
    created = said(*CREATE, "--scope", "tool:read", "--auth-method", "client_secret_jwt")
    rotated = said("client", "rotate-secret", created["client_id"])

    for answer in (created, rotated):
        secret = {"secret": answer["client_secret"], "algorithm": "HS256"}
        assert Signer(client, created["client_id"], **secret).for_itself().status_code == 200
    assert token_status(client, created) == 401


def test_the_old_secret_works_a_day_unless_told_otherwise(clock, said, robot):
    answer = said("client", "rotate-secret", robot["client_id"])

    assert answer["old_client_secret_expires_at"] == clock.now + 86400


def test_a_public_client_has_no_secret_to_rotate(said, refusal):
    created = said(
        *("client", "create", "--name", "A", "--auth-method", "none"),
        *("--redirect-uri", "https://a.example/cb"),
    )

    assert refusal("client", "rotate-secret", created["client_id"]) == "conflict"


@pytest.mark.parametrize(
    "verb", ["show", "approve", "reject", "suspend", "resume", "rotate-secret", "delete"]
)
def test_an_unknown_client_is_not_found(refusal, verb):
    assert refusal("client", verb, "nobody") == "not_found"


@pytest.mark.parametrize("verb", ["resume", "approve", "reject"])
def test_a_change_that_does_not_fit_the_state_is_a_conflict(refusal, robot, verb):
    assert refusal("client", verb, robot["client_id"]) == "conflict"


def test_the_list_can_be_searched_and_filtered(client, said, robot):
    waiting = register(client)

    def listed(*options):
        return {row["client_id"] for row in said("client", "list", *options)}

    assert listed() == {robot["client_id"], waiting["client_id"]}
    assert listed("--standing", "pending") == {waiting["client_id"]}
    assert listed("--search", "robo") == {robot["client_id"]}
    assert listed("--search", waiting["client_id"]) == {waiting["client_id"]}
    assert listed("--search", "nothing") == set()


def test_the_list_goes_on_behind_one_page(said, monkeypatch):
    monkeypatch.setattr("app.cli.clients.PAGE", 2)
    created = {said(*CREATE)["client_id"] for _ in range(3)}

    listed = [row["client_id"] for row in said("client", "list")]

    assert len(listed) == 3
    assert set(listed) == created


def test_what_is_shown_holds_no_credential(said, run, robot):
    rotated = said("client", "rotate-secret", robot["client_id"])

    shown = run("client", "show", robot["client_id"]).stdout
    shown += run("client", "list", "--json").stdout + run("audit", "list", "--json").stdout

    for secret in (robot["client_secret"], rotated["client_secret"]):
        assert secret not in shown
    assert "digest" not in shown


def test_a_scope_that_needs_two_people_is_given_in_the_console_only(client, said, refusal):
    """N-217: nobody knows which person stands behind a command."""
    said(*("scope", "create", "tool:pay", "--description", "Pay", "--four-eyes"))
    created = register(client, scope="tool:pay tool:read")
    by_hand = ("client", "create", "--name", "Ours", "--scope")

    assert refusal("client", "approve", created["client_id"]) == "conflict"
    assert refusal(*by_hand, "tool:pay") == "conflict"

    assert [row["standing"] for row in said("client", "list")] == ["pending"]
    said("client", "approve", created["client_id"], "--scope", "tool:read")
    assert said(*by_hand, "tool:read")["registration_status"] == "approved"
