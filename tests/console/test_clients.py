"""The list of clients: found, filtered, paged; and who reaches which address of clients."""

import pytest

from app.domain import clients, decisions, software
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.markup import neighbour, read, row_names, texts
from tests.console.matrix import (
    gets,
    harmful,
    posts,
    rows,
    unlisted,
    wrongly_reached,
    wrongly_shown,
)

LIST = "/admin/clients/"
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
    ("POST", f"{LIST}delete", "admin"),
    ("POST", f"{LIST}delete/unknown", "admin"),
    ("POST", f"{LIST}pin/unknown", "admin"),
    ("POST", f"{LIST}unpin/unknown", "admin"),
)


def listed(browser, query=""):
    """Return the names that the list shows for a query."""
    return [name.partition("> ")[2] or name for name in row_names(browser.get(LIST + query).text)]


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
    sign_in, send, register, clock
):
    register(client_name="Old")
    clock.advance(8 * 86400)
    fresh = sign_in("admin")
    register(client_name="New")
    send(fresh, f"{LIST}new", kind="service", name="Job", everywhere="on")

    assert listed(fresh, "?source=console") == ["Job"]
    assert set(listed(fresh, "?source=dcr")) == {"Old", "New"}
    assert listed(fresh, "?unused=7") == ["Old"]
    assert listed(fresh, "?unused=30") == []


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
        address = neighbour(page, "next")

    assert seen == everything
    assert len(pages) == 3
    back = neighbour(viewer.get(pages[2]).text, "prev")
    assert listed(viewer, back.removeprefix(LIST)) == everything[25:50]
    first = neighbour(viewer.get(back).text, "prev")
    assert listed(viewer, first.removeprefix(LIST)) == everything[:25]
    assert neighbour(viewer.get(first).text, "prev") is None
    assert listed(viewer, "?size=100") == everything


def test_htmx_gets_the_rows_alone_and_caches_know_it(viewer, register):
    """C-22."""
    register()

    answer = viewer.get(LIST, headers={"HX-Request": "true"})

    assert answer.text.lstrip().startswith('<div class="panel">')
    assert {"HX-Request", "Cookie"} <= set(answer.vary)
    assert answer.headers["Cache-Control"] == "no-store"


def test_each_address_is_open_to_its_role_and_those_above(anybody):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []


def test_every_address_has_a_role(app):
    """C-40."""
    assert unlisted(app, "clients_console", ROUTES) == set()


def test_a_stranger_is_sent_to_sign_in(client, member):
    assert wrongly_shown(client, member, gets(ROUTES)) == []


def test_nothing_is_changed_without_the_token_of_the_page(admin, app, register):
    """C-20."""
    made = register()["client_id"]
    forms = [path.replace("unknown", made) for path in posts(ROUTES)]
    sent = {"reason": "x", "confirm_name": "Probe", "overlap": "0", "kind": "service", "name": "x"}

    assert harmful(app, admin, "POST", forms, 400, data=sent) == []


def test_looking_changes_nothing(admin, app, register, grant):
    """C-21, X-46."""
    made = register()["client_id"]
    grant(made, 1)
    pages = [path.replace("unknown", made) for path in gets(ROUTES)]
    tabs = [f"{LIST}{made}?tab={name}" for name in ("grants", "activity", "json")]

    assert harmful(app, admin, "GET", [*pages, *tabs, f"{LIST}new?kind=web"]) == []

    before = rows(app)
    for verb in ("suspend", "resume", "revoke-tokens", "delete"):
        assert admin.get(f"{LIST}{verb}/{made}").status_code == 404
    assert {**rows(app), "audit_events": before["audit_events"]} == before
