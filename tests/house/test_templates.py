"""What templates may not hold, so that the content security policy needs no exception."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
SOURCES = sorted((ROOT / "app").rglob("*.py"))

TAG = re.compile(r"<[a-z][^<>]*>", re.IGNORECASE | re.DOTALL)
IN_A_TAG = {
    "hx-on runs a string as script": re.compile(r"\shx-on\b", re.IGNORECASE),
    "js: runs a string as script": re.compile(r"""["'\s](js|javascript):""", re.IGNORECASE),
    "inline style": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "inline handler": re.compile(r"\son[a-z]+\s*=", re.IGNORECASE),
    "a trigger filter runs as script": re.compile(
        r"\shx-trigger\s*=\s*(\"[^\"]*|'[^']*)\[", re.IGNORECASE
    ),
    "a script in the page": re.compile(r"<script(?![^>]*\ssrc\s*=)", re.IGNORECASE),
    "a style in the page": re.compile(r"<style\b", re.IGNORECASE),
    "another server": re.compile(r"\s(src|srcset)\s*=\s*[\"'](https?:)?//", re.IGNORECASE),
}
ANYWHERE = {
    "unescaped output": re.compile(r"\|\s*safe\b|\bMarkup\(|\{%-?\s*autoescape\s+false"),
}


def faults(template: str) -> list[str]:
    """Say what a template holds that it may not."""
    text = re.sub(r"\{#.*?#\}", "", template, flags=re.DOTALL)
    found = [name for name, pattern in ANYWHERE.items() if pattern.search(text)]
    # A Jinja expression inside a tag may hold < and >; what it prints is escaped.
    markup = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", text, flags=re.DOTALL)
    for tag in TAG.findall(markup):
        found += [name for name, pattern in IN_A_TAG.items() if pattern.search(tag)]
    return found


def test_a_template_needs_no_exception_from_the_policy():
    found = {str(path): faults(path.read_text()) for path in TEMPLATES}

    assert len(found) > 50
    assert {path: said for path, said in found.items() if said} == {}


def test_no_source_file_marks_text_as_safe_markup():
    marking = re.compile(r"\bMarkup\(|import Markup\b|\|safe\b")

    assert len(SOURCES) > 100
    assert [str(path) for path in SOURCES if marking.search(path.read_text())] == []


@pytest.mark.parametrize(
    "template, fault",
    [
        ('<a hx-on:click="x()">', "hx-on runs a string as script"),
        ("<a\n  hx-on--after-swap='x()'>", "hx-on runs a string as script"),
        ('<a hx-vals="js:{a: 1}">', "js: runs a string as script"),
        ('<a href="javascript:x()">', "js: runs a string as script"),
        ('<p style="color: red">', "inline style"),
        ('<p class="{{ a > b }}" style="color: red">', "inline style"),
        ("<p STYLE=x>", "inline style"),
        ('<body onload="x()">', "inline handler"),
        ('<p hx-trigger="click[ctrlKey]">', "a trigger filter runs as script"),
        ("<script>x()</script>", "a script in the page"),
        ("<style>p {}</style>", "a style in the page"),
        ('<script src="https://cdn.example/x.js"></script>', "another server"),
        ("{{ name|safe }}", "unescaped output"),
        ("{{ name | safe }}", "unescaped output"),
        ("{{ Markup(name) }}", "unescaped output"),
        ("{% autoescape false %}", "unescaped output"),
    ],
)
def test_a_fault_is_found(template, fault):
    assert faults(template) == [fault]


@pytest.mark.parametrize(
    "template",
    [
        '<button hx-post="/x" hx-trigger="every 5s" hx-target="#rows">Go on</button>',
        "<p>An inline style= or onload= in a sentence, {# <p style='x'> #} or a comment.</p>",
        '<script src="{{ url_for(\'static\', filename="app.js") }}" defer></script>',
        '<a class="button" href="{{ client.client_uri }}">{{ client.name }}</a>',
        "{% if a < b %}<p>[x]</p>{% endif %}",
    ],
)
def test_a_good_template_has_no_fault(template):
    assert faults(template) == []
