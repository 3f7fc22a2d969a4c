"""The audit trail on its pages and in its exports."""

import csv
import io
import json
import re

import pytest

from app.console import audit_export
from app.domain import audit
from app.domain.audit import SERVER, Actor, Filters, Tag
from app.extensions import db
from tests.console.conftest import csrf_of
from tests.console.markup import controls, shape, texts
from tests.console.matrix import become, rows, unlisted

TRAIL = "/admin/audit/"
PERSON = Actor("operator", "u-1", "ada@example.org", "192.0.2.7", "request-1")
CLIENT = Actor("client", "client-1", "=1+1", "192.0.2.8", "request-2")


@pytest.fixture
def record(app):
    """Return a function that records an event and gives its number."""

    def happen(tag, subject="subject", by=PERSON, **detail):
        with app.app_context():
            audit.record(tag, subject, by=by, **detail)
            db.session.commit()
            return audit.find_page(Filters(), size=1)[0].id

    return happen


def listed(page):
    """Return the numbers of the events on a page."""
    return [int(number) for number in re.findall(r'row-link" href="/admin/audit/(\d+)"', page)]


def export(browser, csrf, kind, query=""):
    return browser.post(f"{TRAIL}export.{kind}{query}", data={"csrf_token": csrf(browser)})


@pytest.fixture
def filtered(record, clock):
    """Record three different events; return their numbers by name."""
    found = {}
    found["approved"] = record(Tag.SOFTWARE_APPROVED, "software-1", reason="fine")
    clock.advance(3600)
    found["token"] = record(Tag.TOKEN_ISSUED, "grant-1", by=CLIENT, client_id="client-1")
    clock.advance(3600)
    found["rejected"] = record(Tag.SOFTWARE_REJECTED, "software-2", by=SERVER)
    return found


@pytest.mark.parametrize(
    "query, expected",
    [
        ("tag=software.approved", {"approved"}),
        ("tag=software", {"approved", "rejected"}),
        ("tag=soft%25", set()),
        ("client_id=client-1", {"token"}),
        ("actor=u-1", {"approved"}),
        ("actor=ada@example.org", {"approved"}),
        ("subject=software-2", {"rejected"}),
        ("request_id=request-2", {"token"}),
        ("tag=software&actor=u-1", {"approved"}),
        ("tag=software&client_id=client-1", set()),
    ],
)
def test_filters_in_the_address_narrow_the_list(sign_in, filtered, query, expected):
    page = sign_in("viewer").get(f"{TRAIL}?{query}").text

    assert set(listed(page)) & set(filtered.values()) == {filtered[name] for name in expected}
    assert ("No event matches" in page) == (expected == set())


@pytest.mark.parametrize(
    "since, until, expected",
    [(-7200, None, 3), (-3600, None, 2), (-3599, None, 1), (None, -3600, 1), (-7200, 0, 2)],
)
def test_events_of_a_span_of_time_are_found(sign_in, filtered, clock, since, until, expected):
    query = "".join(
        f"&{name}={audit_export.instant(clock.now + offset)}"
        for name, offset in (("since", since), ("until", until))
        if offset is not None
    )

    page = sign_in("viewer").get(f"{TRAIL}?size=100{query}").text

    assert len(set(listed(page)) & set(filtered.values())) == expected


def test_the_first_key_of_a_moment_is_found_by_halving_whatever_is_missing(app, record, clock):
    numbers = []
    for _ in range(20):
        numbers.append(record(Tag.CODE_ISSUED))
        clock.advance(1)
    with app.app_context():
        for lost in (numbers[3], numbers[4], numbers[11]):
            db.session.delete(audit.find(lost))
        db.session.commit()
        start = clock.now - 20
        kept = [number for number in numbers if number not in (numbers[3], numbers[4], numbers[11])]
        for second in range(22):
            first = audit.first_key((start + second) * 1000)
            after = [number for number in kept if number >= numbers[0] + second]
            assert [number for number in kept if number >= first] == after


def test_each_filter_is_a_chip_that_can_be_removed(viewer, record):
    record(Tag.SOFTWARE_APPROVED)

    page = viewer.get(f"{TRAIL}?tag=software&actor=u-1&older=900&size=50").text

    chips = controls(page, "a")
    removing = {each["aria-label"]: each["href"] for each in chips if "aria-label" in each}
    assert removing["Remove filter Event"] == f"{TRAIL}?actor=u-1&size=50"
    assert removing["Remove filter Done by"] == f"{TRAIL}?tag=software&size=50"


def test_pages_of_the_trail_follow_each_other_by_key(viewer, record):
    numbers = [record(Tag.CODE_ISSUED) for _ in range(60)]

    first = viewer.get(f"{TRAIL}?tag=code.issued").text
    second = viewer.get(neighbour(first, "next")).text
    third = viewer.get(neighbour(second, "next")).text
    back = viewer.get(neighbour(third, "prev")).text

    assert listed(first) + listed(second) + listed(third) == numbers[::-1]
    assert (neighbour(first, "prev"), neighbour(third, "next")) == (None, None)
    assert listed(back) == listed(second)


def neighbour(page, rel):
    """Return where the link of this relation leads, or None."""
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else None


@pytest.mark.parametrize(
    "query",
    [
        "older=" + "9" * 18,
        "older=" + "9" * 19,
        "older=-1",
        "newer=x",
        "older=%00",
        "tag=%00",
        "subject=%00a",
        "actor=%00@",
        "client_id=" + "a" * 5000,
        "since=0001-01-01T00:00",
        "until=9999-12-31T23:59:59",
        "since=2031-05-04",
        "since=2031-05-04T09:00:00%2B02:00",
        "size=1000000",
    ],
)
def test_no_address_of_the_trail_is_a_fault(viewer, record, query):
    record(Tag.CODE_ISSUED)

    assert viewer.get(f"{TRAIL}?{query}").status_code == 200


@pytest.mark.parametrize("query", ["since=yesterday", "until=1e99", "since=2031-13-01"])
def test_what_is_no_time_is_refused_with_an_example(viewer, query):
    answer = viewer.get(f"{TRAIL}?{query}")

    assert answer.status_code == 400
    assert "A time is written as 2031-05-04T09:00 in UTC" in answer.text


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

    assert set(numbers.values()) <= set(listed(trail))
    for tag, number in numbers.items():
        assert tag.value in texts(viewer.get(f"{TRAIL}{number}").text)


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "-1", "x", "%00"])
def test_an_event_that_is_not_there_is_not_found(viewer, number):
    assert viewer.get(f"{TRAIL}{number}").status_code == 404


def test_an_export_holds_the_filtered_events_and_is_an_event_itself(
    viewer, csrf, filtered, record, sign_in, app
):
    viewer = sign_in("viewer")

    as_csv = export(viewer, csrf, "csv", "?tag=software&actor=u-1")
    as_json = export(viewer, csrf, "json", "?tag=software")

    table = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [int(row["id"]) for row in table] == [filtered["approved"]]
    assert json.loads(table[0]["detail"]) == {"reason": "fine"}
    assert [event["id"] for event in as_json.json["events"]] == [
        filtered["rejected"],
        filtered["approved"],
    ]
    assert as_json.json["complete"] is True
    assert re.fullmatch(
        r'attachment; filename="gatewright-audit-\d{8}T\d{6}Z\.csv"',
        as_csv.headers["Content-Disposition"],
    )
    assert as_csv.headers["Cache-Control"] == "no-store"
    with app.app_context():
        later, earlier = audit.find_page(Filters(tag=Tag.AUDIT_EXPORTED), size=10)
    assert (earlier.actor_name, earlier.detail) == (
        "viewer@example.org",
        {
            "format": "csv",
            "filters": {"tag": "software", "actor": "u-1"},
            "count": 1,
            "complete": True,
        },
    )
    assert later.detail["format"] == "json"


@pytest.mark.parametrize("start", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"])
def test_no_cell_of_an_export_is_a_formula(viewer, csrf, record, start):
    """X-31: whatever a stranger calls itself, a spreadsheet shows it as text."""
    actor = Actor("client", start, start, start, start)
    record(Tag.CODE_ISSUED, start, by=actor, client_id=start)

    text = export(viewer, csrf, "csv", "?tag=code.issued").text
    (row,) = csv.DictReader(io.StringIO(text, newline=""))

    for column in ("subject", "client_id", "actor_id", "actor_name", "address", "request_id"):
        assert row[column] == f"'{start}"


def test_an_export_says_when_it_is_not_everything(viewer, csrf, record, monkeypatch):
    monkeypatch.setattr(audit_export, "MOST", 3)
    numbers = [record(Tag.CODE_ISSUED) for _ in range(5)]

    found = export(viewer, csrf, "json", "?tag=code.issued").json

    assert [event["id"] for event in found["events"]] == numbers[:1:-1]
    assert found["complete"] is False


def test_an_export_needs_a_form_of_this_session(viewer, csrf, app):
    """C-20, C-21: it is recorded, so it is a POST with a token."""
    for kind in ("csv", "json"):
        assert viewer.get(f"{TRAIL}export.{kind}").status_code in (404, 405)
        assert viewer.post(f"{TRAIL}export.{kind}").status_code == 400
        foreign = {"Sec-Fetch-Site": "cross-site"}
        form = {"csrf_token": csrf(viewer)}
        answer = viewer.post(f"{TRAIL}export.{kind}", data=form, headers=foreign)
        assert answer.status_code == 403
    with app.app_context():
        assert audit.find_page(Filters(tag=Tag.AUDIT_EXPORTED), size=1) == []


def test_the_trail_holds_no_credential(admin, csrf, register, client):
    """X-47: nothing that was issued can be read from pages or exports."""
    registered = register()
    token = registered["registration_access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    path = f"/clients/{registered['client_id']}"
    sent = {"client_id": registered["client_id"], "client_name": "Other"}
    sent |= {"redirect_uris": ["https://client.example/cb"]}
    assert client.put(path, json=sent, headers=bearer).status_code == 200
    assert client.delete(path, headers=bearer).status_code == 204

    shown = export(admin, csrf, "csv").text + export(admin, csrf, "json").text
    for number in listed(admin.get(f"{TRAIL}?size=100").text):
        shown += admin.get(f"{TRAIL}{number}").text

    assert "Other" in shown
    for secret in (token, registered["client_secret"]):
        assert secret not in shown


HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" hx-get="/admin/" hx-trigger="load',
    "comment": "--><b>x</b><!--",
    "closing": "</pre></textarea></title></bdi><h1>",
    "template": "{{7*7}}{% raw %}",
    "bidi": "a\u202eb\u2066c",
    "lines": "a\r\nlevel=info",
}


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


READING = [("GET", TRAIL, "viewer"), ("GET", f"{TRAIL}1", "viewer")]
EXPORTING = [("POST", f"{TRAIL}export.{kind}", "viewer") for kind in ("csv", "json")]


def test_every_address_of_the_trail_is_held_against_the_roles(app):
    """C-40: a route that no test lists fails here."""
    assert unlisted(app, "audit", READING + EXPORTING) == set()


@pytest.mark.parametrize("method, path, _role", READING + EXPORTING)
def test_the_trail_is_for_operators(client, viewer, people, app, csrf, method, path, _role):
    """C-40, C-42: strangers go to sign in; who is no operator any more is refused at once."""
    theirs = {"csrf_token": csrf(viewer)}
    become(app, people["viewer"], "member")
    anonymous = {"csrf_token": csrf_of(client.get("/login").text)}

    answer = client.open(path, method=method, data=anonymous)

    assert answer.status_code == 303
    assert answer.location.startswith("/login")
    assert viewer.open(path, method=method, data=theirs).status_code == 403


def test_reading_the_trail_changes_nothing(viewer, record, app):
    """C-21: no page writes because it was read."""
    number = record(Tag.SCOPE_UPDATED, before={"a": 1}, after={"a": 2})
    before = rows(app)

    viewer.get(TRAIL)
    viewer.get(f"{TRAIL}{number}")

    assert rows(app) == before


def test_htmx_gets_only_the_list_of_the_trail(viewer, record):
    """C-22: the fragment is a convenience."""
    record(Tag.CODE_ISSUED)

    fragment = viewer.get(f"{TRAIL}?tag=code", headers={"HX-Request": "true"})

    assert "<html" not in fragment.text
    assert "Remove filter Event" in fragment.text
    assert len(listed(fragment.text)) == 1
