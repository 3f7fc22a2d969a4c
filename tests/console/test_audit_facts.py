"""What is shown of an event, whatever kind it is and whatever its detail holds."""

import json
import re

import pytest

from app.domain.audit import SERVER, Actor
from app.domain.audit_tags import Tag
from tests.console.events import TRAIL, listed
from tests.console.markup import shape, texts

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" hx-get="/admin/" hx-trigger="load',
    "comment": "--><b>x</b><!--",
    "closing": "</pre></textarea></title></bdi><h1>",
    "template": "{{7*7}}{% raw %}",
    "bidi": "a\u202eb\u2066c",
    "lines": "a\r\nlevel=info",
}


def test_an_event_has_a_page_with_everything_about_it(viewer, record):
    number = record(
        Tag.SCOPE_UPDATED,
        "tools",
        before={"risk": "low", "description": "Use tools"},
        after={"risk": "high", "description": "Use tools"},
        because="audit",
    )

    page = viewer.get(f"{TRAIL}{number}").text

    said = texts(page)
    assert "scope.updated" in said
    assert "ada@example.org (operator, u-1 )" in said
    assert "192.0.2.7" in said
    assert "Because audit" in said
    assert re.findall(r"<(del|ins)><bdi[^>]*>([^<]+)", page) == [("del", "low"), ("ins", "high")]
    assert "Use tools" not in page.partition("<pre")[0]
    assert json.loads(page_json(page))["detail"]["because"] == "audit"
    for query in ("request_id=request-1", "subject=tools", "actor=u-1"):
        assert f"{TRAIL}?{query}" in page


def page_json(page):
    """Return the JSON of a page of an event."""
    found = re.search(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)[1]
    return found.replace("&#34;", '"').replace("&amp;", "&").replace("&lt;", "<")


@pytest.mark.parametrize(
    "detail",
    [
        {"before": "viewer", "after": "admin"},
        {"before": None, "after": 7},
        {"before": {}, "after": {"list": [1, {"a": None}], "flag": False}},
        {"after": {"name": "x"}},
        {"deep": {"a": [[[]]]}, "empty": [], "none": None, "truth": True},
        {},
    ],
)
def test_every_shape_of_detail_can_be_shown(viewer, record, detail):
    assert viewer.get(f"{TRAIL}{record(Tag.SCOPE_UPDATED, **detail)}").status_code == 200


def test_every_kind_of_event_can_be_shown(viewer, record):
    numbers = {tag: record(tag, "", by=SERVER) for tag in Tag}

    trail = viewer.get(f"{TRAIL}?size=100").text

    assert set(sorted(numbers.values())[-100:]) <= set(listed(trail))
    for tag, number in numbers.items():
        assert tag.value in texts(viewer.get(f"{TRAIL}{number}").text)


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "-1", "x", "%00"])
def test_an_event_that_is_not_there_is_not_found(viewer, number):
    assert viewer.get(f"{TRAIL}{number}").status_code == 404


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_in_an_event_is_text_on_every_page(viewer, record, text):
    """X-30, C-32, C-55: no element, attribute or comment comes from the trail."""
    pages = {}
    for said in ("plain", text):
        number = record(
            Tag.CLIENT_UPDATED,
            said,
            by=Actor("client", said, said, said[:64], said[:64]),
            client_id=said,
            before={"client_name": said},
            after={"client_name": "after", f"x{said}": said},
            name=said,
            metadata={"client_name": said},
        )
        query = {"subject": said, "tag": "client"}
        pages[said] = [
            viewer.get(f"{TRAIL}{number}").text,
            viewer.get(TRAIL, query_string=query).text,
            viewer.get(TRAIL, query_string=query, headers={"HX-Request": "true"}).text,
        ]

    for plain, hostile in zip(pages["plain"], pages[text], strict=True):
        assert shape(hostile) == shape(plain)
    assert text.replace("\r", "") in texts(pages[text][0], squeeze=False).replace("\r", "")
