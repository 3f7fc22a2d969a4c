"""Codes that are bound to a key before anybody asks for tokens (RFC 9449 section 10, N-201)."""

import pytest

from tests.protocol import registrants
from tests.protocol.machines import assert_refused
from tests.protocol.persons import answer_of
from tests.protocol.proofs import OTHER, jkt, proof, proving


def check_bound(machine, code):
    """Demand that a code is good for the one key only, and that other tries do not spend it."""
    assert_refused(machine.redeem(code), "invalid_grant")
    assert_refused(machine.redeem(code, headers=proving(name=OTHER)), "invalid_grant")
    answer = machine.redeem(code, headers=proving())
    assert (answer.status_code, answer.get_json()["token_type"]) == (200, "DPoP")


@pytest.mark.parametrize("kind", ["public", "confidential"])
def test_a_code_is_redeemed_with_the_key_that_its_request_named(request, kind, person):
    machine = request.getfixturevalue(kind)

    check_bound(machine, person.code(machine, dpop_jkt=jkt()))


def test_a_pushed_request_names_the_key_by_a_proof_or_by_its_thumbprint(confidential, person):
    person.sign_in()
    for said in ({"dpop_jkt": jkt()}, {"headers": proving("/par")}):
        page = person.open(confidential.pushed(**said))
        answered = page if page.status_code == 303 else person.decide(page)
        check_bound(confidential, answer_of(answered)["code"])


def test_what_is_said_about_the_key_twice_has_to_agree(confidential):
    other = confidential.push(proving("/par"), dpop_jkt=jkt(OTHER))

    assert_refused(other, "invalid_dpop_proof")
    assert confidential.push(proving("/par"), dpop_jkt=jkt()).status_code == 201


def test_a_proof_counts_once_for_pushed_requests_too(confidential):
    same = proving("/par")

    assert confidential.push(same).status_code == 201
    assert_refused(confidential.push(same), "invalid_dpop_proof")
    assert_refused(confidential.push({"DPoP": proof("/token")}), "invalid_dpop_proof")


def test_what_is_no_thumbprint_is_refused_before_anybody_signs_in(public, person):
    for value in ("x", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "\n"):
        answer = answer_of(person.open(public.asking(dpop_jkt=value)))
        assert answer["error"] == "invalid_request"
        assert_refused(public.push(dpop_jkt=value), "invalid_request")


def test_only_approval_lets_a_client_have_unbound_tokens_again(app, client):
    """Dropping the promise is asking for more, as with pushed requests."""
    member = "dpop_bound_access_tokens"
    mine = registrants.register(client, scope="mcp:read", **{member: True})
    registrants.Operator(app).approve(mine)

    unbound = mine.update(**{member: False}).get_json()

    assert mine.answer[member] is True
    assert (unbound["registration_status"], unbound[member]) == ("revision_pending", True)
