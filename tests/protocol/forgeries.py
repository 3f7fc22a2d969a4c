"""Tokens that look like ours and are not."""

import base64
import hashlib
import hmac
import json

HEADERS = [
    b"[]",
    b'"x"',
    b"1",
    b"null",
    b"{}",
    b"{",
    b"\xff\xfe",
    b'{"alg":[]}',
    b'{"alg":{}}',
    b'{"alg":null}',
    b'{"alg":"none"}',
    b'{"alg":"None","typ":"at+jwt"}',
    b'{"alg":"ES256"}',
    b'{"alg":"ES256","kid":[]}',
    b'{"alg":"ES256","kid":{"a":1}}',
    b'{"alg":"ES256","kid":null}',
    b'{"alg":"ES256","kid":"../../etc/passwd"}',
    b'{"alg":"ES256","crit":["x"],"x":1}',
    b'{"alg":"ES256","crit":5}',
    b'{"alg":"ES256","b64":false,"crit":["b64"]}',
    b'{"alg":"ES256","zip":"DEF"}',
    b'{"alg":"ES256","jku":"https://attacker.example/jwks"}',
    b'{"alg":"ES256","x5u":"https://attacker.example/cert"}',
    b'{"alg":"RSA-OAEP","enc":"A128GCM"}',
    b"[" * 20_000,
    b'{"alg":' + b"[" * 20_000,
]


def encode(raw):
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(part):
    """Return the bytes of a part of a token."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def forged(token, jwks):
    """Yield a name and a token for each way to change a genuine token into another one."""
    head, claims, signature = token.split(".")
    for raw in HEADERS:
        yield f"header {raw[:50]!r}", f"{encode(raw)}.{claims}.{signature}"
    header = json.loads(decode(head))
    unsigned = encode(json.dumps(header | {"alg": "none"}).encode())
    yield "no algorithm", f"{unsigned}.{claims}."
    yield "no algorithm, old signature", f"{unsigned}.{claims}.{signature}"
    symmetric = encode(json.dumps(header | {"alg": "HS256"}).encode())
    for key in (json.dumps(jwks["keys"][0]).encode(), jwks["keys"][0]["x"].encode(), b""):
        mac = hmac.new(key, f"{symmetric}.{claims}".encode(), hashlib.sha256).digest()
        yield "our public key as a password", f"{symmetric}.{claims}.{encode(mac)}"
    body = json.loads(decode(claims))
    for change in ({"exp": 2**40}, {"scope": "admin"}, {"client_id": "x"}, {"aud": []}):
        altered = encode(json.dumps(body | change).encode())
        yield f"claims {change}", f"{head}.{altered}.{signature}"
    yield from (
        ("truncated", token[:-1]),
        ("extended", token + "A"),
        ("a byte more", f"{head}.{claims}.{encode(decode(signature) + b'0')}"),
        ("signature of zeros", f"{head}.{claims}.{encode(bytes(64))}"),
        ("no signature", f"{head}.{claims}."),
        ("two parts", f"{head}.{claims}"),
        ("four parts", f"{token}.x"),
        ("five parts", f"{token}.x.y"),
        ("padded", token + "="),
        ("space before", " " + token),
        ("space after", token + " "),
        ("newline after", token + "\n"),
        ("other case", token.swapcase()),
        ("twice", token + token),
        ("not ASCII", token + "\u00e9"),
        ("not a token", "\u202e\U0001f600"),
        ("dots", ".."),
        ("JSON", '{"payload":"","signatures":[]}'),
        ("enormous", "a" * 60_000),
        ("enormous, with dots", "a.b." * 15_000),
    )
