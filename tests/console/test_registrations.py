"""The queue of software: what it lists, what it says about arrivals, whom it lets in."""

import re

import pytest

from app.domain import software
from app.extensions import db
from tests.console.decisions import QUEUE, decision
from tests.console.markup import neighbour, texts
from tests.console.matrix import harmful, ways_to_act, wrongly_shown


def test_the_queue_has_one_row_for_each_software_however_often_it_registers(viewer, register):
    for port in (4000, 4001, 4002):
        register(client_name="Editor", redirect_uris=[f"http://127.0.0.1:{port}/cb"])

    page = viewer.get(QUEUE).text

    assert page.count('class="row-link"') == 1
    assert "3\u00d7" in texts(page)
    assert "this computer, 127.0.0.1:4000" in texts(page)


def test_a_row_shows_what_an_approver_must_know(viewer, register, catalogue, client, find, app):
    register(client_name="Editor", redirect_uris=["editor.app:/cb"], scope="tools odd:scope")
    with app.app_context():
        row = db.session.get(software.Software, find("Editor").id)
        row.justification, row.justified_by = "The build team needs it", "nina@example.org"
        db.session.commit()

    said = texts(viewer.get(QUEUE).text)

    for words in (
        "Editor",
        "an installed app, editor.app:",
        "1\u00d7 from 127.0.0.1",
        "tools",
        "odd:scope",
        "Private-use scheme",
        "The build team needs it",
        "nina@example.org",
        "Hold",
        "by rule “default”",
    ):
        assert words in said


def test_each_tab_lists_what_was_decided_so_and_counts_it(approver, register, find, csrf):
    for name in ("One", "Two", "Three"):
        register(client_name=name)
    approver.post(f"{QUEUE}{find('Two').id}/reject", data=decision(csrf, approver, find("Two")))

    pending, rejected = (approver.get(f"{QUEUE}?status={each}").text for each in ("", "rejected"))

    assert ("One" in pending, "Two" in pending, "Three" in pending) == (True, False, True)
    assert ("One" in rejected, "Two" in rejected) == (False, True)
    assert "Pending 2 Approved 0 Rejected 1 Blocked 0" in texts(pending)


def test_the_queue_is_searched_by_part_of_the_name_or_by_identifier(viewer, register, find):
    register(client_name="Blue editor")
    register(client_name="Red 100% editor")

    by_name = viewer.get(f"{QUEUE}?q=100%25 ed").text
    by_id = viewer.get(f"{QUEUE}?q={find('Blue editor').id}").text
    nothing = viewer.get(f"{QUEUE}?q=green").text

    assert ("Red 100%" in by_name, "Blue" in by_name) == (True, False)
    assert ("Red 100%" in by_id, "Blue" in by_id) == (False, True)
    assert "Nothing matches" in nothing


def test_pages_follow_each_other_by_key_without_loss_or_repetition(viewer, register):
    names = [f"Software {number:02}" for number in range(60)]
    for name in names:
        register(client_name=name)
    seen, address, pages = [], QUEUE, []

    while address:
        page = viewer.get(address).text
        seen += re.findall(r"Software \d\d", page.partition("<table")[2].partition("</table")[0])
        pages.append(address)
        address = neighbour(page, "next")
    back = viewer.get(neighbour(viewer.get(pages[1]).text, "prev")).text

    assert list(dict.fromkeys(seen)) == names[::-1]
    assert len(pages) == 3
    assert names[-1] in back
    assert neighbour(back, "prev") is None


@pytest.mark.parametrize(
    "query", ["older=%00", "newer=%00", "q=%00", "status=%00", "older=" + "9" * 400, "size=-1"]
)
def test_no_address_of_the_queue_is_a_fault(viewer, register, query):
    register()

    assert viewer.get(f"{QUEUE}?{query}").status_code == 200


def test_the_queue_tells_how_much_is_new_and_stays_as_it_is(viewer, register):
    register(client_name="First")
    ask = re.search(r'class="arrivals" hx-get="([^"]+)"', viewer.get(QUEUE).text)[1]

    before = viewer.get(ask).text
    register(client_name="Second")
    after = viewer.get(ask, headers={"HX-Request": "true"}).text

    assert texts(before) == ""
    assert texts(after) == "1 new, show it"


def test_a_page_left_open_does_not_keep_a_session_from_idling_out(viewer, clock, settings):
    """C-11: the idle time ends a session although its page asks for arrivals by itself."""
    for _ in range(settings.session_idle_seconds // 300 + 1):
        clock.advance(300)
        answer = viewer.get(
            f"{QUEUE}arrivals",
            headers={"HX-Request": "true", "HX-Current-URL": f"{settings.issuer}{QUEUE}?q=a"},
        )

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=/admin/registrations/?q%3Da"


def test_htmx_gets_only_the_list_of_the_queue(viewer, register):
    """C-22: the fragment is a convenience, and caches are told that it differs."""
    register()

    fragment = viewer.get(QUEUE, headers={"HX-Request": "true"})
    restored = viewer.get(
        QUEUE, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )

    assert "<html" not in fragment.text
    assert 'class="row-link"' in fragment.text
    assert "<html" in restored.text
    assert {"HX-Request", "Cookie"} <= set(fragment.vary)


def test_a_viewer_sees_no_button_that_decides(viewer, register, find):
    register()

    pages = viewer.get(QUEUE).text + viewer.get(f"{QUEUE}{find().id}").text

    assert ways_to_act(pages) == set()
    assert "It waits for somebody with the role approver." in pages


@pytest.mark.parametrize("path", ["", "arrivals", "ID"])
def test_strangers_are_sent_to_sign_in_and_members_are_refused(
    client, member, register, find, path
):
    register()
    address = QUEUE + path.replace("ID", find().id)

    assert wrongly_shown(client, member, [address]) == []


@pytest.mark.parametrize("url", ["http://[", "//attacker.example/", "javascript:x", "\\\\x"])
def test_the_way_back_after_signing_in_stays_on_this_server(client, sign_in, url):
    headers = {"HX-Request": "true", "HX-Current-URL": url}
    answer = client.get(QUEUE, headers=headers)

    back = sign_in("viewer").get(answer.headers["HX-Redirect"])

    assert answer.status_code == 401
    assert back.location.startswith("/")
    assert not back.location.startswith("//")


def test_reading_changes_nothing(approver, register, find, app):
    """C-21: no page of the queue writes; also not to the audit trail."""
    register()
    pages = [QUEUE + path for path in ("", "arrivals", find().id, "?status=approved")]

    assert harmful(app, approver, "GET", pages) == []
