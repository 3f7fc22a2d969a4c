"""Bodies that must be refused before any member is read."""

import json

from tests.corpora.registration_rows import GOOD, METADATA, Hostile, good, json_text

SHAPES = [
    Hostile("M-04 list", b"[]", METADATA),
    Hostile("M-04 string", b'"x"', METADATA),
    Hostile("M-04 null", b"null", METADATA),
    Hostile("M-04 number", b"5", METADATA),
    Hostile("M-04 boolean", b"true", METADATA),
    Hostile("M-04 lone surrogate", json_text(r'{@, "client_name#de": "\ud800"}'), METADATA),
    Hostile(
        "X-37 lone surrogate in an unknown member", json_text(r'{@, "x": ["\udfff"]}'), METADATA
    ),
    Hostile("X-37 lone surrogate in a name", json_text(r'{@, "\ud800": 1}'), METADATA),
    Hostile("X-37 reversed surrogates", json_text(r'{@, "x": "\udc00\ud800"}'), METADATA),
    Hostile("M-04 twenty thousand lists", b"[" * 20_000 + b"]" * 20_000, METADATA),
    Hostile("X-37 open lists", b"[" * 60_000, METADATA),
    Hostile("X-37 open objects", b'{"a":' * 10_000, METADATA),
    Hostile("X-37 deep unknown member", json_text(f'{{@, "x": {"[" * 17}{"]" * 17}}}'), METADATA),
    Hostile("X-37 deep behind quotes", json_text(r'{@, "x": "\"", "y": ' + "[" * 60_000), METADATA),
    Hostile(
        "M-07 duplicate name", json_text('{@, "redirect_uris": ["https://e.example"]}'), METADATA
    ),
    Hostile("M-07 duplicate escaped", json_text(r'{@, "redirect\u005furis": ["x"]}'), METADATA),
    Hostile("M-07 duplicate in depth", json_text('{@, "x": {"a": 1, "a": 1}}'), METADATA),
    Hostile("M-07 utf-16", json.dumps(GOOD).encode("utf-16"), METADATA),
    Hostile("M-07 utf-16 without mark", json.dumps(GOOD).encode("utf-16-le"), METADATA),
    Hostile("M-07 utf-32", json.dumps(GOOD).encode("utf-32-be"), METADATA),
    Hostile("X-37 byte order mark", b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), METADATA),
    Hostile("X-37 latin-1", b'{"client_name": "caf\xe9"}', METADATA),
    Hostile("X-37 overlong utf-8", b'{"client_name": "\xc0\xaf"}', METADATA),
    Hostile("X-37 surrogate bytes", b'{"client_name": "\xed\xa0\x80"}', METADATA),
    Hostile("M-06 NaN", json_text('{@, "x": NaN}'), METADATA),
    Hostile("X-37 Infinity", json_text('{@, "x": Infinity}'), METADATA),
    Hostile("X-37 -Infinity", json_text('{@, "x": [-Infinity]}'), METADATA),
    Hostile("X-37 1e400", json_text('{@, "x": 1e400}'), METADATA),
    Hostile("X-37 integer of 5000 digits", json_text(f'{{@, "x": {"9" * 5000}}}'), METADATA),
    Hostile("X-37 fraction of 5000 digits", json_text(f'{{@, "x": 0.{"9" * 5000}}}'), METADATA),
    Hostile("X-37 trailing text", json_text("{@} x"), METADATA),
    Hostile("X-37 two objects", json_text("{@}{@}"), METADATA),
    Hostile("X-37 trailing comma", json_text("{@,}"), METADATA),
    Hostile("X-37 comment", json_text("{@} // x"), METADATA),
    Hostile("X-37 single quotes", b"{'client_name': 'x'}", METADATA),
    Hostile("X-37 raw line break", b'{"client_name": "a\nb"}', METADATA),
    Hostile("X-37 cut off", json_text("{@"), METADATA),
    Hostile("X-37 open string", json_text('{@, "x": "' + r"\"" * 20_000), METADATA),
    Hostile("X-37 empty", b"", METADATA),
    Hostile("X-37 only spaces", b"   ", METADATA),
    Hostile("X-37 zeros", b"\x00" * 100, METADATA),
    Hostile("X-37 form", b"client_name=x&redirect_uris=https%3A%2F%2Fclient.example", METADATA),
    Hostile("X-37 six hundred members", good(**{f"x{n}": 1 for n in range(600)}), METADATA),
]
