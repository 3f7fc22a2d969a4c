"""The page of one piece of software, whatever it was registered with."""

import re

import pytest

from app.domain.client_records import Client
from app.extensions import db
from tests.console.decisions import DECISIONS, QUEUE, decision
from tests.console.markup import controls, shape, texts

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
    register(client_name="Weather Desk", redirect_uris=["https://desk.example/cb"])
    register(client_name="We\u0430ther Desk", redirect_uris=["https://other.example/cb"])
    real, false = find("Weather Desk"), find("We\u0430ther Desk")
    before = approver.get(f"{QUEUE}{false.id}").text

    approver.post(f"{QUEUE}{real.id}/approve", data=decision(csrf, approver, real))

    assert "Look-alike" not in before
    assert "Look-alike" in approver.get(f"{QUEUE}{false.id}").text
    assert "Look-alike" in approver.get(QUEUE).text


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


@pytest.mark.parametrize("software_id", ["unknown", "%00", "a" * 3000])
def test_software_that_is_not_there_is_not_found(approver, csrf, software_id):
    form = {"csrf_token": csrf(approver), "reason": "x", "limit": "all"}

    assert approver.get(QUEUE + software_id).status_code == 404
    for verb in DECISIONS:
        assert approver.post(f"{QUEUE}{software_id}/{verb}", data=form).status_code == 404


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


def test_no_page_about_software_shows_a_credential(admin, register, find, csrf):
    """X-47: neither the secret nor the registration access token, nor a digest of them."""
    registered = register()
    row = find()
    page = admin.get(f"{QUEUE}{row.id}").text + admin.get(QUEUE).text

    assert registered["client_secret"] not in page
    assert registered["registration_access_token"] not in page
    assert "digest" not in page


def test_what_a_block_would_stop_is_said_beforehand(approver, register, approve, grant, find):
    first, second = (register(client_name="Editor")["client_id"] for _ in range(2))
    approve(first)
    grant(first, 1)
    grant(second, 2)

    said = texts(approver.get(f"{QUEUE}{find('Editor').id}").text)

    assert "Ends at once: 2 clients, 2 living grants of 1 person." in said
