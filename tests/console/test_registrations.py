"""The queue and the page of software, as viewers, approvers and strangers meet them."""

import re
from datetime import UTC, datetime

import pytest

from app.domain import audit, scopes, software
from app.domain.audit import SERVER, Filters, Tag
from app.domain.client_records import Client
from app.domain.resources import create as create_resource
from app.extensions import db
from tests.console.markup import controls, shape, texts
from tests.console.matrix import rows, unlisted

QUEUE = "/admin/registrations/"
DECISIONS = ("approve", "reject", "block", "unblock")


@pytest.fixture
def catalogue(app):
    """Describe two scopes and two resources."""
    with app.app_context():
        scopes.create("tools", "Use tools", by=SERVER, risk="medium", is_default=True)
        scopes.create("write", "Change things", by=SERVER, risk="high")
        for host in ("one", "two"):
            create_resource(f"https://{host}.example/", host, ["tools", "write"], by=SERVER)
        db.session.commit()


@pytest.fixture
def find(app):
    """Return a function that reads software by its name."""

    def by_name(name="Probe"):
        with app.app_context():
            for status in software.STATUSES:
                for row in software.find_page(status, size=100):
                    if row.name == name:
                        return row
        raise AssertionError(f"no software is called {name}")

    return by_name


@pytest.fixture
def happened(app):
    """Return a function that reads the events with a tag, newest first."""

    def events(tag):
        with app.app_context():
            return list(audit.find_page(Filters(tag=tag), size=100))

    return events


def decision(csrf, browser, row, **fields):
    """Return the form of a decision about software as it is now."""
    return {
        "csrf_token": csrf(browser),
        "revision": row.revision,
        "reason": "because",
        "scopes": ["tools", "openid"],
        "limit": "all",
    } | fields


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
        address = link(page, "next")
    back = viewer.get(link(viewer.get(pages[1]).text, "prev")).text

    assert list(dict.fromkeys(seen)) == names[::-1]
    assert len(pages) == 3
    assert names[-1] in back
    assert link(back, "prev") is None


def link(page, rel):
    """Return where the link of this relation leads, or None."""
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else None


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


def test_the_page_of_software_shows_everything_it_asked_for(viewer, register, catalogue, find):
    register(
        client_name="Editor",
        redirect_uris=["https://editor.example/cb?a=1", "http://localhost:99/cb"],
        scope="tools odd:scope",
        contacts=["ops@editor.example"],
        software_id="editor-7",
        tos_uri="https://editor.example/tos",
    )

    page = viewer.get(f"{QUEUE}{find('Editor').id}").text

    said = texts(page)
    for words in (
        "https://editor.example/cb?a=1",
        "http://localhost:99/cb",
        "ops@editor.example",
        "editor-7",
        "https://editor.example/tos",
        "client_secret_basic",
        "It also asks for odd:scope which nobody has described here",
        "Nobody has rejected this software.",
        "No rule decides about this software, so a person does.",
        '"software_id": "editor-7"',
    ):
        assert words in said
    assert 'href="https://editor.example' not in page


def test_approval_with_fewer_scopes_and_one_resource_is_what_the_client_gets(
    approver, register, catalogue, find, csrf, happened, client
):
    registered = register(client_name="Editor", scope="tools write")
    row = find("Editor")
    form = decision(
        csrf,
        approver,
        row,
        scopes=["tools", "never offered"],
        limit="chosen",
        resources=["https://one.example/", "https://unknown.example/"],
        reason="for the build team",
    )

    answer = approver.post(f"{QUEUE}{row.id}/approve", data=form)

    assert (answer.status_code, answer.location) == (303, f"{QUEUE}{row.id}")
    approved = find("Editor")
    assert (approved.status, approved.scopes, approved.resources, approved.decided_by) == (
        "approved",
        ["tools"],
        ["https://one.example/"],
        "approver@example.org",
    )
    (event,) = happened(Tag.SOFTWARE_APPROVED)
    assert (event.actor_name, event.subject) == ("approver@example.org", row.id)
    assert event.detail["reason"] == "for the build team"
    assert "Approved. Its clients can ask for tokens now." in texts(
        approver.get(answer.location).text
    )
    assert registered["client_id"] in approver.get(answer.location).text


def test_an_approval_ends_with_the_chosen_day(approver, register, find, csrf, clock):
    register()
    row = find()
    today = datetime.fromtimestamp(clock.now, UTC).date().isoformat()

    answer = approver.post(
        f"{QUEUE}{row.id}/approve", data=decision(csrf, approver, row, until=today)
    )

    until = find().approved_until
    assert answer.status_code == 303
    assert until % 86400 == 0
    assert clock.now < until <= clock.now + 86400


def test_what_is_offered_is_ticked_and_says_its_risk(approver, register, catalogue, find):
    register(client_name="Editor", scope="write")

    page = approver.get(f"{QUEUE}{find('Editor').id}").text

    ticked = [each["value"] for each in controls(page, name="scopes") if "checked" in each]
    assert ticked == ["write", "offline_access", "openid", "tools"]
    assert "High risk" in page
    assert "offered by default" in page


def test_software_that_waits_is_compared_with_what_was_approved_after_it_came(
    approver, register, find, csrf
):
    register(client_name="Claude Code", redirect_uris=["https://claude.example/cb"])
    register(client_name="Cl\u0430ude Code", redirect_uris=["https://other.example/cb"])
    real, false = find("Claude Code"), find("Cl\u0430ude Code")
    before = approver.get(f"{QUEUE}{false.id}").text

    approver.post(f"{QUEUE}{real.id}/approve", data=decision(csrf, approver, real))

    assert "Look-alike" not in before
    assert "Look-alike" in approver.get(f"{QUEUE}{false.id}").text
    assert "Look-alike" in approver.get(QUEUE).text


FAULTS = [
    ("approve", {"scopes": []}, "Leave it at least one scope, or reject it."),
    ("approve", {"limit": "chosen"}, "Choose at least one resource, or allow all of them."),
    ("approve", {"limit": "none"}, "The resources must be one of the choices offered."),
    ("approve", {"until": "2001-01-01"}, "The last day must be a date from today on."),
    ("approve", {"until": "9999-12-31"}, "The last day must be a date from today on."),
    ("approve", {"until": "soon"}, "The last day must be a date from today on."),
    ("approve", {"reason": "a\nb"}, "A reason must not contain control"),
    ("reject", {"reason": ""}, "A reason is missing."),
    ("reject", {"reason": "\u200b "}, "A reason is missing."),
    ("reject", {"reason": "\0"}, "A reason must not contain control"),
    ("reject", {"reason": "x" * 501}, "A reason is too long"),
    ("block", {"reason": ""}, "A reason is missing."),
]


@pytest.mark.parametrize("verb, fields, sentence", FAULTS)
def test_a_form_that_cannot_be_carried_out_says_why_and_decides_nothing(
    approver, register, catalogue, find, csrf, happened, verb, fields, sentence
):
    register(scope="tools")
    row = find()

    answer = approver.post(f"{QUEUE}{row.id}/{verb}", data=decision(csrf, approver, row, **fields))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert find().status == "pending"
    assert happened("software") == []


def test_rejecting_blocking_and_unblocking_move_software_and_are_recorded_with_the_reason(
    approver, register, find, csrf, happened
):
    register(client_name="Good")
    register(client_name="Bad")
    good, bad = find("Good"), find("Bad")

    for row, verb, status in (
        (bad, "reject", "rejected"),
        (good, "approve", "approved"),
        (good, "block", "blocked"),
        (good, "unblock", "approved"),
    ):
        form = decision(csrf, approver, row, reason=f"{verb} it")
        assert approver.post(f"{QUEUE}{row.id}/{verb}", data=form).status_code == 303
        assert find(row.name).status == status
        page = texts(approver.get(f"{QUEUE}{row.id}").text)
        assert f"{verb} it" in page
    assert [event.detail["reason"] for event in reversed(happened("software"))] == [
        "reject it",
        "approve it",
        "block it",
        "unblock it",
    ]


def test_approving_what_was_replaced_meanwhile_answers_409_and_shows_the_change(
    approver, register, find, csrf, client, happened
):
    """X-45: the approver saw revision 1, the registrant puts revision 2."""
    registered = register(client_name="Editor")
    seen = find("Editor")
    put = client.put(
        f"/clients/{registered['client_id']}",
        json={
            "client_id": registered["client_id"],
            "client_name": "Editor",
            "redirect_uris": ["https://client.example/cb"],
            "scope": "tools",
            "contacts": ["evil@attacker.example"],
        },
        headers={"Authorization": f"Bearer {registered['registration_access_token']}"},
    )
    assert put.status_code == 200

    answer = approver.post(
        f"{QUEUE}{seen.id}/approve", data=decision(csrf, approver, seen, scopes=["openid"])
    )

    assert answer.status_code == 409
    assert "Nothing was decided" in answer.text
    assert "<ins><bdi" in answer.text
    assert "evil@attacker.example" in answer.text
    assert find("Editor").status == "pending"
    assert find("Editor").revision in answer.text
    assert happened(Tag.SOFTWARE_APPROVED) == []


def test_a_decision_that_came_second_answers_409_and_says_who_was_first(
    approver, admin, register, find, csrf
):
    register()
    row = find()
    approver.post(f"{QUEUE}{row.id}/reject", data=decision(csrf, approver, row, reason="no"))

    answer = admin.post(f"{QUEUE}{row.id}/approve", data=decision(csrf, admin, row))

    assert answer.status_code == 409
    assert "It is rejected now, decided by approver@example.org" in texts(answer.text)
    assert find().status == "rejected"


def test_a_widening_update_waits_as_a_revision_with_before_and_after(
    approver, register, find, csrf, client, app, catalogue
):
    """X-41: the approved metadata serves until a person has seen the difference."""
    registered = register(client_name="Editor", scope="tools")
    first = find("Editor")
    approver.post(f"{QUEUE}{first.id}/approve", data=decision(csrf, approver, first))
    client.put(
        f"/clients/{registered['client_id']}",
        json={
            "client_id": registered["client_id"],
            "client_name": "Editor Pro",
            "redirect_uris": ["https://client.example/cb", "https://new.example/cb"],
            "scope": "tools",
        },
        headers={"Authorization": f"Bearer {registered['registration_access_token']}"},
    )
    revision = find("Editor Pro")

    page = approver.get(f"{QUEUE}{revision.id}").text
    approver.post(f"{QUEUE}{revision.id}/approve", data=decision(csrf, approver, revision))

    differing = page.partition('class="table diff"')[2].partition("</table>")[0]
    assert "A change of an approved client" in page
    assert re.findall(r"<(del|ins)><bdi[^>]*>([^<]+)", differing) == [
        ("del", "Editor"),
        ("ins", "Editor Pro"),
        ("ins", "https://new.example/cb"),
    ]
    with app.app_context():
        changed = db.session.get(Client, registered["client_id"])
        assert changed.client_metadata["client_name"] == "Editor Pro"
        assert changed.software_id == revision.id


def selection(row):
    """Return what the checkbox of a row sends."""
    return f"{row.id}:{row.revision}"


def test_selected_software_is_decided_one_by_one_and_failures_are_told_for_each(
    approver, register, find, csrf, happened
):
    """C-43: one audit record for each, and a failure of one stops no other."""
    for name in ("One", "Two", "Three"):
        register(client_name=name)
    chosen = {name: find(name) for name in ("One", "Two", "Three")}
    approver.post(f"{QUEUE}{chosen['Two'].id}/reject", data=decision(csrf, approver, chosen["Two"]))

    answer = approver.post(
        f"{QUEUE}approve",
        data={
            "csrf_token": csrf(approver),
            "selected": [*map(selection, chosen.values()), "unknown:x", "\0:\0", ""],
        },
    )

    assert (answer.status_code, answer.location) == (303, QUEUE)
    assert [find(name).status for name in chosen] == ["approved", "rejected", "approved"]
    assert {event.subject for event in happened(Tag.SOFTWARE_APPROVED)} == {
        chosen["One"].id,
        chosen["Three"].id,
    }
    said = texts(approver.get(QUEUE).text)
    assert "2 approved." in said
    assert "4 could not be decided" in said
    assert "Two : The software was decided or has changed meanwhile" in said
    assert "could not be decided" not in approver.get(QUEUE).text


def test_selected_software_is_decided_as_it_was_seen(approver, register, find, csrf):
    """X-45 in bulk: each row carries the revision that was on the page."""
    register()
    row = find()

    approver.post(
        f"{QUEUE}approve",
        data={"csrf_token": csrf(approver), "selected": f"{row.id}:another revision"},
    )

    assert find().status == "pending"


@pytest.mark.parametrize("reason, status", [("", "pending"), ("spam", "rejected")])
def test_rejecting_a_selection_needs_a_reason(approver, register, find, csrf, reason, status):
    register()

    approver.post(
        f"{QUEUE}reject",
        data={"csrf_token": csrf(approver), "selected": selection(find()), "reason": reason},
    )

    assert find().status == status
    assert find().reason == (reason or None)


@pytest.mark.parametrize("verb", ["approve", "reject", *(f"ID/{verb}" for verb in DECISIONS)])
def test_a_viewer_decides_nothing(viewer, register, find, csrf, happened, verb):
    """C-40: the role is checked by the server, not by the missing button."""
    register()
    row = find()
    form = decision(csrf, viewer, row, selected=selection(row))

    answer = viewer.post(QUEUE + verb.replace("ID", row.id), data=form)

    assert answer.status_code == 403
    assert "This needs the role approver" in answer.text
    assert find().status == "pending"
    (refused,) = happened(Tag.REQUEST_REFUSED)
    assert refused.actor_name == "viewer@example.org"


def test_a_viewer_sees_no_button_that_decides(viewer, register, find):
    register()

    pages = viewer.get(QUEUE).text + viewer.get(f"{QUEUE}{find().id}").text

    actions = {each["action"] for each in controls(pages, "form") if each.get("method") == "post"}
    assert actions == {"/logout", "/theme"}
    assert "It waits for somebody with the role approver." in pages


def test_every_address_of_the_queue_is_held_against_the_roles(app):
    """C-40: a route that no test lists fails here."""
    reading = [("GET", QUEUE + path, "viewer") for path in ("", "arrivals", "ID")]
    deciding = [("POST", f"{QUEUE}{path}", "approver") for path in ("approve", "reject")]
    deciding += [("POST", f"{QUEUE}ID/{verb}", "approver") for verb in DECISIONS]

    assert unlisted(app, "registrations", reading + deciding) == set()


@pytest.mark.parametrize("path", ["", "arrivals", "ID"])
def test_strangers_are_sent_to_sign_in_and_members_are_refused(
    client, member, register, find, path
):
    register()
    address = QUEUE + path.replace("ID", find().id)

    answer, by_htmx = client.get(address), client.get(address, headers={"HX-Request": "true"})

    assert (answer.status_code, answer.location) == (303, f"/login?next={address}")
    assert by_htmx.status_code == 401
    assert by_htmx.headers["HX-Redirect"].startswith("/login")
    assert by_htmx.text == ""
    assert member.get(address).status_code == 403


@pytest.mark.parametrize("url", ["http://[", "//attacker.example/", "javascript:x", "\\\\x"])
def test_the_way_back_after_signing_in_stays_on_this_server(client, sign_in, url):
    headers = {"HX-Request": "true", "HX-Current-URL": url}
    answer = client.get(QUEUE, headers=headers)

    back = sign_in("viewer").get(answer.headers["HX-Redirect"])

    assert answer.status_code == 401
    assert back.location.startswith("/")
    assert not back.location.startswith("//")


@pytest.mark.parametrize(
    "change, status",
    [("missing", 400), ("empty", 400), ("of another session", 400), ("cross-site", 403)],
)
def test_a_decision_that_the_approver_did_not_send_is_refused(
    approver, admin, register, find, csrf, change, status
):
    """C-20, X-46: a decision needs a form of this session, sent from this site."""
    register()
    row = find()
    form = decision(csrf, approver, row, selected=selection(row))
    headers = {"Sec-Fetch-Site": "cross-site" if change == "cross-site" else "same-origin"}
    if change == "missing":
        del form["csrf_token"]
    elif change != "cross-site":
        form["csrf_token"] = "" if change == "empty" else csrf(admin)

    answers = [
        approver.post(address, data=form, headers=headers) for address in decision_addresses(row)
    ]

    assert {answer.status_code for answer in answers} == {status}
    assert find().status == "pending"


def test_no_decision_is_made_by_reading_an_address(approver, register, find, csrf):
    """X-46: htmx or a picture that reads the address of a decision decides nothing."""
    register()
    row = find()
    form = decision(csrf, approver, row, selected=selection(row))

    answers = [approver.get(each, query_string=form) for each in decision_addresses(row)]

    assert {answer.status_code for answer in answers} <= {404, 405}
    assert find().status == "pending"


def decision_addresses(row):
    """Return every address that decides about software."""
    single = [f"{QUEUE}{row.id}/{verb}" for verb in DECISIONS]
    return [f"{QUEUE}approve", f"{QUEUE}reject", *single]


@pytest.mark.parametrize("software_id", ["unknown", "%00", "a" * 3000])
def test_software_that_is_not_there_is_not_found(approver, csrf, software_id):
    form = {"csrf_token": csrf(approver), "reason": "x", "limit": "all"}

    assert approver.get(QUEUE + software_id).status_code == 404
    for verb in DECISIONS:
        assert approver.post(f"{QUEUE}{software_id}/{verb}", data=form).status_code == 404


HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "template": "{{7*7}}{% raw %}{{ config }}",
    "attribute": '" hx-get="/admin/registrations/approve" hx-trigger="load',
    "quote": "' onmouseover='alert(1)",
    "comment": "--><b>x</b><!--",
    "entity": "&lt;script&gt;&#x3c;",
    "textarea": "</textarea></title></pre></code><h1>",
    "brand": "Gatewright Admin",
    "marks": "Z\u0335\u0321a",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_registration_is_text_on_every_page_about_it(
    approver, register, catalogue, find, csrf, client, name
):
    """X-30, C-32, C-33: no element, attribute or comment comes from what a stranger sent."""
    pages = {}
    for sent in ("Plain", name):
        registered = register(
            client_name=sent,
            scope="tools write",
            software_id=f"id of {sent}",
            software_version=sent,
            redirect_uris=[f"https://{'a' if sent == 'Plain' else 'b'}.example/cb"],
            contacts=[sent] if "<" not in sent else ["plain"],
        )
        row = find(registered["client_name"])
        conflict = decision(csrf, approver, row, revision="older")
        pages[sent] = [
            approver.get(f"{QUEUE}?q={row.id}").text,
            approver.get(f"{QUEUE}{row.id}").text,
            approver.post(f"{QUEUE}{row.id}/approve", data=conflict).text,
            approver.post(
                f"{QUEUE}{row.id}/approve", data=decision(csrf, approver, row, until="x")
            ).text,
        ]
        approver.post(
            f"{QUEUE}approve", data={"csrf_token": csrf(approver), "selected": f"{row.id}:old"}
        )
        pages[sent].append(approver.get(f"{QUEUE}?q={row.id}").text)

    for plain, hostile in zip(pages["Plain"], pages[name], strict=True):
        assert shape(hostile) == shape(plain)
        assert name in texts(hostile, squeeze=False)


def test_reading_changes_nothing(approver, register, find, app):
    """C-21: no page of the queue writes; also not to the audit trail."""
    register()
    row = find()
    for address in (QUEUE, f"{QUEUE}arrivals", f"{QUEUE}{row.id}", f"{QUEUE}?status=approved"):
        before = rows(app)
        assert approver.get(address).status_code == 200
        assert rows(app) == before


def test_no_page_about_software_shows_a_credential(admin, register, find, csrf):
    """X-47: neither the secret nor the registration access token, nor a digest of them."""
    registered = register()
    row = find()
    page = admin.get(f"{QUEUE}{row.id}").text + admin.get(QUEUE).text

    assert registered["client_secret"] not in page
    assert registered["registration_access_token"] not in page
    assert "digest" not in page
