"""Which endpoints a script of any web page may read (security.md N-010)."""

ORIGIN = {"Origin": "https://app.example"}
OPEN = [
    "/token",
    "/revoke",
    "/par",
    "/device_authorization",
    "/userinfo",
    "/register",
    "/clients/x",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
]
CLOSED = [
    "/authorize",
    "/login",
    "/consent",
    "/device",
    "/device/decision",
    "/waiting/leave",
    "/waiting/approve",
    "/logout",
    "/setup",
    "/introspect",
    "/admin/",
    "/admin/clients/",
    "/",
]


def ask(client, method, path):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "dpop"}
    return client.open(path, method=method, headers=ORIGIN | (asked if method == "OPTIONS" else {}))


def test_any_page_may_call_a_machine_endpoint_without_its_cookies(client, subtests):
    for path in OPEN:
        with subtests.test(path):
            check_open(client, path)


def check_open(client, path):
    """Check preflight and answer of an endpoint that is open to scripts."""
    preflight = ask(client, "OPTIONS", path)
    assert preflight.status_code == 200
    allowed = preflight.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type", "DPoP", "MCP-Protocol-Version"} <= set(allowed)
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]

    method = "GET" if path.startswith(("/.well-known", "/clients")) else "POST"
    answer = ask(client, method, path)
    for response in (preflight, answer):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"WWW-Authenticate", "Retry-After", "DPoP-Nonce"} <= exposed


def test_no_page_may_read_what_people_or_resource_servers_use(client):
    for path in CLOSED:
        for method in ("OPTIONS", "GET", "POST"):
            headers = ask(client, method, path).headers
            assert not [name for name, _ in headers if name.startswith("Access-Control")], path
