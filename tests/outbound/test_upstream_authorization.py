"""Authorization at upstreams: where a person is sent, and which answer brings a code."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outbound import upstream_refusals
from app.outbound.challenges import bearer
from app.outbound.upstream_authorization import (
    NO_CODE,
    OTHER_ISSUER,
    OTHER_STATE,
    authorization_url,
    check_answer,
    step_up,
)
from app.outbound.upstream_clients import Client
from app.outbound.upstream_refusals import UNKNOWN, Refused
from tests.outbound.exchange import reason_of
from tests.outbound.upstreams import REDIRECT, UPSTREAM, metadata

STATE = "st-0123456789"
CLIENT = Client("https://gatewright.example/client.json", "none")
GOOD = {"code": "ac_0123456789", "state": STATE, "iss": UPSTREAM}


def url_of(**changes):
    """Return where a person is sent; keywords change the metadata or what is asked for."""
    wanted = {"redirect_uri": REDIRECT, "state": STATE, "challenge": "ch", "scopes": ["a", "b:c"]}
    asked = {name: changes.pop(name) for name in ("scopes", "resource") if name in changes}
    return authorization_url(metadata(**changes), CLIENT, **wanted | asked)


def checked(parameters, *, iss_supported=True):
    return check_answer(parameters, state=STATE, issuer=UPSTREAM, iss_supported=iss_supported)


def test_a_person_is_sent_with_everything_that_a_code_is_bound_to():
    url = url_of(resource="https://api.example/mcp?x=1")

    assert url.startswith(f"{UPSTREAM}/authorize?response_type=code&")
    assert "scope=a%20b%3Ac&" in url
    assert parse_qsl(urlsplit(url).query, strict_parsing=True) == [
        ("response_type", "code"),
        ("client_id", CLIENT.client_id),
        ("redirect_uri", REDIRECT),
        ("scope", "a b:c"),
        ("state", STATE),
        ("resource", "https://api.example/mcp?x=1"),
        ("code_challenge", "ch"),
        ("code_challenge_method", "S256"),
    ]


def test_the_query_of_the_endpoint_stays_and_nothing_empty_is_added():
    url = url_of(authorization_endpoint=f"{UPSTREAM}/authorize?tenant=a%20b&x", scopes=())

    assert url.startswith(f"{UPSTREAM}/authorize?tenant=a%20b&x&response_type=code&")
    assert {"scope", "resource"}.isdisjoint(dict(parse_qsl(urlsplit(url).query)))


@pytest.mark.parametrize(
    "query", ["client_id=other", "tenant=a&state=", "code%5Fchallenge=x", "redirect_uri"]
)
def test_an_endpoint_that_decides_for_the_request_is_not_used(query):
    assert reason_of(url_of, authorization_endpoint=f"{UPSTREAM}/authorize?{query}") == "url"


@pytest.mark.parametrize(
    "supported, parameters", [(True, GOOD), (False, GOOD), (False, {"code": "c", "state": STATE})]
)
def test_the_code_of_an_answer_that_belongs_to_the_request_is_taken(supported, parameters):
    assert checked(parameters, iss_supported=supported) == parameters["code"]


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"state": None}, OTHER_STATE),
        ({"state": ""}, OTHER_STATE),
        ({"state": STATE.upper()}, OTHER_STATE),
        ({"state": f"{STATE} "}, OTHER_STATE),
        ({"state": "\ud800"}, OTHER_STATE),
        ({"iss": None}, OTHER_ISSUER),
        ({"iss": ""}, OTHER_ISSUER),
        ({"iss": f"{UPSTREAM}/"}, OTHER_ISSUER),
        ({"iss": UPSTREAM.replace("upstream", "Upstream")}, OTHER_ISSUER),
        ({"iss": f"{UPSTREAM}:443"}, OTHER_ISSUER),
        ({"iss": "https://b.example", "error": "access_denied", "code": None}, OTHER_ISSUER),
        ({"state": "other", "error": "access_denied", "code": None}, OTHER_STATE),
        ({"code": None}, NO_CODE),
        ({"code": ""}, NO_CODE),
        ({"code": "a\nb"}, NO_CODE),
        ({"code": "c" * 16385}, NO_CODE),
    ],
)
def test_an_answer_to_another_request_or_of_another_server_is_refused(changes, sentence):
    parameters = {name: value for name, value in (GOOD | changes).items() if value is not None}

    assert checked(parameters) == Refused(sentence)


@pytest.mark.parametrize("issuer", ["", f"{UPSTREAM}/", "https://b.example"])
def test_an_issuer_that_is_sent_must_be_right_even_when_it_need_not_be_sent(issuer):
    assert checked(GOOD | {"iss": issuer}, iss_supported=False) == Refused(OTHER_ISSUER)


@pytest.mark.parametrize("error", ["access_denied", "invalid_scope", "temporarily_unavailable"])
def test_an_error_counts_before_a_code_and_is_told_in_our_words(error):
    found = checked(GOOD | {"error": error, "error_description": "c4n4ry"})

    assert found == Refused(upstream_refusals.SENTENCES[error], error)


@pytest.mark.parametrize("error", ["", "c4n4ry", "<script>", "Access_Denied", "access_denied\n"])
def test_an_error_that_is_not_known_is_not_repeated(error):
    assert checked({"state": STATE, "iss": UPSTREAM, "error": error}) == Refused(UNKNOWN)


@given(
    st.dictionaries(
        st.sampled_from(["code", "state", "iss", "error", "error_description", "more"]),
        st.text(max_size=20) | st.sampled_from([STATE, UPSTREAM, "access_denied"]),
    )
)
def test_whatever_a_browser_brings_is_a_code_or_words_of_ours(parameters):
    found = checked(parameters)

    if isinstance(found, Refused):
        ours = {OTHER_STATE, OTHER_ISSUER, NO_CODE, UNKNOWN, *upstream_refusals.SENTENCES.values()}
        assert found.sentence in ours
        assert found.error in upstream_refusals.CODES | {""}
    else:
        assert (parameters["state"], parameters["iss"]) == (STATE, UPSTREAM)
        assert found == parameters["code"]
        assert "error" not in parameters


@pytest.mark.parametrize(
    "header, wanted",
    [
        ('Bearer error="insufficient_scope", scope="c a"', ("a", "b", "c")),
        ('Bearer error="insufficient_scope", scope="b"', ()),
        ('Bearer error="insufficient_scope"', ()),
        ('Bearer error="insufficient_scope", scope="c \\"d"', ()),
        ('Bearer error="invalid_token", scope="c"', ()),
        ('Bearer scope="c"', ()),
        ("", ()),
    ],
)
def test_more_scopes_are_asked_for_together_with_those_that_were_granted(header, wanted):
    assert step_up(bearer(header), ("a", "b")) == wanted
