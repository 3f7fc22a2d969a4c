"""Registrations that must be refused, each named after the attack or rule it comes from.

A body of bytes is sent as it is; a dict is sent as JSON. HTTP answers those of ``OVERSIZED`` with
413 when bodies are limited to 64 KiB; the rules refuse them all the same.
"""

from tests.corpora.hostile_hosts import AUTHORITIES
from tests.corpora.hostile_json import SHAPES
from tests.corpora.hostile_keys import EC_KEY, KEYS, STATEMENTS
from tests.corpora.hostile_redirect_uris import LISTS, PATHS, SCHEMES
from tests.corpora.hostile_texts import GRANTS, PAGES, TEXTS
from tests.corpora.registration_rows import METADATA, NO_STATEMENT, REDIRECT, Hostile, good

HOSTILE = [
    *SCHEMES,
    *AUTHORITIES,
    *PATHS,
    *LISTS,
    *GRANTS,
    *TEXTS,
    *PAGES,
    *KEYS,
    *STATEMENTS,
    *SHAPES,
]

OVERSIZED = [
    Hostile("M-04 100,000 nested lists", b"[" * 100_000 + b"]" * 100_000, METADATA),
    Hostile(
        "X-22 redirect uri of 100 KB",
        good(redirect_uris=["https://x.example/" + "a" * 100_000]),
        REDIRECT,
    ),
    Hostile("X-30 name of 100 KB", good(client_name="a" * 100_000), METADATA),
    Hostile("X-34 10,000 keys", good(jwks={"keys": [EC_KEY] * 10_000}), METADATA),
    Hostile("X-36 statement of 1 MB", good(software_statement="a" * 1_000_000), NO_STATEMENT),
    Hostile("X-37 100,000 members", good(**{f"x{n}": 1 for n in range(100_000)}), METADATA),
]
