"""Which redirect URI a browser is sent to, and which never (security.md N-022 to N-025, X-25)."""

import pytest

from tests.protocol.machines import LOOPBACK, REDIRECT
from tests.protocol.persons import answer_of
from tests.protocol.test_authorize import assert_local

REGISTERED = "https://client.example/a/cb?tenant=1&b=%2F"
NEARLY = [
    "https://client.example/a/cb",
    "https://client.example/a/cb?tenant=1",
    f"{REGISTERED}&x=1",
    f"{REGISTERED}&",
    "https://client.example/a/cb/?tenant=1&b=%2F",
    "https://client.example/A/cb?tenant=1&b=%2F",
    "https://client.example/a/cb?tenant=1&b=%2f",
    "https://client.example/a/cb?tenant=1&b=/",
    "https://client.example/a/cb?b=%2F&tenant=1",
    "https://client.example/%61/cb?tenant=1&b=%2F",
    "https://client.example/a/%2e/cb?tenant=1&b=%2F",
    "https://client.example/a/../a/cb?tenant=1&b=%2F",
    "https://client.example/a/x/..;/cb?tenant=1&b=%2F",
    "https://client.example//a/cb?tenant=1&b=%2F",
    "https://client.example/a/cb;x?tenant=1&b=%2F",
    f"{REGISTERED}#",
    f"{REGISTERED}#x",
    "https://user@client.example/a/cb?tenant=1&b=%2F",
    "https://client.example@attacker.example/a/cb?tenant=1&b=%2F",
    "https://client.example:443/a/cb?tenant=1&b=%2F",
    "https://client.example:444/a/cb?tenant=1&b=%2F",
    "https://client.example./a/cb?tenant=1&b=%2F",
    "https://client.example.attacker.example/a/cb?tenant=1&b=%2F",
    "https://CLIENT.example/a/cb?tenant=1&b=%2F",
    "HTTPS://client.example/a/cb?tenant=1&b=%2F",
    "http://client.example/a/cb?tenant=1&b=%2F",
    "//client.example/a/cb?tenant=1&b=%2F",
    "/a/cb?tenant=1&b=%2F",
    "https:\\\\client.example\\a\\cb?tenant=1&b=%2F",
    f"{REGISTERED} ",
    f" {REGISTERED}",
    f"{REGISTERED}\r\nSet-Cookie: a=b",
    f"{REGISTERED}\n",
    f"{REGISTERED}\t",
    'https://client.example/"x',
    "https://client.example/\u00e9",
    "https://cl\u0456ent.example/a/cb?tenant=1&b=%2F",
    "javascript:alert(1)",
    "data:text/html,x",
    "a" * 60_000,
]


def test_only_the_registered_redirect_uri_will_do(register, person, subtests):
    """N-022, N-024, N-025, X-25, M-02; section 7: redirect query added or mismatched."""
    machine = register(redirect_uris=[REGISTERED])
    for nearly in NEARLY:
        with subtests.test(nearly[:80]):
            assert_local(person.open(machine.asking(redirect_uri=nearly)))

    exact = answer_of(person.decide(person.consent_page(machine)))
    assert (exact.pop("tenant"), exact.pop("b")) == ("1", "/")
    assert exact.keys() == {"code", "state", "iss"}


LOOPBACKS = [
    ("http://127.0.0.1:1/cb", True),
    ("http://127.0.0.1/cb", True),
    ("http://127.0.0.1:65535/cb", True),
    ("http://127.0.0.1:65536/cb", False),
    ("http://127.0.0.1:0/cb", False),
    ("http://127.0.0.1:080/cb", False),
    ("http://127.0.0.1:/cb", False),
    ("http://127.0.0.1:1/cb/", False),
    ("http://127.0.0.1:1/cb?x", False),
    ("http://127.0.0.1:1@attacker.example/cb", False),
    ("http://127.0.0.1.attacker.example/cb", False),
    ("http://127.0.0.2:1/cb", False),
    ("http://127.1:1/cb", False),
    ("http://localhost:1/cb", False),
    ("http://[::1]:1/cb", False),
    ("https://127.0.0.1:1/cb", False),
]


def test_a_loopback_redirect_may_have_any_port(native, person, subtests):
    """N-024 as product.md settles it"""
    for presented, proven in LOOPBACKS:
        with subtests.test(presented):
            response = person.open(native.asking(redirect_uri=presented))
            assert response.status_code == (200 if proven else 400)

    assert (
        native.at("http://127.0.0.1:7/cb")
        .redeem(person.code(native, redirect_uri="http://127.0.0.1:7/cb"))
        .status_code
        == 200
    )
    code = person.code(native, redirect_uri="http://127.0.0.1:8/cb")
    assert native.redeem(code).get_json()["error"] == "invalid_grant"


def test_the_only_redirect_uri_may_be_left_out(public, register, person):
    """N-023, M-18: one of several may not."""
    several = register(client_name="Several", redirect_uris=[REDIRECT, LOOPBACK])
    assert_local(person.open(several.asking(redirect_uri=None)))

    code = person.code(public, redirect_uri=None)
    assert public.redeem(code, redirect_uri=None).status_code == 200


@pytest.mark.parametrize(
    "query", ["code=x", "state=", "iss=x", "error=x", "response=x", "%63ode=x"]
)
def test_a_redirect_uri_that_holds_parameters_of_answers_is_not_registered(client, query):
    """N-034, X-20"""
    document = {"redirect_uris": [f"{REDIRECT}?{query}"], "token_endpoint_auth_method": "none"}

    assert client.post("/register", json=document).get_json()["error"] == "invalid_redirect_uri"
