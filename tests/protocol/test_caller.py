"""Client authentication, alike at every endpoint that needs it (security.md section 2.3)."""

import base64
from urllib.parse import quote

import pytest

from app.domain import clients, credentials
from app.domain.audit import SERVER
from app.domain.client_records import Client
from app.extensions import db
from tests.protocol.machines import assert_refused, send

ENDPOINTS = {
    "/token": {"grant_type": "authorization_code", "code": "x"},
    "/revoke": {"token": "x"},
    "/introspect": {"token": "x"},
}
every_endpoint = pytest.mark.parametrize("path", ENDPOINTS)


def basic(client_id, secret, scheme="Basic"):
    """Return the header for two halves that are encoded already."""
    pair = f"{client_id}:{secret}".encode()
    return {"Authorization": f"{scheme} {base64.b64encode(pair).decode()}"}


def raw(value):
    """Return the header for bytes that may be anything."""
    return {"Authorization": "Basic " + base64.b64encode(value).decode()}


def tried(machine, path, headers=None, **parameters):
    """Call an endpoint with authentication of the test's own."""
    return send(machine.http, path, ENDPOINTS[path] | parameters, headers or {})


def set_secret(app, machine, secret):
    """Give a client a secret that no generator would make."""
    with app.app_context():
        client = clients.get(machine.client_id)
        clients.rotate_secret(client, by=SERVER, overlap_seconds=0)
        client.secret_digest = credentials.digest(secret)
        db.session.commit()


def is_authenticated(response):
    """Tell whether the client got past its authentication."""
    return response.status_code != 401


@every_endpoint
def test_the_registered_method_is_accepted(confidential, posting, path):
    for machine in (confidential, posting):
        assert is_authenticated(machine.post(path, **ENDPOINTS[path]))


@pytest.mark.parametrize("scheme", ["basic", "BASIC"])
def test_the_scheme_has_no_case(confidential, scheme):
    headers = basic(confidential.client_id, confidential.secret, scheme)

    assert is_authenticated(tried(confidential, "/token", headers))


def test_both_halves_of_basic_are_form_encoded(app, confidential):
    """N-050"""
    secret = "a:b%c+d e\u00e9~"
    set_secret(app, confidential, secret)
    identity = confidential.client_id.replace("-", "%2D")

    assert is_authenticated(tried(confidential, "/token", basic(identity, quote(secret, safe=""))))
    plus = quote(secret, safe=" ").replace(" ", "+")
    assert is_authenticated(tried(confidential, "/token", basic(identity, plus)))
    assert_refused(
        tried(confidential, "/token", basic(identity, "a:b%25c+d+e%C3%A9")), "invalid_client"
    )


# What is wrong with the header, the header.
BAD_HEADERS = [
    ("not base64", {"Authorization": "Basic !!!!"}),
    ("base64 of the URL alphabet", {"Authorization": "Basic _-__"}),
    ("nothing", {"Authorization": "Basic"}),
    ("nothing after the space", {"Authorization": "Basic "}),
    ("empty", {"Authorization": ""}),
    ("no colon", raw(b"abc")),
    ("only a colon", raw(b":")),
    ("NUL in the id", raw(b"a\0b:c")),
    ("encoded NUL in the id", raw(b"a%00b:c")),
    ("M-03 bytes that are not UTF-8", raw(b"\xff\xfe:\xff")),
    ("M-03 encoded bytes that are not UTF-8", raw(b"a:%ff%fe")),
    ("M-03 secret beyond ASCII", raw("a:\u00e9".encode())),
    ("64 KB", raw(b"a:" + b"b" * 65536)),
    ("another scheme", {"Authorization": "Bearer abc"}),
    ("unknown scheme", {"Authorization": "Digest a=b"}),
    ("two schemes", {"Authorization": "Basic YTpi, Bearer abc"}),
]


@every_endpoint
def test_a_bad_header_is_a_failed_authentication(confidential, path, subtests):
    """N-051, N-053"""
    for name, headers in BAD_HEADERS:
        with subtests.test(name):
            response = tried(confidential, path, headers)
            assert_refused(response, "invalid_client")
            assert response.headers["WWW-Authenticate"].startswith("Basic realm=")


@every_endpoint
def test_unknown_and_wrong_cannot_be_told_apart(confidential, posting, public, path):
    """N-052, N-053, N-056, N-057, N-058"""
    mine, secret = confidential.client_id, confidential.secret
    answers = [
        tried(confidential, path, basic("nobody", "wrong")),
        tried(confidential, path, basic(mine, "wrong")),
        tried(confidential, path, basic(mine, "")),
        tried(confidential, path, basic(mine, secret[:-1])),
        tried(confidential, path, basic(mine, secret + "%20")),
        tried(confidential, path, basic(mine.upper(), secret)),
        tried(confidential, path, basic(public.client_id, "")),
        tried(confidential, path, basic(public.client_id, "anything")),
        tried(confidential, path, basic(posting.client_id, posting.secret)),
        tried(confidential, path, client_id=mine, client_secret=secret),
        tried(confidential, path, client_id=mine),
        tried(confidential, path, client_id=mine, client_secret=""),
        tried(confidential, path, client_id=public.client_id, client_secret="anything"),
        tried(confidential, path, client_id=posting.client_id),
        tried(confidential, path, client_id="nobody", client_secret="wrong"),
        tried(confidential, path, client_id="nobody"),
        tried(confidential, path, client_id="a" * 60_000),
        tried(confidential, path, client_id="\u202e\u00e9\U0001f600"),
        tried(confidential, path),
    ]

    assert len({answer.get_data() for answer in answers}) == 1
    for answer in answers:
        assert_refused(answer, "invalid_client")


def test_an_unknown_client_costs_the_comparisons_of_a_known_one(confidential, monkeypatch):
    """N-052: the time of an answer does not tell who exists."""
    compare, compared = credentials.equal, []
    monkeypatch.setattr(credentials, "equal", lambda *both: compared.append(both) or compare(*both))
    counts = []
    for client_id in (confidential.client_id, "nobody"):
        compared.clear()
        assert_refused(tried(confidential, "/token", basic(client_id, "x")), "invalid_client")
        counts.append(len(compared))

    assert counts[0] == counts[1] > 0


@every_endpoint
def test_two_methods_at_once_are_refused(confidential, posting, path):
    """N-054, N-055"""
    mine = confidential.basic
    for change in (
        {"client_secret": confidential.secret},
        {"client_id": confidential.client_id, "client_secret": confidential.secret},
        {"client_id": posting.client_id},
        {"client_id": posting.client_id, "client_secret": posting.secret},
    ):
        assert_refused(tried(confidential, path, mine, **change), "invalid_request")


def test_the_same_client_id_may_stand_in_the_body_too(confidential):
    """N-055"""
    same = {"client_id": confidential.client_id}

    assert is_authenticated(tried(confidential, "/token", confidential.basic, **same))


@pytest.mark.parametrize("stored", [None, ""])
def test_an_empty_secret_never_matches(app, confidential, posting, stored):
    """N-058: also when nothing is stored."""
    with app.app_context():
        for machine in (confidential, posting):
            db.session.get(Client, machine.client_id).secret_digest = stored
            clients.edit(clients.get(machine.client_id), by=SERVER, scopes=None, redirect_uris=())
        db.session.commit()

    for secret in ("", " ", "None"):
        assert_refused(
            tried(confidential, "/token", basic(confidential.client_id, secret)), "invalid_client"
        )
        body = {"client_id": posting.client_id, "client_secret": secret}
        assert_refused(tried(posting, "/token", **body), "invalid_client")


def test_an_old_secret_works_until_its_stated_end(app, confidential, clock):
    """N-060"""
    with app.app_context():
        issued = clients.rotate_secret(clients.get(confidential.client_id), by=SERVER)
        db.session.commit()
    renewed = basic(confidential.client_id, issued.client_secret)
    old = confidential.basic
    assert is_authenticated(tried(confidential, "/token", renewed))
    clock.advance(86399)
    assert is_authenticated(tried(confidential, "/token", old))

    clock.advance(1)

    assert_refused(tried(confidential, "/token", old), "invalid_client")
    assert is_authenticated(tried(confidential, "/token", renewed))


def test_only_a_digest_of_the_secret_is_stored(app, confidential):
    """N-059, M-16"""
    with app.app_context():
        row = db.session.get(Client, confidential.client_id)

        assert row.secret_digest == credentials.digest(confidential.secret)
        assert len(confidential.secret) >= 43


def test_a_failure_is_recorded_without_the_secret(confidential, audited):
    """N-052, X-72"""
    tried(confidential, "/token", basic(confidential.client_id, "canary"))

    refused = audited("request.refused")[-1]
    assert (refused.client_id, refused.detail["error"]) == (
        confidential.client_id,
        "invalid_client",
    )
    assert "canary" not in str(refused.detail)
