import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import errors
from app.domain.json_objects import read_body
from tests.corpora.hostile_json import SHAPES
from tests.corpora.registration_rows import Hostile

JSON = "application/json"
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "row", [row for row in SHAPES if isinstance(row.body, bytes)], ids=lambda row: row.name
)
def test_a_body_that_is_not_one_strict_json_object_is_refused(row: Hostile) -> None:
    assert isinstance(row.body, bytes)
    with pytest.raises(errors.InvalidClientMetadata):
        read_body(row.body, JSON)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'Application/JSON ; charset = "utf-8"',
        " application/json ",
    ],
)
def test_json_in_utf_8_is_read(content_type: str) -> None:
    assert read_body(b'{"a": 1}', content_type) == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json+x",
        "application/ld+json",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset",
        "application/json; version=1",
        "application/\u017fon",
        "a" * 10_000,
    ],
)
def test_another_media_type_is_refused(content_type: str | None) -> None:
    with pytest.raises(errors.InvalidClientMetadata):
        read_body(b'{"a": 1}', content_type)


def test_sixteen_levels_are_read_and_seventeen_are_not() -> None:
    deepest = b'{"a":' + b"[" * 15 + b"]" * 15 + b"}"
    assert read_body(deepest, JSON)
    with pytest.raises(errors.InvalidClientMetadata):
        read_body(deepest.replace(b"[]", b"[[]]"), JSON)


def test_brackets_and_quotes_within_strings_are_not_levels() -> None:
    value = {"a": '\\"[{' * 100, "b": "]" * 100, "c": "\\"}
    assert read_body(json.dumps(value).encode(), JSON) == value


def test_the_caller_names_the_error() -> None:
    with pytest.raises(errors.InvalidRequest) as refusal:
        read_body(b"[]", JSON, error=errors.InvalidRequest)
    assert refusal.value.error == "invalid_request"


@given(st.dictionaries(st.text(), PLAIN, max_size=5), st.booleans())
def test_what_an_encoder_writes_is_read_back(value: dict[str, object], ascii_only: bool) -> None:
    assert read_body(json.dumps(value, ensure_ascii=ascii_only).encode(), JSON) == value


@given(st.binary(max_size=60) | st.text('{}[]":,\\u0d8e+-.1 tnf', max_size=60).map(str.encode))
def test_no_bytes_raise_anything_but_the_refusal(raw: bytes) -> None:
    with suppress(errors.InvalidClientMetadata):
        read_body(raw, JSON)
