"""Tokens of grants at upstreams: what is asked for them, what is read, and how they end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outbound import upstream as upstreams
from app.outbound.errors import OutboundError
from app.outbound.upstream import Revocation, redeem, refresh, revoke
from app.outbound.upstream_clients import Client
from tests.outbound.exchange import reason_of
from tests.outbound.upstreams import (
    CLIENT,
    OURS,
    REDIRECT,
    RESOURCE,
    Upstream,
    forms,
    login,
    refused,
)
from tests.outbound.upstreams import upstream as upstream
from tests.services.gate import said, token_answer


def redeemed(at: Upstream, client: Client = CLIENT, **options):
    proof = {"code": "ac_1", "verifier": "v" * 43, "redirect_uri": REDIRECT}
    return redeem(at.outbound, login(at, client, **options), **proof)


def test_a_code_is_exchanged_with_its_verifier_for_all_that_was_granted(upstream, clock):
    at = upstream(token_answer("at-1", refresh_token="rt-1", scope="b  c", expires_in=600))

    grant = redeemed(at)

    assert forms(at) == [
        {
            "grant_type": ["authorization_code"],
            "code": ["ac_1"],
            "code_verifier": ["v" * 43],
            "redirect_uri": [REDIRECT],
            "resource": [RESOURCE],
            **OURS,
        }
    ]
    assert (at.asked, grant.access_token) == (["POST /token"], "at-1")
    assert (grant.refresh_token, grant.scopes) == ("rt-1", ("b", "c"))
    assert grant.expires_at == clock.now + 600
    assert "-1" not in repr(grant)


def test_a_grant_that_says_nothing_more_has_the_scopes_that_were_asked_for_and_no_end(upstream):
    at = upstream(token_answer("at-1", expires_in=None, refresh_token="", scope=""))

    grant = redeemed(at)

    assert (grant.refresh_token, grant.expires_at, grant.scopes) == ("", None, ("a", "b"))


def test_a_public_client_sends_its_name_only(upstream):
    at = upstream(token_answer())

    redeemed(at, Client("c-1", "none"), resource="")

    assert {"client_id", "resource", "client_secret"} & forms(at)[0].keys() == {"client_id"}
    assert "authorization" not in at.server.heads[0]


def test_an_assertion_is_for_the_issuer_wherever_it_is_sent(upstream):
    signed = []
    at = upstream(token_answer(), said(200))

    def sign(claims):
        signed.append(claims)
        return "assertion"

    client = Client("https://gatewright.example/client.json", "private_key_jwt")
    redeemed(at, client, sign=sign)
    revoke(at.outbound, at.metadata(), login(at, client, sign=sign), access_token="at-1")

    assert at.asked == ["POST /token", "POST /revoke"]
    assert [claims["aud"] for claims in signed] == [at.origin] * 2
    assert [form["client_assertion"] for form in forms(at)] == [["assertion"]] * 2


@pytest.mark.parametrize(
    "answer, reason, error",
    [
        (refused("invalid_grant"), "token", "invalid_grant"),
        (refused("invalid_client", 401), "token", "invalid_client"),
        (refused("c4n4ry"), "token", ""),
        (said(200, {"error": "temporarily_unavailable"}), "token", "temporarily_unavailable"),
        (said(503, b"<h1>c4n4ry</h1>"), "token", ""),
        (token_answer(token_type="DPoP"), "token", ""),
        (token_answer(refresh_token=["rt-1"]), "token", ""),
        (token_answer(refresh_token="r\nt"), "token", ""),
        (said(302, extra="Location: https://b.example/\r\n"), "redirect", ""),
    ],
)
def test_what_is_no_grant_is_told_by_a_known_code_at_most(upstream, answer, reason, error):
    at = upstream(answer)

    with pytest.raises(OutboundError) as raised:
        redeemed(at)

    assert (raised.value.reason, raised.value.error) == (reason, error)
    assert "c4n4ry" not in str(raised.value)


def test_an_upstream_is_a_stranger_until_an_operator_allows_it(upstream):
    at = upstream(token_answer())
    at.outbound.allow = frozenset()

    assert reason_of(redeemed, at) == "scheme"
    assert at.server.requests == []


def test_a_refresh_keeps_the_refresh_token_when_no_other_one_comes(upstream):
    at = upstream(token_answer(scope="a"), token_answer(refresh_token="rt-2"))

    first, second = (refresh(at.outbound, login(at), "rt-1") for _ in range(2))

    assert (first.refresh_token, first.scopes) == ("rt-1", ("a",))
    assert (second.refresh_token, second.scopes) == ("rt-2", ("a", "b"))
    assert forms(at)[0] == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["rt-1"],
        "resource": [RESOURCE],
        **OURS,
    }


VALUES = st.none() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=3), max_size=2)


@given(VALUES, VALUES)
def test_whatever_is_said_of_scopes_and_refresh_token_is_text_or_refused(scope, token):
    scopes = upstreams.scopes_of({"scope": scope}, "a b")

    assert all(isinstance(name, str) and name.isascii() and name for name in scopes)
    try:
        found = upstreams.refresh_token_of({"refresh_token": token}, "before")
    except OutboundError:
        return
    assert found.isascii()
    assert found == (token or "before")


def test_tokens_of_two_grants_are_never_shared(upstream):
    at = upstream()

    assert login(at).name != login(at, grant_id="g-2").name


def test_the_refresh_token_is_revoked_first_and_each_outcome_is_told(upstream):
    at = upstream(said(200), refused("unsupported_token_type"))
    tokens = {"access_token": "at-1", "refresh_token": "rt-1"}

    found = revoke(at.outbound, at.metadata(), login(at), **tokens)

    assert found == (
        Revocation("refresh_token", status=200),
        Revocation("access_token", "status", 400, "unsupported_token_type"),
    )
    assert forms(at) == [
        {"token": ["rt-1"], "token_type_hint": ["refresh_token"], **OURS},
        {"token": ["at-1"], "token_type_hint": ["access_token"], **OURS},
    ]


def test_a_revocation_that_cannot_be_had_is_told_and_not_raised(upstream):
    at = upstream(b"")
    elsewhere = at.metadata(revocation_endpoint="http://10.0.0.1/revoke")

    assert revoke(at.outbound, at.metadata(), login(at), refresh_token="rt-1") == (
        Revocation("refresh_token", "protocol"),
    )
    assert revoke(at.outbound, elsewhere, login(at), access_token="at-1") == (
        Revocation("access_token", "scheme"),
    )
    unable = at.metadata(revocation_endpoint="")
    assert revoke(at.outbound, unable, login(at), refresh_token="rt-1") == ()
    assert revoke(at.outbound, at.metadata(), login(at)) == ()
    assert len(at.server.requests) == 1
