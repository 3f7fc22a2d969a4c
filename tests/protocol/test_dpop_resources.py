"""Bound tokens where this server itself is the resource (RFC 9449 section 7, N-201)."""

import pytest

from app.domain import clients, dpop_proofs
from app.domain.audit import SERVER
from app.extensions import db
from app.protocol import access_tokens
from tests.protocol.machines import assert_refused, send
from tests.protocol.proofs import KEY, OTHER, presenting, proof, proving

WANTED = {"resource": None, "scope": "openid email"}


@pytest.fixture
def token(relying, person):
    """Return an access token of a person that is bound to the key."""
    answer = relying.redeem(person.code(relying, **WANTED), headers=proving())
    return answer.get_json()["access_token"]


def ask(client, headers, method="GET"):
    return client.open("/userinfo", method=method, headers=headers)


def test_a_bound_token_tells_who_the_person_is_with_a_proof_for_each_request(client, token, person):
    for method in ("GET", "POST"):
        answer = ask(client, presenting(token, method=method), method)
        assert (answer.status_code, answer.get_json()["email"]) == (200, person.email)
    assert ask(client, presenting(token) | {"Authorization": f"dpop {token}"}).status_code == 200


def said_of(answer):
    """Return what an answer of 401 says: error, sentence, challenge."""
    error = answer.get_json()["error"]
    assert_refused(answer, error, 401)
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith(f'DPoP error="{error}", algs="ES256 ')
    return error, answer.get_json()["error_description"]


def test_a_bound_token_without_its_key_is_refused_whatever_else_comes(client, token, subtests):
    header = {"Authorization": f"DPoP {token}"}
    once = presenting(token)
    assert ask(client, once).status_code == 200
    bearer = ("invalid_token", access_tokens.BOUND)
    cases = {
        "as a bearer token": ({"Authorization": f"Bearer {token}"}, bearer),
        "as a bearer token with a proof": (
            presenting(token) | {"Authorization": f"Bearer {token}"},
            bearer,
        ),
        "no proof": (header, ("invalid_dpop_proof", access_tokens.BOUND)),
        "another key": (
            presenting(token, name=OTHER),
            ("invalid_dpop_proof", access_tokens.OTHER_KEY),
        ),
        "no ath": (presenting(token, ath=None), ("invalid_dpop_proof", dpop_proofs.TOKEN)),
        "another ath": (presenting(token, ath="x" * 43), ("invalid_dpop_proof", dpop_proofs.TOKEN)),
        "for the token endpoint": (
            header | {"DPoP": proof(token=token, htm="GET")},
            ("invalid_dpop_proof", dpop_proofs.REQUEST),
        ),
        "by another method": (
            presenting(token, method="POST"),
            ("invalid_dpop_proof", dpop_proofs.REQUEST),
        ),
        "a second time": (once, ("invalid_dpop_proof", dpop_proofs.REPLAYED)),
        "nothing": (header | {"DPoP": ""}, ("invalid_dpop_proof", dpop_proofs.SHAPE)),
    }
    for name, (headers, said) in cases.items():
        with subtests.test(name):
            assert said_of(ask(client, headers)) == said
    assert said_of(send(client, "/userinfo", {"access_token": token})) == bearer


def test_an_unbound_token_is_no_dpop_token(client, relying, person):
    token = person.tokens(relying, **WANTED)["access_token"]

    assert said_of(ask(client, presenting(token))) == ("invalid_token", access_tokens.UNBOUND)
    borne = {"Authorization": f"Bearer {token}"}
    assert ask(client, borne).status_code == ask(client, borne | proving()).status_code == 200


def test_a_bound_token_ends_with_its_client(app, client, token, relying):
    with app.app_context():
        clients.suspend(clients.get(relying.client_id), "reason", by=SERVER)
        db.session.commit()

    answer = ask(client, presenting(token))

    assert_refused(answer, "invalid_token", 401)
    assert KEY not in answer.text
