"""Lists sorted by their headers: exact however many rows are equal, the same on both databases."""

import pytest

from app.domain import clients
from app.extensions import db
from tests.console.decisions import QUEUE
from tests.console.markup import controls, neighbour, read, row_names, texts

LIST = "/admin/clients/"
HEADERS = {LIST: ("name", "used", "created"), QUEUE: ("name", "first", "last")}


def walked(browser, address):
    """Return the names of all rows in their order, page after page of 25."""
    seen = []
    while address:
        page = browser.get(address).text
        seen += [name.rpartition("> ")[2] for name in row_names(page)]
        address = neighbour(page, "next")
    return seen


def walked_back(browser, address):
    """Return the names of all rows in their order, from the last page to the first."""
    while neighbour(browser.get(address).text, "next"):
        address = neighbour(browser.get(address).text, "next")
    pages = []
    while address:
        page = browser.get(address).text
        pages.insert(0, [name.rpartition("> ")[2] for name in row_names(page)])
        address = neighbour(page, "prev")
    return [name for page in pages for name in page]


@pytest.fixture
def many(register, app, clock):
    """Register sixty clients: names in two cases, some used, many at the same moment."""
    made = {}
    for number in range(60):
        name = f"{'app' if number % 2 else 'App'} {number // 3:02}{number % 3}"
        made[name] = register(client_name=name, redirect_uris=[f"https://c{number}.example/cb"])
        if number % 20 == 19:
            clock.advance(60)
    with app.app_context():
        for number, name in enumerate(made):
            if number % 3:
                clients.get(made[name]["client_id"]).last_used_at = clock.now + number // 12
        db.session.commit()
    return list(made)


def test_every_order_is_walked_without_loss_or_repetition_from_both_ends(viewer, many):
    for path, names in HEADERS.items():
        for name in names:
            there = walked(viewer, f"{path}?sort={name}")
            back = walked(viewer, f"{path}?sort=-{name}")

            assert sorted(there) == sorted(many), (path, name)
            assert back == there[::-1], (path, name)
            assert walked_back(viewer, f"{path}?sort={name}") == there, (path, name)


def test_names_are_sorted_without_regard_to_case(viewer, many):
    for path in HEADERS:
        assert walked(viewer, f"{path}?sort=name") == sorted(many, key=str.casefold)


def test_clients_never_used_come_after_the_used_ones_and_before_them_the_other_way(
    viewer, many, stored
):
    there = walked(viewer, f"{LIST}?sort=used")
    never = {name for number, name in enumerate(many) if number % 3 == 0}

    assert set(there[40:]) == never
    assert set(walked(viewer, f"{LIST}?sort=-used")[:20]) == never
    assert there[0] in many[-12:]


def test_the_queue_is_sorted_by_when_software_came_last(viewer, register, clock):
    for name in ("One", "Two", "Three", "One"):
        register(client_name=name)
        clock.advance(60)

    assert walked(viewer, QUEUE) == ["Three", "Two", "One"]
    assert walked(viewer, f"{QUEUE}?sort=last") == ["One", "Three", "Two"]


def test_a_header_says_how_the_list_is_sorted_and_turns_it_around(viewer, register):
    register()

    page = viewer.get(f"{LIST}?q=probe&size=50&sort=name").text

    [sorted_by] = [found for tag, found in read(page).elements if found.get("aria-sort")]
    assert sorted_by["aria-sort"] == "ascending"
    kept = f"{LIST}?q=probe&size=50&sort="
    links = {found["href"] for found in controls(page, "a") if "sort=" in found["href"]}
    assert {f"{kept}-name", f"{kept}used", f"{kept}created"} <= links
    assert controls(page, name="sort", value="name", type="hidden")
    turned = viewer.get(f"{kept}-name").text
    assert controls(turned, "th", **{"aria-sort": "descending"})


def test_sorting_begins_at_the_first_page(viewer, many):
    page = viewer.get(neighbour(viewer.get(LIST).text, "next")).text

    links = [found["href"] for found in controls(page, "a") if "sort=" in found["href"]]
    assert links
    assert [link for link in links if "older" in link] == []


def test_a_queue_sorted_otherwise_does_not_ask_for_arrivals(viewer, register):
    register()

    assert 'class="arrivals"' in viewer.get(QUEUE).text
    assert 'class="arrivals"' not in viewer.get(f"{QUEUE}?sort=name").text


@pytest.mark.parametrize("path", HEADERS)
def test_rows_on_a_page_are_chosen_where_there_is_a_choice(viewer, register, many, path):
    page = viewer.get(f"{path}?size=50&sort=name").text

    assert len(row_names(page)) == 50
    assert "Rows on a page 25 50 100" in texts(page)
    assert f"{path}?size=100&sort=name" in {found["href"] for found in controls(page, "a")}
    assert len(row_names(viewer.get(f"{path}?size=60").text)) == 25
    assert "Rows on a page" not in texts(viewer.get(f"{path}?q=app 000").text)
