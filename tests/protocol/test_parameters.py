"""What every endpoint of this door does with the shape of a request (security.md section 2.1)."""

import json

import pytest

from tests.conftest import ISSUER
from tests.protocol.machines import FORM, SCOPES, assert_refused, form

MACHINES = ("/token", "/revoke", "/introspect")
METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE")
KNOWN = {"grant_type": "client_credentials", "scope": "mcp:read"}


def sent(machine, body, content_type=FORM, path="/token", **options):
    return machine.http.post(
        path, data=body, content_type=content_type, headers=machine.basic, **options
    )


@pytest.mark.parametrize("path", [*MACHINES, "/authorize"])
def test_a_repeated_parameter_is_refused(confidential, path, subtests):
    """N-004: whatever its name, and also when the values are equal."""
    for name in ("grant_type", "client_id", "token", "scope", "redirect_uri", "code", "x", "state"):
        with subtests.test(name):
            response = sent(confidential, f"{name}=a&b=c&{name}=a", path=path)
            assert response.status_code == 400
            if path != "/authorize":
                assert_refused(response, "invalid_request")


def test_resource_may_be_repeated(confidential):
    """N-004: RFC 8707 section 2 allows it."""
    twice = KNOWN | {"resource": [ISSUER, ISSUER]}

    assert sent(confidential, form(twice)).status_code == 200


@pytest.mark.parametrize("path", MACHINES)
def test_nothing_is_read_from_the_query(confidential, path, subtests):
    """N-004, N-008, M-14: not even the same value twice, nor a name of both places."""
    body = form(KNOWN | {"token": "x", "foo": "bar"})
    names = ("grant_type", "scope", "client_id", "client_secret", "token", "code", "resource")
    names += ("code_verifier", "redirect_uri", "refresh_token", "token_type_hint")
    for query in (*(f"{name}=client_credentials" for name in names), "foo=bar", "%74oken=x"):
        with subtests.test(query):
            assert_refused(sent(confidential, body, path=f"{path}?{query}"), "invalid_request")


def test_a_query_that_names_nothing_of_ours_is_ignored(confidential):
    """N-006"""
    assert sent(confidential, form(KNOWN), path="/token?tenant=a&tenant=b").status_code == 200


CONTENT_TYPES = [
    (FORM, 200),
    (f"{FORM}; charset=utf-8", 200),
    (f"{FORM};charset=UTF-8", 200),
    (FORM.title(), 200),
    (f'{FORM}; charset="utf-8"', 200),
    (f"{FORM}; charset=iso-8859-1", 400),
    (f"{FORM}; charset=utf-16", 400),
    ("application/json", 400),
    ("multipart/form-data; boundary=x", 400),
    ("text/plain", 400),
    ("", 400),
    (None, 400),
]


@pytest.mark.parametrize("path", ["/token", "/authorize"])
def test_only_form_encoding_in_utf_8_is_read(confidential, path, subtests):
    """N-009"""
    for content_type, status in CONTENT_TYPES:
        with subtests.test(str(content_type)):
            response = sent(confidential, form(KNOWN), content_type, path)
            if path == "/token" and status == 400:
                assert_refused(response, "invalid_request")
            expected = 303 if path == "/authorize" and status == 200 else status
            assert response.status_code == expected


# What the body is, the bytes of it.
MALFORMED = [
    ("N-009 bytes that are not UTF-8", b"grant_type=%FF%FE"),
    ("N-009 raw bytes", b"grant_type=\xff\xfe"),
    ("N-009 raw UTF-8", "grant_type=é".encode()),
    ("N-009 a surrogate", b"grant_type=%ED%A0%80"),
    ("NUL", b"grant_type=client_credentials&scope=a%00b"),
    ("65 parameters", b"&".join(b"p%d=1" % n for n in range(65))),
    ("65 empty parameters", b"&" * 64 + b"a=1"),
    ("JSON", json.dumps(KNOWN).encode()),
]


@pytest.mark.parametrize("path", MACHINES)
def test_a_malformed_body_is_refused(confidential, path, subtests):
    for name, body in MALFORMED:
        with subtests.test(name):
            assert_refused(sent(confidential, body, path=path), "invalid_request")


def test_an_empty_value_counts_as_absent(confidential):
    """N-005"""
    response = sent(confidential, form(KNOWN | {"scope": "", "resource": "", "client_id": ""}))

    assert response.status_code == 200
    assert set(response.get_json()["scope"].split()) == set(SCOPES.split())


def test_an_unknown_parameter_is_ignored_and_not_reflected(confidential):
    """N-006, X-71, N-133"""
    odd = {"<b>": "<b>canary</b>", "callback": "canary", "error": "canary"}
    for path, needed in (("/token", {}), ("/revoke", {"token": "x"}), ("/introspect", {})):
        response = sent(confidential, form(needed | odd), path=path)
        assert "canary" not in response.text
        assert "<b>" not in response.text
        assert response.mimetype == "application/json"


@pytest.mark.parametrize("length", ["known", "chunked"])
@pytest.mark.parametrize("path", [*MACHINES, "/register"])
def test_a_body_that_is_too_large_is_refused(client, path, length):
    """N-017"""
    options = {}
    if length == "chunked":
        chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
        options = {"environ_overrides": chunked}

    body = b"a=" + b"a" * 65536
    response = client.post(path, data=body, content_type=FORM, **options)

    assert_refused(response, "invalid_request", 413)


def test_a_page_refuses_a_large_form_as_a_page(person):
    """N-017"""
    response = person.http.post("/login", data=b"a=" + b"a" * 65536, content_type=FORM)

    assert (response.status_code, response.mimetype) == (413, "text/html")


def test_a_compressed_body_is_refused(confidential):
    options = {"environ_overrides": {"HTTP_CONTENT_ENCODING": "gzip"}}

    assert_refused(sent(confidential, b"\x1f\x8b", **options), "invalid_request", 415)


@pytest.mark.parametrize("path", [*MACHINES, "/register"])
def test_another_method_is_refused(client, path, subtests):
    """N-003, M-17"""
    for method in METHODS:
        with subtests.test(method):
            response = client.open(path, method=method, headers={"X-Canary": "canary"})
            assert response.status_code == 405
            assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
            assert "canary" not in response.text
            if method != "HEAD":
                assert response.get_json()["error"] == "invalid_request"
                assert "access_token" not in response.text


@pytest.mark.parametrize("path", ["/authorize", "/login"])
def test_another_method_is_refused_at_pages(client, path):
    """N-003, N-020"""
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        response = client.open(path, method=method)
        assert response.status_code == 405
        assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))
