"""Registrations that look hostile or wrong and are accepted, because they do no harm."""

from tests.corpora.registration_rows import Tolerated, good

TOLERATED = [
    Tolerated("X-14 encoded number sign", good(redirect_uris=["https://client.example/cb%23x"])),
    Tolerated("X-18 empty segment", good(redirect_uris=["https://client.example//cb"])),
    Tolerated("X-18 path parameter", good(redirect_uris=["https://client.example/cb;x=1"])),
    Tolerated("X-18 dots that are no segment", good(redirect_uris=["https://client.example/..."])),
    Tolerated("X-19 valid A-label", good(redirect_uris=["https://xn--bcher-kva.example/cb"])),
    Tolerated("X-20 other parameters", good(redirect_uris=["https://client.example/cb?codes=1"])),
    Tolerated("X-20 other case", good(redirect_uris=["https://client.example/cb?State=1"])),
    Tolerated("X-12 loopback", good(redirect_uris=["http://127.0.0.1/cb", "http://[::1]:8080/cb"])),
    Tolerated("X-12 localhost", good(redirect_uris=["http://localhost:1/cb"])),
    Tolerated("X-21 address over https", good(redirect_uris=["https://10.1.2.3:8443/cb"])),
    Tolerated("X-22 longest", good(redirect_uris=["https://client.example/" + "a" * 2025])),
    Tolerated("X-30 markup in a name", good(client_name='<script>alert(1)</script>"onmouseover=')),
    Tolerated("X-30 template in a name", good(client_name="{{7*7}} {% raw %} ${7*7}")),
    Tolerated("X-31 formula in a name", good(client_name='=HYPERLINK("https://e.example")')),
    Tolerated(
        "X-30 a name of nothing visible", good(client_name=" \u200b\u3164 "), ("client_name",)
    ),
    Tolerated("X-30 an empty name", good(client_name=""), ("client_name",)),
    Tolerated("N-161 an empty scope", good(scope=""), ("scope",)),
    Tolerated("N-157 unknown members", good(x=1, __proto__={"y": 1}), ("x", "__proto__")),
    Tolerated("N-157 unknown localised member", good(**{"x#de": "y"}), ("x#de",)),
    Tolerated("N-155 unsupported grant", good(grant_types=["authorization_code", "implicit"])),
    Tolerated("N-155 unsupported response", good(response_types=["code", "token"])),
    Tolerated("N-154 unknown application type", good(application_type="tv"), ("application_type",)),
    *(
        Tolerated(f"X-38 {member}", good(**{member: value}), (member,))
        for member, value in {
            "client_id": "https://client.example/chosen",
            "client_secret": "chosen",
            "client_id_issued_at": 1,
            "client_secret_expires_at": 4102444800,
            "registration_access_token": "rat_chosen",
            "registration_client_uri": "https://attacker.example/",
            "registration_status": "approved",
            "status": "approved",
            "state": "live",
            "owner": "admin",
            "trusted": True,
            "skip_consent": True,
            "approved_at": 1,
            "software": "other",
            "software_statement_verified": True,
            "ceiling": ["*"],
            "is_admin": True,
            "id": "chosen",
        }.items()
    ),
]
