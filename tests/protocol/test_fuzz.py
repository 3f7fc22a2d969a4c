"""No request gives a 5xx because of its content, and every endpoint keeps its own format."""

import json
import re
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import client_metadata
from tests.corpora.hostile_keys import EC_KEY
from tests.protocol import registrants
from tests.protocol.machines import FORM, LOOPBACK, PROOF, REDIRECT
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url

EXAMPLES = 60
FORMS = ["/token", "/revoke", "/introspect", "/par", "/device_authorization"]
REFERENCE = "urn:ietf:params:oauth:request_uri:x"
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
"""What RFC 6749 section 5.2 allows in an error_description."""

TEXTS = st.text(max_size=20) | st.sampled_from(
    ["\0", "\r\n", "%00", "'--", "../", "\u202e", "\U0001d501"]
)
HINTS = st.sampled_from(
    ["authorization_code", "client_credentials", "code", "none", "web", REDIRECT, LOOPBACK, "a.b.c"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HINTS | TEXTS | st.just(EC_KEY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    [
        *client_metadata.RULES,
        "redirect_uris",
        "grant_types",
        "response_types",
        "token_endpoint_auth_method",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg",
        "software_statement",
        "client_id",
        "client_secret",
        "client_name#de",
        "x",
    ]
)
DOCUMENTS = st.dictionaries(MEMBERS, JSON | st.lists(HINTS, max_size=3), max_size=5)
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Accept",
            "Accept-Encoding",
            "Accept-Language",
            "Authorization",
            "Content-Encoding",
            "Content-Type",
            "Cookie",
            "DPoP",
            "Forwarded",
            "HX-Request",
            "If-None-Match",
            "Origin",
            "Range",
            "Referer",
            "Sec-Fetch-Site",
            "User-Agent",
            "X-Forwarded-For",
            "X-Request-Id",
        ]
    ),
    LATIN
    | st.sampled_from(
        [
            "Basic",
            "Basic Og==",
            "Basic /w==",
            "Basic YTpi",
            "Basic AAA6AAA=",
            "Bearer x",
            "Bearer \xff",
            FORM,
            "application/json",
            "application/json; charset=utf-7",
            "multipart/form-data; boundary=x",
            "text/html",
            "gzip",
            "cross-site",
            "bytes=0-",
        ]
    ),
    max_size=3,
)
PARAMETERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "client_assertion",
                "client_assertion_type",
                "client_id",
                "client_secret",
                "code",
                "code_challenge",
                "code_challenge_method",
                "code_verifier",
                "grant_type",
                "id_token_hint",
                "login_hint",
                "max_age",
                "nonce",
                "prompt",
                "redirect_uri",
                "refresh_token",
                "request",
                "request_uri",
                "resource",
                "response_mode",
                "response_type",
                "scope",
                "state",
                "token",
                "token_type_hint",
                "ui_locales",
            ]
        ),
        TEXTS | HINTS | st.sampled_from(["S256", "query", "mcp:read", "rt_x", REFERENCE]),
    ),
    max_size=6,
)
RAW = st.text("&=;+%0aF/?#[]{}\"'\\ \0\r\n\t\u007f", max_size=60) | st.binary(max_size=60).map(
    lambda raw: raw.decode("latin-1")
)


@pytest.fixture(scope="module")
def active(standing):
    """Return an active client of each kind that can be asked about."""
    found = [
        registrants.register(standing.http, redirect_uris=[REDIRECT, LOOPBACK]),
        registrants.register(
            standing.http, client_name="Secretive", token_endpoint_auth_method="client_secret_post"
        ),
    ]
    for each in found:
        standing.operator.approve(each)
    found.append(registrants.register(standing.http, client_name="Pending"))
    return found


def check_machine_answer(response, *good):
    """Assert that an answer is a good one or a refusal in OAuth JSON."""
    assert response.status_code < 500, response.text
    if response.status_code == 204:
        return
    assert response.content_type == "application/json"
    if response.status_code in good:
        assert isinstance(response.get_json(), dict)
        return
    body = response.get_json()
    assert body.keys() == {"error", "error_description"}
    assert DESCRIPTION.fullmatch(body["error_description"])
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"]


@settings(max_examples=EXAMPLES)
@given(document=DOCUMENTS, headers=HEADERS)
def test_no_registration_gives_a_fault(standing, document, headers):
    body = {"redirect_uris": [REDIRECT]} | document
    sent = {"Content-Type": "application/json"} | headers
    response = standing.http.post("/register", data=json.dumps(body), headers=sent)

    check_machine_answer(response, 201)
    if response.status_code == 201:
        assert all(value not in (None, "", []) for value in response.get_json().values())


@settings(max_examples=EXAMPLES)
@given(raw=st.binary(max_size=200), headers=HEADERS)
def test_no_bytes_posted_as_a_registration_give_a_fault(standing, raw, headers):
    sent = {"Content-Type": "application/json"} | headers
    response = standing.http.post("/register", data=raw, headers=sent)

    check_machine_answer(response)
    assert response.status_code >= 400


@settings(max_examples=EXAMPLES)
@given(document=DOCUMENTS, headers=HEADERS, which=st.integers(0, 2), named=st.booleans())
def test_no_update_gives_a_fault(standing, active, *, document, headers, which, named):
    registrant = active[which]
    body = document | ({"client_id": registrant.client_id} if named else {})
    sent = {"Content-Type": "application/json"} | registrants.bearer(registrant.token) | headers
    response = standing.http.put(registrant.path, data=json.dumps(body), headers=sent)

    check_machine_answer(response, 200)


@settings(max_examples=EXAMPLES)
@given(
    client_id=st.text(max_size=40).filter(lambda text: "/" not in text[:1]),
    method=st.sampled_from(["GET", "PUT", "DELETE", "PATCH"]),
    headers=HEADERS,
)
def test_no_address_of_a_client_gives_a_fault(standing, client_id, method, headers):
    environ = {"PATH_INFO": f"/clients/{client_id}".encode().decode("latin-1")}
    response = standing.http.open(
        "/clients/x", method=method, headers=headers, environ_overrides=environ
    )
    check_machine_answer(response)


@settings(max_examples=EXAMPLES)
@given(found=PARAMETERS, headers=HEADERS, which=st.integers(0, 2), complete=st.booleans())
def test_no_authorization_request_gives_a_fault_or_an_open_redirect(
    standing, active, *, found, headers, which, complete
):
    known = {
        "client_id": active[which].client_id,
        "redirect_uri": active[which].answer["redirect_uris"][0],
        "response_type": "code",
        "code_challenge": PROOF.challenge,
        "code_challenge_method": "S256",
    }
    changed = {name for name, _ in found}
    base = [(name, value) for name, value in known.items() if complete and name not in changed]
    response = standing.http.get(f"/authorize?{urlencode(base + found)}", headers=headers)

    check_browser_answer(response)


@settings(max_examples=EXAMPLES)
@given(raw=RAW, headers=HEADERS)
def test_no_bytes_in_a_query_give_a_fault(standing, active, raw, headers):
    query = f"client_id={active[0].client_id}&redirect_uri={REDIRECT}&{raw}"
    response = standing.http.get(
        "/authorize", headers=headers, environ_overrides={"QUERY_STRING": query}
    )
    check_browser_answer(response)


def check_browser_answer(response):
    """Assert that a browser sees a page, or is sent to a registered redirect URI."""
    assert response.status_code < 500, response.text
    where = response.headers.get("Location")
    if where is not None:
        assert where.startswith((f"{REDIRECT}?", f"{LOOPBACK}?", registered("?")))
        assert where.isascii()
        assert not set(where) & set("\r\n\0 ")
    elif response.content_type == "application/json":
        assert response.get_json().keys() == {"error", "error_description"}
    elif "HX-Refresh" not in response.headers:
        assert response.content_type == "text/html; charset=utf-8"


def registered(end):
    """Return the redirect URI of the cast."""
    return registrants.BODY["redirect_uris"][0] + end


@settings(max_examples=EXAMPLES)
@given(
    path=st.sampled_from(FORMS),
    found=PARAMETERS,
    headers=HEADERS,
    which=st.integers(0, 2),
    proven=st.booleans(),
)
def test_no_form_gives_a_fault(standing, active, *, path, found, headers, which, proven):
    machine = active[which].machine
    known = {"client_id": machine.client_id, "client_secret": machine.secret}
    base = [(name, value) for name, value in known.items() if proven and value]
    sent = {"Content-Type": FORM} | headers
    response = standing.http.post(path, data=urlencode(base + found), headers=sent)

    check_machine_answer(response, 200, 201)


@settings(max_examples=EXAMPLES)
@given(path=st.sampled_from(FORMS), raw=RAW, headers=HEADERS)
def test_no_bytes_in_a_form_give_a_fault(standing, path, raw, headers):
    sent = {"Content-Type": FORM} | headers
    response = standing.http.post(path, data=raw.encode("latin-1"), headers=sent)

    check_machine_answer(response)
    assert response.status_code >= 400
