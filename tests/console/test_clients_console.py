"""The pages of clients: found, looked at, stopped, ended."""

import json

import pytest

from app.domain import audit, clients, decisions, grants, scopes, software
from app.domain.audit import SERVER, Filters, Tag
from app.domain.client_records import Client
from app.domain.grants import Grant
from app.extensions import db
from tests.conftest import SECRET_KEY
from tests.console.markup import controls, read, shape, texts
from tests.console.matrix import become, posts, rows, unlisted, ways_to_act, wrongly_reached

LIST = "/admin/clients/"
TABS = ("", "?tab=grants", "?tab=activity", "?tab=json")
ROUTES = (
    ("GET", LIST, "viewer"),
    ("GET", f"{LIST}unknown", "viewer"),
    ("GET", f"{LIST}new", "admin"),
    ("POST", f"{LIST}new", "admin"),
    ("POST", f"{LIST}check-redirect-uris", "admin"),
    ("GET", f"{LIST}edit/unknown", "admin"),
    ("POST", f"{LIST}edit/unknown", "admin"),
    ("GET", f"{LIST}rotate-secret/unknown", "admin"),
    ("POST", f"{LIST}rotate-secret/unknown", "admin"),
    ("POST", f"{LIST}suspend/unknown", "approver"),
    ("POST", f"{LIST}resume/unknown", "approver"),
    ("POST", f"{LIST}revoke-tokens/unknown", "approver"),
    ("POST", f"{LIST}delete/unknown", "admin"),
)
HOSTILE = (
    "<script>alert(1)</script>",
    '" hx-get="/admin/clients/1/approve" hx-trigger="load',
    "' onmouseover='alert(1)",
    "{{7*7}}{% raw %}",
    "</title><img src=x onerror=alert(1)>",
    "<!-- --> &amp;lt;b",
    "=HYPERLINK(1)",
)


@pytest.fixture
def approve(app):
    """Return a function that approves the software of a client."""

    def decide(client_id, **more):
        with app.app_context():
            scopes.create("tools", "Use tools", by=SERVER)
            row = software.get(clients.get(client_id).software_id)
            decisions.approve(row.id, row.revision, by=SERVER, allowed=["tools"], **more)
            db.session.commit()

    return decide


@pytest.fixture
def stored(app):
    """Return a function that reads the row of a client."""

    def find(client_id):
        with app.app_context():
            return db.session.get(Client, client_id)

    return find


@pytest.fixture
def grant(app, people):
    """Return a function that lets the member allow a client; gives the grant's identifier."""

    def give(client_id, number):
        with app.app_context():
            db.session.add(
                Grant(
                    id=f"grant-{number}",
                    client_id=client_id,
                    user_id=people["member"],
                    scopes=["tools"],
                    resources=["https://one.example/"],
                    auth_time=1,
                    created_at=1,
                    expires_at=2**40,
                    last_used_at=1,
                )
            )
            db.session.commit()

    return give


@pytest.fixture
def events(app):
    """Return a function that reads the events with a tag."""

    def happened(tag):
        with app.app_context():
            return list(audit.find_page(Filters(tag=tag), size=50))

    return happened


def names(page):
    """Return the names of the clients in a list, in its order."""
    return [texts(part.split("</a>")[0]) for part in page.split('class="row-link"')[1:]]


def listed(browser, query=""):
    """Return the names that the list shows for a query."""
    return [name.partition("> ")[2] or name for name in names(browser.get(LIST + query).text)]


def send(browser, csrf, path, **fields):
    """Send a form of a page."""
    return browser.post(f"{LIST}{path}", data={"csrf_token": csrf(browser)} | fields)


def test_the_list_has_a_row_for_every_client_newest_first(viewer, register, clock):
    for name in ("One", "Two", "Three"):
        register(client_name=name)
        clock.advance(1)

    assert listed(viewer) == ["Three", "Two", "One"]
    assert "Pending Registered itself never" in texts(viewer.get(LIST).text)


def test_a_client_is_found_by_part_of_its_name_or_by_its_whole_identifier(viewer, register):
    made = register(client_name="Blue 100% editor")
    register(client_name="Red editor")

    assert listed(viewer, "?q=100%25") == ["Blue 100% editor"]
    assert listed(viewer, f"?q={made['client_id']}") == ["Blue 100% editor"]
    assert listed(viewer, "?q=EDITOR") == ["Red editor", "Blue 100% editor"]
    assert listed(viewer, "?q=%25") == ["Blue 100% editor"]


def test_clients_are_filtered_by_standing(viewer, register, approve, app):
    made = {name: register(client_name=name)["client_id"] for name in ("On", "Held", "Gone", "Off")}
    approve(made["On"])
    with app.app_context():
        clients.delete(clients.get(made["Gone"]), "gone", by=SERVER)
        clients.suspend(clients.get(made["Off"]), "off", by=SERVER)
        db.session.commit()

    assert set(listed(viewer)) == {"On", "Held", "Off"}
    for standing, name in (
        ("active", "On"),
        ("pending", "Held"),
        ("deleted", "Gone"),
        ("suspended", "Off"),
    ):
        assert listed(viewer, f"?standing={standing}") == [name]
    assert listed(viewer, "?standing=expired") == []


def test_an_approval_that_has_ended_is_expired_and_a_block_stays_a_block(
    viewer, register, approve, app, clock
):
    made = register(client_name="Guest")
    approve(made["client_id"], until=clock.now + 60)
    clock.advance(61)

    assert listed(viewer, "?standing=expired") == ["Guest"]
    assert "Expired" in texts(viewer.get(f"{LIST}?standing=expired").text)
    with app.app_context():
        row = software.get(clients.get(made["client_id"]).software_id)
        decisions.block(row.id, "no", by=SERVER)
        db.session.commit()
    assert listed(viewer, "?standing=expired") == []
    assert listed(viewer, "?standing=blocked") == ["Guest"]


def test_clients_are_filtered_by_source_and_by_how_long_they_were_not_used(
    viewer, admin, csrf, register, clock
):
    register(client_name="Old")
    clock.advance(8 * 86400)
    for browser in (viewer, admin):
        browser.delete_cookie("__Host-gatewright")
    fresh = send_in_again(admin)
    register(client_name="New")
    send(fresh, csrf, "new", kind="service", name="Job", everywhere="on")

    assert listed(fresh, "?source=console") == ["Job"]
    assert set(listed(fresh, "?source=dcr")) == {"Old", "New"}
    assert listed(fresh, "?unused=7") == ["Old"]
    assert listed(fresh, "?unused=30") == []


def send_in_again(browser):
    """Sign the admin in again, after time has ended the session."""
    token = controls(browser.get("/login").text, name="csrf_token")[0]["value"]
    form = {"csrf_token": token, "username": "admin@example.org"}
    assert (
        browser.post("/login", data=form | {"password": "long enough for everybody"}).status_code
        == 303
    )
    return browser


def test_filters_are_chips_that_can_be_removed_and_an_empty_result_can_be_cleared(viewer, register):
    register(client_name="Blue")

    page = viewer.get(f"{LIST}?q=green&standing=pending&unused=7").text

    said = texts(page)
    for words in ("Search green", "Standing Pending", "Unused for 7 days", "Clear filters"):
        assert words in said
    links = [
        found["href"] for tag, found in read(page).elements if "aria-label" in found and tag == "a"
    ]
    assert f"{LIST}?standing=pending&unused=7" in links
    assert f"{LIST}?q=green&unused=7" in links


@pytest.mark.parametrize(
    "query",
    [
        "?q=%00",
        "?older=1.%00",
        "?older=9999999999999999999999.x",
        "?older=x.y",
        "?older=\u0661.y",
        "?newer=.",
        "?unused=-1",
        "?unused=99999999999999999999",
        "?standing=x&source=y&size=7",
        "?q=" + "a" * 5000,
    ],
)
def test_odd_addresses_of_the_list_are_answered(viewer, register, query):
    register()

    assert viewer.get(LIST + query).status_code == 200


def test_the_list_is_paged_by_key_in_both_directions(viewer, register, clock):
    for number in range(60):
        register(client_name=f"C{number:02}", redirect_uris=[f"https://c{number}.example/cb"])
        if number % 3 == 0:
            clock.advance(1)
    everything = [f"C{number:02}" for number in reversed(range(60))]

    seen, address, pages = [], LIST, []
    while address:
        page = viewer.get(address).text
        pages.append(address)
        seen += listed(viewer, address.removeprefix(LIST))
        address = next((a["href"] for a in controls(page, "a", rel="next")), None)

    assert seen == everything
    assert len(pages) == 3
    back = controls(viewer.get(pages[2]).text, "a", rel="prev")[0]["href"]
    assert listed(viewer, back.removeprefix(LIST)) == everything[25:50]
    first = controls(viewer.get(back).text, "a", rel="prev")[0]["href"]
    assert listed(viewer, first.removeprefix(LIST)) == everything[:25]
    assert controls(viewer.get(first).text, "a", rel="prev") == []
    assert listed(viewer, "?size=100") == everything


def test_htmx_gets_the_rows_alone_and_caches_know_it(viewer, register):
    """C-22."""
    register()

    answer = viewer.get(LIST, headers={"HX-Request": "true"})

    assert answer.text.lstrip().startswith('<div class="panel">')
    assert {"HX-Request", "Cookie"} <= set(answer.vary)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_of_a_client_says_what_it_may_do_and_who_let_it_in(
    viewer, register, approve, client
):
    made = register(client_name="Editor", contacts=["dev@client.example"])
    approve(made["client_id"], reason="The build team needs it")

    said = texts(viewer.get(f"{LIST}{made['client_id']}").text)

    for words in (
        "Editor",
        "Active",
        "It may ask for tokens.",
        "Decided by gatewright",
        "The build team needs it",
        "Last used never",
        "Registered itself",
        "From 127.0.0.1",
        "Scopes tools",
        "that of its software",
        "https://client.example/cb",
        "dev@client.example",
        "client_secret_basic",
        "set; it cannot be shown again",
    ):
        assert words in said


def test_grants_are_listed_with_person_state_and_reason(viewer, register, grant, app):
    made = register()["client_id"]
    grant(made, 1)
    grant(made, 2)
    with app.app_context():
        grants.revoke("grant-1", "lost laptop", by=SERVER)
        db.session.commit()

    said = texts(viewer.get(f"{LIST}{made}?tab=grants").text)

    assert "member@example.org Active tools https://one.example/" in said
    assert "member@example.org Revoked lost laptop" in said


def test_activity_shows_the_latest_twenty_events_and_leads_to_all(viewer, register, app):
    made = register()["client_id"]
    with app.app_context():
        for _ in range(25):
            audit.record(Tag.TOKEN_ISSUED, "x", by=SERVER, client_id=made)
        db.session.commit()

    page = viewer.get(f"{LIST}{made}?tab=activity").text

    assert page.count('class="row-link"') == 20
    link = f"/admin/audit/?client_id={made}"
    assert controls(page, "a", href=link)
    assert viewer.get(link).status_code == 200


def test_the_json_is_the_client_information_without_secrets(viewer, register):
    made = register(client_name="Editor")

    page = viewer.get(f"{LIST}{made['client_id']}?tab=json").text

    [copied] = controls(page, "button", **{"data-copied": "JSON copied"})
    secret = ("client_secret", "client_secret_expires_at", "registration_access_token")
    assert json.loads(copied["data-copy"]) == {
        name: value for name, value in made.items() if name not in secret
    }


@pytest.mark.parametrize(
    "client_id", ["unknown", "%00", "a" * 3000, "edit/x", "https://a.example/"]
)
def test_a_client_that_is_not_there_is_not_found(admin, csrf, client_id):
    assert admin.get(f"{LIST}{client_id}").status_code == 404
    for verb in ("edit", "rotate-secret"):
        assert admin.get(f"{LIST}{verb}/{client_id}").status_code == 404
    assert send(admin, csrf, f"suspend/{client_id}", reason="x").status_code == 404


def test_a_client_whose_identifier_is_a_url_has_its_pages(admin, register, app):
    made = register()["client_id"]
    url = "https://app.example/oauth/client.json?v=1"
    with app.app_context():
        db.session.get(Client, made).client_id = url
        db.session.commit()

    page = admin.get(LIST).text
    [link] = [found["href"] for _, found in read(page).elements if found.get("class") == "row-link"]

    assert url in texts(admin.get(link).text)
    edit = next(a["href"] for a in controls(admin.get(link).text, "a", **{"class": "button"}))
    assert admin.get(edit).status_code == 200


def test_an_approver_suspends_and_resumes_with_a_reason(approver, csrf, register, stored, events):
    made = register()["client_id"]

    answer = send(approver, csrf, f"suspend/{made}", reason="lost laptop")

    assert (answer.status_code, answer.location) == (303, f"{LIST}{made}")
    assert stored(made).state == "suspended"
    [event] = events(Tag.CLIENT_SUSPENDED)
    assert (event.actor_name, event.detail["reason"]) == ("approver@example.org", "lost laptop")
    assert "The client is suspended" in texts(approver.get(f"{LIST}{made}").text)

    assert send(approver, csrf, f"resume/{made}", reason="found it").status_code == 303
    assert stored(made).state == "live"
    assert events(Tag.CLIENT_RESUMED)[0].detail["reason"] == "found it"


@pytest.mark.parametrize("reason", ["", "  ", "a" * 501, "nul\0", "turn\u202ened"])
def test_nothing_is_suspended_without_a_reason_people_can_read(
    approver, csrf, register, stored, reason
):
    made = register()["client_id"]

    answer = send(approver, csrf, f"suspend/{made}", reason=reason)

    assert answer.status_code == 303
    assert stored(made).state == "live"
    assert "The reason" in texts(approver.get(f"{LIST}{made}").text)


def test_suspending_twice_answers_that_it_changed_meanwhile(approver, csrf, register, events):
    made = register()["client_id"]
    send(approver, csrf, f"suspend/{made}", reason="one")

    assert send(approver, csrf, f"suspend/{made}", reason="two").status_code == 409
    assert len(events(Tag.CLIENT_SUSPENDED)) == 1


def test_ending_all_grants_tells_how_many(approver, csrf, register, grant, app):
    made = register()["client_id"]
    for number in range(3):
        grant(made, number)

    answer = send(approver, csrf, f"revoke-tokens/{made}")

    assert answer.status_code == 303
    assert "3 grants have ended." in texts(approver.get(f"{LIST}{made}").text)
    with app.app_context():
        assert {each.revoked_at is None for each in grants.find_latest(client_id=made)} == {False}


def test_a_client_is_deleted_only_when_its_name_is_typed(admin, csrf, register, stored, grant):
    made = register(client_name="Editor")["client_id"]
    grant(made, 1)

    for typed in ("", "editor", made):
        assert send(admin, csrf, f"delete/{made}", confirm_name=typed).status_code == 303
        assert stored(made).state == "live"
    answer = send(admin, csrf, f"delete/{made}", confirm_name=" Editor ")

    assert (answer.status_code, answer.location) == (303, LIST)
    assert stored(made).state == "deleted"
    tomb = admin.get(f"{LIST}{made}")
    assert tomb.status_code == 200
    assert "It is gone; only its history is left." in texts(tomb.text)
    assert ways_to_act(tomb.text) == set()
    assert send(admin, csrf, f"delete/{made}", confirm_name="Editor").status_code == 404


def test_a_client_without_a_name_is_deleted_by_its_identifier(admin, csrf, register, stored):
    made = register(client_name=None)["client_id"]

    send(admin, csrf, f"delete/{made}", confirm_name=made)

    assert stored(made).state == "deleted"


def test_a_widening_that_waits_is_pointed_at(viewer, register, approve, client):
    made = register()
    approve(made["client_id"])
    wider = {
        "client_id": made["client_id"],
        "client_name": "Probe",
        "redirect_uris": ["https://client.example/cb", "https://other.example/cb"],
    }
    bearer = {"Authorization": f"Bearer {made['registration_access_token']}"}
    answer = client.put(f"/clients/{made['client_id']}", json=wider, headers=bearer)
    assert answer.json["registration_status"] == "revision_pending"

    assert "A change waits for approval" in texts(viewer.get(f"{LIST}{made['client_id']}").text)
    assert "Revision pending" in texts(viewer.get(LIST).text)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_on_every_page_about_its_client(admin, app, register, name):
    """C-32, C-33, X-30."""
    plain = register(client_name="plain")["client_id"]
    pages = [*TABS[:2], "?tab=json"]
    shapes = [shape(admin.get(f"{LIST}{plain}{tab}").text) for tab in pages]
    forms = [shape(admin.get(f"{LIST}{verb}/{plain}").text) for verb in ("edit", "rotate-secret")]
    with app.app_context():
        db.session.execute(db.delete(Client))
        db.session.commit()

    made = register(client_name=name)["client_id"]
    answers = [admin.get(f"{LIST}{made}{tab}").text for tab in pages]

    assert [unnamed(shape(page)) for page in answers] == [unnamed(each) for each in shapes]
    assert all(" ".join(name.split()) in texts(page) for page in answers[:2])
    edits = [admin.get(f"{LIST}{verb}/{made}").text for verb in ("edit", "rotate-secret")]
    assert [unnamed(shape(page)) for page in edits] == [unnamed(each) for each in forms]
    assert name in " ".join(names(admin.get(LIST).text))


def unnamed(elements):
    """Return a shape without the values that hold the name of a client or of software."""
    named = ("data-confirm-name", "for", "id")
    return [
        (tag, [(key, None if key in named else value) for key, value in attributes])
        for tag, attributes in elements
    ]


def test_a_viewer_sees_everything_but_secrets_and_has_nothing_to_press(
    viewer, register, approve, stored, app
):
    """C-41, X-47."""
    made = register()
    client_id = made["client_id"]
    approve(client_id)
    with app.app_context():
        rotated = clients.rotate_secret(clients.get(client_id), by=SERVER)
        db.session.commit()
    row = stored(client_id)
    hidden = [
        made["client_secret"],
        made["registration_access_token"],
        rotated.client_secret,
        row.secret_digest,
        row.old_secret_digest,
        row.registration_token_digest,
        SECRET_KEY,
    ]

    for path in ("", *(f"{client_id}{tab}" for tab in TABS)):
        page = viewer.get(f"{LIST}{path}").text
        assert [secret for secret in hidden if secret in page] == []
        assert ways_to_act(page) == set()
        hrefs = [found.get("href") or "" for _, found in read(page).elements]
        assert not [
            href for href in hrefs if "/edit/" in href or "/rotate" in href or "/new" in href
        ]


def test_an_approver_may_stop_a_client_and_an_admin_may_change_and_delete_it(
    approver, admin, register
):
    made = register()["client_id"]
    stop = {f"{LIST}suspend/{made}", f"{LIST}revoke-tokens/{made}"}

    assert ways_to_act(approver.get(f"{LIST}{made}").text) == stop
    assert ways_to_act(admin.get(f"{LIST}{made}").text) == stop | {f"{LIST}delete/{made}"}


@pytest.mark.parametrize("role", ["member", "viewer", "approver", "admin"])
def test_each_address_is_open_to_its_role_and_those_above(app, admin, people, csrf, role):
    """C-40, C-42, X-48."""
    token = csrf(admin)
    become(app, people["admin"], role)

    assert wrongly_reached(admin, token, role, ROUTES) == []


def test_every_address_has_a_role(app):
    """C-40."""
    assert unlisted(app, "clients_console", ROUTES) == set()


def test_a_stranger_is_sent_to_sign_in(client):
    for method, path, _ in ROUTES:
        if method == "GET":
            answer = client.get(path)
            assert answer.status_code == 303
            assert answer.location.startswith("/login")


def test_nothing_is_changed_without_the_token_of_the_page(admin, app, register):
    """C-20."""
    made = register()["client_id"]
    before = rows(app)
    form = {"reason": "x", "confirm_name": "Probe", "overlap": "0", "kind": "service", "name": "x"}

    for path in posts(ROUTES):
        answer = admin.post(path.replace("unknown", made), data=form)
        assert answer.status_code == 400

    assert rows(app) == before


def test_looking_changes_nothing(admin, app, register, grant):
    """C-21, X-46."""
    made = register()["client_id"]
    grant(made, 1)
    before = rows(app)

    for path in ("", "new", "new?kind=web", f"edit/{made}", f"rotate-secret/{made}"):
        assert admin.get(LIST + path).status_code == 200
    for tab in TABS:
        assert admin.get(f"{LIST}{made}{tab}").status_code == 200
    assert rows(app) == before

    for verb in ("suspend", "resume", "revoke-tokens", "delete"):
        assert admin.get(f"{LIST}{verb}/{made}").status_code == 404
    assert {**rows(app), "audit_events": before["audit_events"]} == before
