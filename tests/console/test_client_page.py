"""The page of one client: what it may do, who allowed it, what happened, what is hidden."""

import json

import pytest

from app.domain import audit, clients, grants
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.domain.client_records import Client
from app.extensions import db
from tests.conftest import SECRET_KEY
from tests.console.markup import controls, read, row_names, shape, texts
from tests.console.matrix import ways_to_act
from tests.protocol.vendors import key_set

LIST = "/admin/clients/"
TABS = ("", "?tab=grants", "?tab=activity", "?tab=json")
HOSTILE = (
    "<script>alert(1)</script>",
    '" hx-get="/admin/clients/1/approve" hx-trigger="load',
    "' onmouseover='alert(1)",
    "{{7*7}}{% raw %}",
    "</title><img src=x onerror=alert(1)>",
    "<!-- --> &amp;lt;b",
    "=HYPERLINK(1)",
)


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


@pytest.mark.parametrize(
    "keys, shown",
    [
        ({"jwks": key_set("ES256", "EdDSA")}, "Keys 2 registered"),
        ({"jwks_uri": "https://a.example/jwks.json"}, "Keys https://a.example/jwks.json"),
    ],
)
def test_a_client_that_signs_shows_its_keys_and_offers_nothing_about_secrets(
    admin, register, keys, shown
):
    made = register(token_endpoint_auth_method="private_key_jwt", **keys)["client_id"]

    page = admin.get(f"{LIST}{made}").text

    assert shown in texts(page)
    assert "private_key_jwt" in texts(page)
    assert "ecret" not in page
    assert admin.get(f"{LIST}rotate-secret/{made}").status_code == 409


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


def test_how_a_client_has_to_ask_is_said(viewer, register):
    """Whoever looks why its requests are refused need not read the JSON."""
    pushes = {"require_pushed_authorization_requests": True}
    signs = {"require_signed_request_object": True, "jwks": key_set("ES256")}
    for said, words in (
        (pushes, "all pushed"),
        (signs, "all signed"),
        (pushes | signs, "all pushed and signed"),
    ):
        made = register(**said)["client_id"]
        assert words in texts(viewer.get(f"{LIST}{made}").text)


@pytest.mark.parametrize(
    "client_id", ["unknown", "%00", "a" * 3000, "edit/x", "https://a.example/"]
)
def test_a_client_that_is_not_there_is_not_found(admin, send, client_id):
    assert admin.get(f"{LIST}{client_id}").status_code == 404
    for verb in ("edit", "rotate-secret"):
        assert admin.get(f"{LIST}{verb}/{client_id}").status_code == 404
    assert send(admin, f"{LIST}suspend/{client_id}", reason="x").status_code == 404


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
    assert name in " ".join(row_names(admin.get(LIST).text))


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
