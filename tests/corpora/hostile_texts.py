"""Grants, names, languages, scopes, contacts and pages that must be refused."""

from tests.corpora.registration_rows import METADATA, Hostile, good, values

GRANTS = [
    *values("M-05", "grant_types", 5, [{}], "authorization_code", [5], [None], {}, True),
    *values("RFC 9126", "require_pushed_authorization_requests", "true", 1),
    *values("M-06", "response_types", [5], "code", {}, [["code"]]),
    *values("N-155 nothing supported", "grant_types", ["implicit"], ["password"], ["x" * 500]),
    *values("N-155 refresh alone", "grant_types", ["refresh_token"], ["refresh_token", "implicit"]),
    *values(
        "N-155 no code", "response_types", ["token"], ["id_token"], ["code token"], ["none"], [""]
    ),
    *values(
        "N-155 unsupported method",
        "token_endpoint_auth_method",
        "tls_client_auth",
        "NONE",
        " none",
        "none\n",
    ),
    *values("M-05 type of the method", "token_endpoint_auth_method", 5, ["none"], {}, True),
    Hostile(
        "N-155 client credentials without authentication",
        good(grant_types=["client_credentials"], token_endpoint_auth_method="none"),
        METADATA,
    ),
    Hostile(
        "N-155 client credentials beside code without authentication",
        good(
            grant_types=["authorization_code", "client_credentials"],
            token_endpoint_auth_method="none",
        ),
        METADATA,
    ),
    Hostile(
        "N-155 client credentials with a token response",
        {"grant_types": ["client_credentials"], "response_types": ["token"]},
        METADATA,
    ),
]

TEXTS = [
    *values(
        "X-30",
        "client_name",
        "Good\u202edoog",
        "Good\u2066x\u2069",
        "Good\u2067",
        "Good\u2068",
        "Good\u200f",
        "a\x00b",
        "a\nlevel=info msg=forged",
        "a\rb",
        "a\tb",
        "a\x1b[31mb",
        "a\x85b",
        "a\u2028b",
        "a\ue000b",
        "a\ufffeb",
        "\ud800",
        "Z" + "\u0335\u0321\u0489" * 10,
        "a" * 101,
        "a" * 10_000,
    ),
    *values("M-06", "client_name", {}, 5, True, ["a"], 1.5),
    *values("X-30 localised", "client_name#ja", "a\u202eb", "a" * 101, 5),
    *values("N-162 language tag", "client_name#", "x"),
    *values("N-162 language tag", "client_name#ja_JP", "x"),
    *values("N-162 language tag", "client_name#<script>", "x"),
    *values("N-162 language tag", "client_name#ja#de", "x"),
    *values("N-162 language tag", "client_name#\u0440\u0443", "x"),
    *values("N-162 language tag", "client_name#ja\n", "x"),
    *values("N-162 language tag", "logo_uri#" + "a-b" * 20, "https://client.example/l.png"),
    *values("N-162 localised page", "policy_uri#de", "javascript:alert(1)"),
    Hostile(
        "N-162 one language twice", good(**{"client_name#de": "a", "client_name#DE": "b"}), METADATA
    ),
    Hostile(
        "N-162 very many languages",
        good(**{f"client_name#de-a{n}": "a" for n in range(150)}),
        METADATA,
    ),
    *values("M-05", "scope", 5, {}, True),
    *values("M-06", "scope", ["mcp:tools"], [["a"]]),
    *values("N-161", "scope", 'a"b', "a\\b", "a\tb", "a\nb", "\u00e9", "\ud800", "a" * 4097),
    *values("N-161 names", "scope", " ".join(f"s{n}" for n in range(101))),
    *values("X-35", "contacts", ["a@client.example"] * 1000, [f"{n}@x.example" for n in range(21)]),
    *values("X-35", "contacts", ["a@x.example\nBcc: b@y.example"], ["<b>x</b>"], ["a" * 300]),
    *values("M-06", "contacts", [["a"]], [{}], [5], [None], "a@x.example", {"a": 1}),
    *values("M-05", "software_id", 5, ["x"], {}, "a" * 256, "a\nb"),
    *values("M-05", "software_version", 5, ["x"], {}, "a" * 256, "1\x00"),
    *values("M-05", "application_type", 5, ["web"], {}),
]

PAGES = [
    row
    for member in ("client_uri", "logo_uri", "tos_uri", "policy_uri")
    for row in values(
        "X-32",
        member,
        "javascript:alert(1)",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "http://169.254.169.254/",
        "http://client.example/",
        "http://localhost/",
        "https://169.254.169.254/",
        "//attacker.example",
        "/logo.png",
        "logo",
        "https://client.example@attacker.example/",
        "https://client.example\\@attacker.example/",
        "https://client.example/\n",
        "https://client.example/a b",
        "https://127.1/",
        "https://client.example:0/",
        "HTTPS://client.example/",
        "com.example.app:/logo",
        "https://client.example/#\u00e9",
        "https://client.example/" + "a" * 2048,
        5,
        True,
        {},
        ["https://client.example/"],
    )
] + [
    *values(
        "X-33",
        "jwks_uri",
        "http://client.example/jwks",
        "http://localhost/jwks",
        "https://169.254.169.254/jwks",
        "https://0x7f.1/jwks",
        "https://client.example/jwks#x",
        "https://client.example@attacker.example/jwks",
        "file:///etc/passwd",
        "//attacker.example/jwks",
        5,
        {},
        ["https://client.example/jwks"],
    ),
]
