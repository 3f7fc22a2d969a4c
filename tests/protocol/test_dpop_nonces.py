"""Where proofs need a nonce of this server (RFC 9449 sections 8 and 9, N-201)."""

import pytest

from app.domain.dpop_proofs import NONCE_SECONDS
from tests.protocol.machines import RESOURCE, assert_refused
from tests.protocol.proofs import presenting, proving

OWN = {"grant_type": "client_credentials", "resource": RESOURCE}


@pytest.fixture
def overrides():
    return {
        "dpop_nonce_required": True,
        "rate_limit_enabled": True,
        "token_rate_limit": "5 per day",
    }


def learned(answer, status=400):
    """Return the nonce in an answer that asks for one."""
    assert_refused(answer, "use_dpop_nonce", status)
    return answer.headers["DPoP-Nonce"]


def test_a_client_learns_the_nonce_from_a_refusal_that_is_no_fault(confidential, audited, clock):
    """It is neither counted nor recorded, however often it happens."""
    nonces = {learned(confidential.post("/token", proving(), **OWN)) for _ in range(9)}
    assert len(nonces) == 1
    nonce = nonces.pop()

    answer = confidential.post("/token", proving(nonce=nonce), **OWN)

    assert (answer.status_code, answer.get_json()["token_type"]) == (200, "DPoP")
    assert answer.headers["DPoP-Nonce"] == nonce
    assert audited("request.refused") == []


def test_a_nonce_counts_for_a_while_and_only_what_this_server_gave(confidential, clock):
    clock.now -= clock.now % NONCE_SECONDS
    nonce = learned(confidential.post("/token", proving(), **OWN))
    for wrong in ("", "x", nonce[:-1], nonce.swapcase(), 7, [nonce]):
        learned(confidential.post("/token", proving(nonce=wrong), **OWN))

    clock.advance(2 * NONCE_SECONDS - 1)
    answer = confidential.post("/token", proving(nonce=nonce), **OWN)
    assert answer.status_code == 200
    newer = answer.headers["DPoP-Nonce"]
    clock.advance(1)
    assert learned(confidential.post("/token", proving(nonce=nonce), **OWN)) != newer
    assert confidential.post("/token", proving(nonce=newer), **OWN).status_code == 200


def test_every_place_that_takes_proofs_demands_the_nonce(client, relying, person):
    nonce = learned(relying.push(proving("/par")))
    assert relying.push(proving("/par", nonce=nonce)).status_code == 201
    code = person.code(relying, resource=None, scope="openid email")
    learned(relying.redeem(code, headers=proving()))
    token = relying.redeem(code, headers=proving(nonce=nonce)).get_json()["access_token"]

    without = client.get("/userinfo", headers=presenting(token))
    assert learned(without, 401) == nonce
    assert without.headers["WWW-Authenticate"].startswith('DPoP error="use_dpop_nonce", algs="')
    told = client.get("/userinfo", headers=presenting(token, nonce=nonce))
    assert (told.status_code, told.headers["DPoP-Nonce"]) == (200, nonce)


def test_who_sends_no_proof_hears_nothing_of_nonces(confidential):
    answer = confidential.post("/token", **OWN)

    assert (answer.status_code, answer.get_json()["token_type"]) == (200, "Bearer")
    assert "DPoP-Nonce" not in answer.headers
