"""Challenges: every spelling the grammar allows, and nonsense that never raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outbound import challenges
from app.outbound.challenges import LONGEST, Challenge, bearer, read

WHERE = "https://api.example/.well-known/oauth-protected-resource/mcp"
HOSTILE = st.text(
    st.sampled_from('"\\,= \tab;:/\x00\r\n\u00e9') | st.characters(), max_size=200
) | st.lists(
    st.sampled_from(
        ["Bearer", " ", ",", "=", '"', "\\", "realm", "scope=a", f'resource_metadata="{WHERE}"']
    ),
    max_size=40,
).map("".join)


@pytest.mark.parametrize(
    "header, found",
    [
        ("", []),
        (" , ,", []),
        ("Bearer", [("bearer", {})]),
        (f'Bearer resource_metadata="{WHERE}"', [("bearer", {"resource_metadata": WHERE})]),
        (f"Bearer resource_metadata={WHERE}", [("bearer", {"resource_metadata": WHERE})]),
        ("Bearer a=https://h/x?b=c", [("bearer", {"a": "https://h/x?b=c"})]),
        (
            "bEARER Scope=read,\terror = insufficient_scope",
            [("bearer", {"scope": "read", "error": "insufficient_scope"})],
        ),
        ('Bearer realm="a \\"b\\\\c\\" d"', [("bearer", {"realm": 'a "b\\c" d'})]),
        ('Bearer realm="", scope="a  b"', [("bearer", {"realm": "", "scope": "a  b"})]),
        (
            'Bearer realm="Basic realm=\\"x\\", scope=y"',
            [("bearer", {"realm": 'Basic realm="x", scope=y'})],
        ),
        (
            "Basic realm=x, Bearer scope=a, DPoP algs=ES256",
            [("basic", {"realm": "x"}), ("bearer", {"scope": "a"}), ("dpop", {"algs": "ES256"})],
        ),
        ("Negotiate YIIa/+-._~==, Bearer scope=a", [("negotiate", {}), ("bearer", {"scope": "a"})]),
        ("Bearer, Basic", [("bearer", {}), ("basic", {})]),
        (",, Bearer scope=a ,, error=b ,", [("bearer", {"scope": "a", "error": "b"})]),
    ],
)
def test_each_spelling_of_the_grammar_is_understood(header, found):
    assert read(header) == tuple(Challenge(*each) for each in found)


@pytest.mark.parametrize(
    "broken",
    [
        "Bearer scope=a scope=b",
        'Bearer error="a" scope="b"',
        "Bearer scope=a, Scope=b",
        "Bearer scope==a=",
        "Bearer scope=a, YIIa==",
        'Bearer "scope"=a',
        'Bearer scope="a"b',
        'Bearer scope="a\x00b"',
        "Bearer {}",
        "Bearer scope, =a",
    ],
)
def test_a_challenge_that_breaks_the_grammar_is_left_out_and_the_others_stand(broken):
    others = (Challenge("basic", {"realm": "x"}), Challenge("dpop", {"algs": "ES256"}))

    assert read(f"Basic realm=x, {broken}, DPoP algs=ES256") == others


@pytest.mark.parametrize("end", ['"', '"\\', '"\\"', '"a, Bearer scope=b'])
def test_nothing_in_an_unclosed_string_is_taken_for_a_challenge(end):
    assert read(f"Basic realm=x, Bearer scope={end}, Bearer error=a") == (
        Challenge("basic", {"realm": "x"}),
    )


def test_the_challenge_that_says_where_metadata_is_counts_among_several():
    telling = Challenge("dpop", {"resource_metadata": WHERE, "scope": "b"})

    assert bearer(f"Bearer scope=a, DPoP resource_metadata={WHERE}, scope=b") == telling
    assert bearer(f"Basic resource_metadata=x, DPoP resource_metadata={WHERE}, scope=b") == telling
    assert bearer("Basic realm=x, Bearer scope=a, DPoP scope=b").scopes == ("a",)
    assert bearer("Basic realm=x") == Challenge("bearer")
    assert bearer("").resource_metadata == ""


def test_scopes_are_told_apart_and_a_malformed_one_spoils_them_all():
    assert bearer('Bearer scope=" a  b:c a"').scopes == ("a", "b:c")
    assert bearer('Bearer scope="a b\\"c"').scopes == ()
    assert bearer(f"Bearer scope={'a' * 201}").scopes == ()
    assert bearer(f'Bearer scope="{" ".join(map(str, range(100)))}"').scopes[-1] == "99"
    assert bearer(f'Bearer scope="{" ".join(map(str, range(101)))}"').scopes == ()


def test_an_error_is_a_code_or_nothing():
    assert bearer("Bearer error=insufficient_scope").error == "insufficient_scope"
    assert bearer('Bearer error="<script>"').error == ""
    assert bearer("Bearer").error == ""


def test_a_header_that_is_too_long_is_not_read():
    fits = "Bearer realm=" + "a" * (LONGEST - len("Bearer realm="))

    assert read(fits)
    assert read(f"{fits}a") == ()


@given(HOSTILE)
def test_no_header_raises_and_nothing_is_found_that_is_not_in_it(header):
    found = read(header)
    texts = [text for each in found for pair in each.parameters.items() for text in pair]

    assert sum(map(len, texts)) + sum(len(each.scheme) for each in found) <= len(header)
    assert all(each.scheme.isascii() and each.scheme for each in found)
    assert bearer(header).scheme in challenges.SCHEMES


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


@given(st.dictionaries(st.text("abc_", min_size=1, max_size=5), PRINTABLE, max_size=5))
def test_whatever_is_quoted_is_read_as_it_was_meant(parameters):
    quoted = {
        name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in parameters.items()
    }
    written = ", ".join(f'{name}="{value}"' for name, value in quoted.items())

    assert read(f"Bearer {written}, Basic realm=x") == (
        Challenge("bearer", parameters),
        Challenge("basic", {"realm": "x"}),
    )
