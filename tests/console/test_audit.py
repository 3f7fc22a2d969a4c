"""The audit trail as a list: filters, spans of time, paging, and who reaches it."""

import pytest

from app.console import audit_export
from app.domain import audit
from app.domain.audit_tags import Tag
from app.extensions import db
from tests.console.conftest import csrf_of
from tests.console.events import TRAIL, listed
from tests.console.markup import controls, neighbour
from tests.console.matrix import become, harmful, unlisted

ROUTES = (
    ("GET", TRAIL, "viewer"),
    ("GET", f"{TRAIL}1", "viewer"),
    ("POST", f"{TRAIL}export.csv", "viewer"),
    ("POST", f"{TRAIL}export.json", "viewer"),
)


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
def test_filters_in_the_address_narrow_the_list(sign_in, trail, query, expected):
    page = sign_in("viewer").get(f"{TRAIL}?{query}").text

    assert set(listed(page)) & set(trail.values()) == {trail[name] for name in expected}
    assert ("No event matches" in page) == (expected == set())


@pytest.mark.parametrize(
    "since, until, expected",
    [(-7200, None, 3), (-3600, None, 2), (-3599, None, 1), (None, -3600, 1), (-7200, 0, 2)],
)
def test_events_of_a_span_of_time_are_found(sign_in, trail, clock, since, until, expected):
    query = "".join(
        f"&{name}={audit_export.instant(clock.now + offset)}"
        for name, offset in (("since", since), ("until", until))
        if offset is not None
    )

    page = sign_in("viewer").get(f"{TRAIL}?size=100{query}").text

    assert len(set(listed(page)) & set(trail.values())) == expected


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


def test_every_address_of_the_trail_is_held_against_the_roles(app):
    """C-40: a route that no test lists fails here."""
    assert unlisted(app, "audit", ROUTES) == set()


@pytest.mark.parametrize("method, path, _role", ROUTES)
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

    assert harmful(app, viewer, "GET", [TRAIL, f"{TRAIL}{number}"]) == []


def test_htmx_gets_only_the_list_of_the_trail(viewer, record):
    """C-22: the fragment is a convenience."""
    record(Tag.CODE_ISSUED)

    fragment = viewer.get(f"{TRAIL}?tag=code", headers={"HX-Request": "true"})

    assert "<html" not in fragment.text
    assert "Remove filter Event" in fragment.text
    assert len(listed(fragment.text)) == 1
