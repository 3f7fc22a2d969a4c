"""Where an authorization request may send a browser, and with what (security.md section 2.2)."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import ISSUER
from tests.protocol.machines import FORM, PROOF, REDIRECT, RESOURCE, SCOPES
from tests.protocol.persons import answer_of

EVIL = "https://attacker.example/"


def assert_local(response, status=400):
    """Demand a page of ours that sends the browser nowhere."""
    assert response.status_code == status
    assert response.mimetype == "text/html"
    assert "Location" not in response.headers
    assert 'http-equiv="refresh"' not in response.text


def assert_told(response, error, redirect_uri=REDIRECT):
    """Demand a refusal at the client, with state and issuer and nothing else."""
    told = answer_of(response)
    assert told.pop("error") == error
    assert told.pop("error_description")
    assert told == {"state": "a state", "iss": ISSUER}
    assert response.location.partition("?")[0] == redirect_uri
    assert "+" not in response.location
    assert response.headers["Cache-Control"] == "no-store"


def test_a_code_comes_back_with_state_and_issuer(public, person):
    """N-001, N-011, N-032, N-033, N-044"""
    response = person.decide(person.consent_page(public))

    assert response.status_code == 303
    assert response.headers["Cache-Control"] == "no-store"
    assert response.location.startswith(f"{REDIRECT}?code=ac_")
    answer = answer_of(response)
    assert answer.keys() == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("a state", ISSUER)
    assert len(answer["code"]) == 46


def test_a_request_may_come_as_a_form(public, person):
    """N-020; section 7, POST authorize: it goes on as a GET, also when another site sent it."""
    query = urlsplit(public.asking()).query
    response = person.http.post(
        "/authorize",
        data=query,
        content_type=FORM,
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert response.status_code == 303
    assert parse_qs(urlsplit(response.location).query) == parse_qs(query)
    assert 'name="password"' in person.open(response.location).text


LINE = 8190
"""What the server takes of a request line, in bytes."""


def test_a_request_that_no_address_can_carry_is_refused_at_once(public, person, audited):
    """Not by a 414 once the person has signed in; what is taken fits on every way through."""
    long, raw = public.asking(state="/" * 3000), public.asking(state="x")
    posted = person.http.post("/authorize", data=urlsplit(long).query, content_type=FORM)
    opened = person.open(raw.replace("state=x", "state=" + "/" * 3000))
    for response in (posted, opened):
        assert_local(response)
        assert "The request is too long for an address" in response.text
    assert len(audited("request.refused")) == 2

    filled = public.asking(state="a" * (8000 - len(urlsplit(raw).query) + 1))
    query = urlsplit(filled).query
    taken = person.http.post("/authorize", data=query, content_type=FORM)
    assert taken.status_code == 303
    assert len(f"POST /waiting/leave?{urlsplit(taken.location).query} HTTP/1.1") <= LINE
    assert_local(person.http.post("/authorize", data=f"{query}a", content_type=FORM))


# What is wrong, the change to the request.
LOCAL = [
    ("N-021 client_id missing", {"client_id": None}),
    ("N-021 client_id unknown", {"client_id": "nobody"}),
    ("N-021 client_id enormous", {"client_id": "a" * 60_000}),
    ("N-021 client_id with NUL", {"client_id": "a\0b"}),
    ("N-021 client_id not ASCII", {"client_id": "\u00e9\u202e\U0001f600"}),
    ("N-021 client_id is markup", {"client_id": "<script>alert(1)</script>"}),
    ("N-022 redirect_uri twice", {"redirect_uri": [REDIRECT, REDIRECT]}),
    ("N-021 client_id twice", {"client_id": ["a", "b"]}),
    ("N-022 bad redirect and bad type", {"redirect_uri": EVIL, "response_type": "token"}),
    ("N-036 bad redirect and prompt", {"redirect_uri": EVIL, "prompt": "none"}),
    ("N-038 bad redirect and request", {"redirect_uri": EVIL, "request_uri": EVIL}),
    ("N-038 request", {"request": "a.b.c"}),
    ("N-023 redirect_uri missing with openid", {"redirect_uri": None, "scope": "openid"}),
    ("N-004 state twice", {"state": ["a", "b"]}),
    ("N-004 scope twice", {"scope": ["mcp:read", "mcp:write"]}),
    ("N-004 an unknown name twice", {"x": ["a", "b"]}),
]


def test_an_unproven_request_stays_here(public, person, subtests):
    for name, change in LOCAL:
        with subtests.test(name):
            response = person.open(public.asking(**change))
            assert_local(response)
            assert "<script>alert" not in response.text


CHALLENGE = PROOF.challenge
# What is wrong, the change to the request, the error code.
TOLD = [
    ("N-027 missing type", {"response_type": None}, "invalid_request"),
    ("N-027 token", {"response_type": "token"}, "unsupported_response_type"),
    ("N-027 hybrid", {"response_type": "code id_token"}, "unsupported_response_type"),
    ("N-027 none", {"response_type": "none"}, "unsupported_response_type"),
    ("N-028 no challenge", {"code_challenge": None}, "invalid_request"),
    (
        "N-028 no PKCE at all",
        {"code_challenge": None, "code_challenge_method": None},
        "invalid_request",
    ),
    ("N-005 empty challenge", {"code_challenge": ""}, "invalid_request"),
    ("N-029 no method", {"code_challenge_method": None}, "invalid_request"),
    ("N-029 plain", {"code_challenge_method": "plain"}, "invalid_request"),
    ("N-029 s256", {"code_challenge_method": "s256"}, "invalid_request"),
    ("N-029 S512", {"code_challenge_method": "S512"}, "invalid_request"),
    ("N-030 42 characters", {"code_challenge": CHALLENGE[:42]}, "invalid_request"),
    ("N-030 44 characters", {"code_challenge": CHALLENGE + "a"}, "invalid_request"),
    ("N-030 padding", {"code_challenge": CHALLENGE[:42] + "="}, "invalid_request"),
    ("N-030 plus", {"code_challenge": CHALLENGE[:42] + "+"}, "invalid_request"),
    ("N-030 slash", {"code_challenge": CHALLENGE[:42] + "/"}, "invalid_request"),
    ("N-030 newline", {"code_challenge": CHALLENGE + "\n"}, "invalid_request"),
    ("N-030 space", {"code_challenge": CHALLENGE + " "}, "invalid_request"),
    ("N-030 not ASCII", {"code_challenge": "\u00e9" * 43}, "invalid_request"),
    ("N-031 nothing left", {"scope": "unknown"}, "invalid_scope"),
    ("N-031 quote", {"scope": 'mcp:read "'}, "invalid_scope"),
    ("N-031 not ASCII", {"scope": "mcp:read \u00e9"}, "invalid_scope"),
    ("N-031 two spaces", {"scope": "mcp:read  mcp:write"}, "invalid_scope"),
    ("N-031 tab", {"scope": "mcp:read\tmcp:write"}, "invalid_scope"),
    ("N-035 fragment", {"response_mode": "fragment"}, "invalid_request"),
    ("N-035 web_message", {"response_mode": "web_message"}, "invalid_request"),
    ("N-036 none and login", {"prompt": "none login"}, "invalid_request"),
    ("N-036 none and unknown", {"prompt": "none x"}, "invalid_request"),
    ("N-036 nobody signed in", {"prompt": "none"}, "login_required"),
    ("N-037 max_age is a word", {"max_age": "x"}, "invalid_request"),
    ("N-037 max_age is negative", {"max_age": "-1"}, "invalid_request"),
    ("N-037 max_age in Arabic digits", {"max_age": "\u0664"}, "invalid_request"),
    ("N-037 max_age enormous", {"max_age": "9" * 5000}, "invalid_request"),
    ("N-038 request_uri", {"request_uri": EVIL}, "request_uri_not_supported"),
    ("N-038 registration", {"registration": "{}"}, "registration_not_supported"),
    ("N-039 unknown", {"resource": "https://nowhere.example/"}, "invalid_target"),
    ("N-039 fragment", {"resource": f"{RESOURCE}#x"}, "invalid_target"),
    ("N-039 relative", {"resource": "/mcp"}, "invalid_target"),
    ("N-039 one of two unknown", {"resource": [RESOURCE, EVIL]}, "invalid_target"),
    ("nonce enormous", {"nonce": "n" * 513}, "invalid_request"),
]


def test_a_proven_client_is_told_what_is_wrong(public, person, subtests):
    """N-007, N-033: with state and issuer on each of them."""
    for name, change, error in TOLD:
        with subtests.test(name):
            assert_told(person.open(public.asking(**change)), error)


BARE = {"code_challenge": None, "code_challenge_method": None}
OPENID = BARE | {"scope": "openid mcp:read", "nonce": "n"}


def test_no_client_may_leave_pkce_out(public, confidential, person):
    """N-028: not even one that proves itself and could rely on its nonce."""
    for machine in (public, confidential):
        assert_told(person.open(machine.asking(**OPENID)), "invalid_request")


@pytest.mark.parametrize("overrides", [{"pkce_required": "public"}])
def test_where_it_is_allowed_only_a_client_with_secret_and_nonce_leaves_pkce_out(
    public, confidential, person
):
    """N-028, OAuth 2.1 section 7.5.1"""
    assert_told(person.open(public.asking(**OPENID)), "invalid_request")
    for change in ({"nonce": None}, {"scope": "mcp:read"}, {"code_challenge_method": "S256"}):
        assert_told(person.open(confidential.asking(**OPENID | change)), "invalid_request")

    assert 'name="password"' in person.open(confidential.asking(**OPENID)).text


def test_a_client_without_the_code_grant_is_told(register, person):
    """N-027"""
    machine = register(
        client_name="Machine",
        grant_types=["client_credentials"],
        token_endpoint_auth_method="client_secret_basic",
    )

    assert_told(person.open(machine.asking()), "unauthorized_client")


STATES = ["a b", "a+b", "%41%", "&=?#/", "\u00e9\U0001f600\u202e", "a" * 2048, "\r\nX: y", "<b>"]


def test_state_comes_back_byte_for_byte(public, person, subtests):
    """N-032, N-005"""
    for state in STATES:
        with subtests.test(state[:20]):
            told = answer_of(person.open(public.asking(state=state, scope="unknown")))
            assert told["state"] == state
    for absent in (None, ""):
        told = answer_of(person.open(public.asking(state=absent, scope="unknown")))
        assert told.keys() == {"error", "error_description", "iss"}


def test_scopes_are_narrowed_to_what_client_and_resource_allow(public, person):
    """N-031 as product.md settles it; the token answer says what was granted."""
    tokens = person.tokens(public, scope="mcp:read unknown")

    assert tokens["scope"] == "mcp:read"
    assert set(person.tokens(public, scope=None)["scope"].split()) >= set(SCOPES.split())


def test_a_stranger_learns_nothing_in_json_either(public, client):
    """N-021: a program gets JSON instead of a page."""
    wants = {"Accept": "application/json"}
    response = client.get(public.asking(client_id="nobody"), headers=wants)

    assert (response.status_code, response.mimetype) == (400, "application/json")
    assert response.get_json()["error"] == "invalid_request"


def test_nothing_presented_is_shown_as_markup(public, client):
    """X-71"""
    hostile = '"><script>alert(1)</script>'
    for change in ({"login_hint": hostile}, {"state": hostile}, {"redirect_uri": hostile}):
        assert "<script>alert" not in client.get(public.asking(**change)).text
