"""What came without encryption is sent to https or refused, before any credential counts."""

import pytest

from tests.conftest import ISSUER
from tests.protocol.machines import FORM, RESOURCE, assert_refused, form
from tests.protocol.registrants import BODY

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BEHIND_ONE = pytest.mark.parametrize("overrides", [{"trusted_proxies": 1}], ids=["one proxy"])
BEHIND_TWO = pytest.mark.parametrize("overrides", [{"trusted_proxies": 2}], ids=["two proxies"])
INSIDE = ISSUER.replace("https:", "http:")
"""How this server is reached where encryption ends before it."""
IN_CLEAR, ENCRYPTED = {"X-Forwarded-Proto": "http"}, {"X-Forwarded-Proto": "https"}
WANTED = {"grant_type": "client_credentials", "resource": RESOURCE}


def ask(machine, headers, content_type=FORM):
    """Ask for a token with the right secret."""
    return machine.http.post(
        "/token",
        data=form(WANTED),
        content_type=content_type,
        headers=machine.basic | headers,
        base_url=INSIDE,
    )


@pytest.mark.parametrize("said", [{}, IN_CLEAR], ids=["nothing said", "not believed"])
@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8"], ids=["short", "full"])
def test_tokens_are_given_where_nobody_is_trusted_to_know_how_a_request_came(
    confidential, said, content_type
):
    assert ask(confidential, said, content_type).status_code == 200


@BEHIND_ONE
@pytest.mark.parametrize("said", [{}, ENCRYPTED], ids=["nothing said", "encrypted"])
def test_what_the_proxy_received_encrypted_is_served(confidential, person, said):
    assert ask(confidential, said).status_code == 200
    assert person.open("/login", base_url=INSIDE, headers=said).status_code == 200


@BEHIND_ONE
@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8"], ids=["short", "full"])
def test_a_secret_that_was_sent_in_clear_gets_no_token(confidential, audited, content_type):
    """N-014"""
    assert_refused(ask(confidential, IN_CLEAR, content_type), "invalid_request")

    assert audited("token.issued") == []
    (event,) = audited("request.refused")
    assert event.detail["description"].startswith("This server is used over https only")


@BEHIND_ONE
@pytest.mark.parametrize(
    "method, path, options",
    [
        ("POST", "/register", {"json": BODY}),
        ("GET", "/clients/x", {"headers": {"Authorization": "Bearer rat_x"}}),
        ("GET", "/.well-known/oauth-authorization-server", {}),
        ("POST", "/login", {"data": {"username": "ada@people.example", "password": "p"}}),
        ("POST", "/authorize", {"data": {"client_id": "x"}}),
        ("OPTIONS", "/token", {}),
    ],
)
def test_nothing_else_is_served_in_clear(client, method, path, options):
    """N-014"""
    headers = options.get("headers", {}) | IN_CLEAR
    answer = client.open(path, method=method, base_url=INSIDE, **options | {"headers": headers})

    assert answer.status_code == 400
    assert "https only" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@BEHIND_ONE
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "asked",
    [
        "/login?next=%2Fadmin%2F&x=%26",
        "/",
        "/admin/",
        "/nothing/%0D%0AX-A%3A%20b",
        "/%C3%A9?%C3%A9",
    ],
)
def test_a_page_that_is_asked_for_in_clear_is_at_the_same_address_of_the_issuer(
    client, method, asked
):
    """N-014, N-015: whatever the Host header says."""
    answer = client.open(asked, method=method, base_url="http://attacker.example", headers=IN_CLEAR)

    assert answer.status_code == 308
    assert answer.location == ISSUER + asked
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "overrides", [{"trusted_proxies": 1, "issuer": f"{ISSUER}/oauth"}], ids=["one proxy"]
)
def test_the_path_of_the_issuer_stays(client):
    answer = client.get("/oauth/login?x=1", base_url=INSIDE, headers=IN_CLEAR)

    assert (answer.status_code, answer.location) == (308, f"{ISSUER}/oauth/login?x=1")


@BEHIND_ONE
@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_probes_need_no_encryption(client, path):
    assert client.get(path, base_url=INSIDE, headers=IN_CLEAR).status_code == 200


@BEHIND_TWO
@pytest.mark.parametrize(
    "said, status",
    [("https, http", 200), ("http, https", 308), ("https, http, https", 308), ("http", 200)],
)
def test_of_several_proxies_the_outermost_trusted_one_is_asked(client, said, status):
    answer = client.get("/login", base_url=INSIDE, headers={"X-Forwarded-Proto": said})

    assert answer.status_code == status
