"""Decisions about software and clients hold for what was decided about (F-04, N-210, N-211)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import orjson
import pytest

from app.domain import scopes
from app.domain.audit import SERVER
from app.extensions import db
from tests.races.cast import PASSWORD, REDIRECT, Cast, spread
from tests.races.history import (
    History,
    check_definite,
    check_valid,
    not_exactly_once,
    undecided,
)
from tests.races.wire import Browser, Reply, post_json, send, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
THREADS = 8
Servers = Callable[..., tuple[str, str]]
JSON = {"Content-Type": "application/json"}


def decide(browser: Browser, server: str, form: dict[str, str], wanted: str) -> Reply:
    """Send the form of the waiting page."""
    action = {"approved": "approve", "rejected": "reject"}[wanted]
    return replace(browser.post(server, f"/waiting/{action}", **form), wanted=wanted)


def approvers(cast: Cast, server: str, count: int, waiting_page: str) -> list[Browser]:
    """Return browsers of as many approvers, each of whom has opened a waiting page."""
    browsers = [sign_in(server, email, PASSWORD) for email in cast.approvers(count)]
    for browser in browsers:
        assert browser.get(server, waiting_page).status == 200
    return browsers


def decided(cast: Cast, software_id: str) -> tuple[str, list[str]]:
    """Return the status of some software, and what the audit trail says it was decided to be."""
    (status,) = cast.column("SELECT status FROM software WHERE id = :id", id=software_id)
    tags = cast.column(
        "SELECT tag FROM audit_events WHERE subject = :id"
        " AND tag IN ('software.approved', 'software.rejected')",
        id=software_id,
    )
    return status, [tag.removeprefix("software.") for tag in tags]


def test_of_many_approvals_and_rejections_at_once_one_decides_and_the_others_are_told(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """F-04, N-210: one final state, losers get 409, one audit record."""
    servers = two_servers()
    forms = cast.pending_software(25)
    browsers = approvers(cast, servers[0], THREADS, forms[0]["next"])

    for form in forms:
        contenders = zip(
            browsers, spread(THREADS, servers), ["approved", "rejected"] * 4, strict=True
        )
        history.race(
            "decide",
            form["software_id"],
            [
                partial(decide, browser, server, form, wanted)
                for browser, server, wanted in contenders
            ],
        )

    check_valid(history, "decide")
    final = {form["software_id"]: decided(cast, form["software_id"]) for form in forms}
    assert undecided(history, "decide", final) == [], history.summary()


def registered(server: str, number: int, **more: str) -> dict[str, str]:
    """Register a client as a stranger; return the client information response."""
    body = {"client_name": f"Stranger {number}", "redirect_uris": [REDIRECT], **more}
    reply = post_json(server, "/register", body, {})
    assert reply.status == 201, reply.text
    return reply.body


def bearer(client: dict[str, str]) -> dict[str, str]:
    """Return the header with the registration access token of a client."""
    return {"Authorization": f"Bearer {client['registration_access_token']}"}


def rename(server: str, client: dict[str, str], name: str = "somebody-else") -> Reply:
    """Update what a client says of itself; its software has an identifier of its own."""
    body = {
        "client_id": client["client_id"],
        "client_name": name,
        "client_uri": f"https://client.example/{name}",
        "contacts": [f"{name}@client.example"],
        "redirect_uris": [REDIRECT],
        "software_id": client["software_id"],
    }
    path = f"/clients/{client['client_id']}"
    return send(server, "PUT", path, orjson.dumps(body).decode(), JSON | bearer(client))


def test_an_approval_holds_for_the_revision_that_was_seen_although_the_client_updates_meanwhile(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """F-04, N-211: either the approver is told 409, or what was approved is what was seen."""
    first, second = two_servers()
    clients = [registered(first, number, software_id=f"race-{number}") for number in range(24)]
    waiting = f"/authorize?client_id={clients[0]['client_id']}"
    (browser,) = approvers(cast, first, 1, waiting)

    for client in clients:
        ((software_id, revision),) = cast.rows(
            "SELECT s.id, s.revision FROM software s JOIN clients c ON c.software_id = s.id"
            " WHERE c.client_id = :id",
            id=client["client_id"],
        )
        form = {"software_id": software_id, "revision": revision, "next": waiting}
        history.race(
            "change",
            client["client_id"],
            [partial(decide, browser, first, form, "approved"), partial(rename, second, client)],
        )

    check_definite(history.operations)
    assert {each.result.status for each in history.operations} <= {200, 303, 409}
    approved = cast.rows(
        "SELECT s.revision, s.name, e.detail FROM software s"
        " JOIN audit_events e ON e.subject = s.id AND e.tag = 'software.approved'"
    )
    seen = [
        orjson.loads(detail) if isinstance(detail, str) else detail for _, _, detail in approved
    ]
    assert [(revision, name) for revision, name, _ in approved] == [
        (detail["revision"], detail["name"]) for detail in seen
    ], history.summary()
    assert approved, "no approval was in time, so nothing was shown"


def test_of_parallel_updates_one_whole_document_stays(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """N-183: each update brings its own name, page and contact; they are never mixed."""
    servers = two_servers()
    client = registered(servers[0], 0, software_id="parallel")

    for number in range(6):
        names = [f"v{number}-{each}" for each in range(THREADS)]
        calls = [
            partial(rename, s, client, n) for s, n in zip(spread(8, servers), names, strict=True)
        ]
        history.race("update", str(number), calls)
        path = f"/clients/{client['client_id']}"
        kept = send(servers[1], "GET", path, headers=bearer(client)).body
        name = kept["client_name"]
        assert name in names
        assert kept["client_uri"] == f"https://client.example/{name}"
        assert kept["contacts"] == [f"{name}@client.example"]

    check_definite(history.operations)
    assert {each.result.status for each in history.operations} <= {200, 409}, history.summary()


def test_of_eight_deletions_by_the_registrant_one_deletes(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """F-04: the others find no client any more, and the audit trail knows one deletion."""
    servers = two_servers()
    clients = [registered(servers[0], number) for number in range(10)]

    for client in clients:
        path = f"/clients/{client['client_id']}"
        history.race(
            "delete",
            client["client_id"],
            [
                partial(send, server, "DELETE", path, headers=bearer(client))
                for server in spread(THREADS, servers)
            ],
        )

    check_valid(history, "delete")
    assert not_exactly_once(history, "delete") == [], history.summary()
    assert {each.result.status for each in history.operations} == {204, 401}
    assert cast.column("SELECT count(*) FROM audit_events WHERE tag = 'client.deleted'") == [10]


def test_of_many_who_approve_at_once_for_two_one_is_first_one_second_and_the_others_are_told(
    cast: Cast, two_servers: Servers, history: History
) -> None:
    """N-217: one decision, by two different people."""
    servers = two_servers()
    with cast.app.app_context():
        scopes.create("pay", "Pay", by=SERVER, four_eyes=True)
        db.session.commit()
    forms = cast.pending_software(6)
    browsers = approvers(cast, servers[0], 4, forms[0]["next"])

    for form in forms:
        twice = zip([*browsers, *browsers], spread(THREADS, servers), strict=True)
        calls = [partial(decide, browser, server, form, "approved") for browser, server in twice]
        done = history.race("approve", form["software_id"], calls)
        assert sorted(each.result.status for each in done) == [303] * 2 + [409] * 6

    for form in forms:
        assert decided(cast, form["software_id"]) == ("approved", ["approved"])
        names = cast.column(
            "SELECT actor_id FROM audit_events WHERE subject = :id"
            " AND tag IN ('software.approved', 'software.first_approved')",
            id=form["software_id"],
        )
        assert len(names) == len(set(names)) == 2
